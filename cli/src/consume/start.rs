//! Where to begin, as people write it.

use client::OffsetSpec;

use crate::time::timestamp_ms;

const HELP: &str =
    "earliest, latest, an offset, a time like 2026-11-22T10:00:00Z, or @ and milliseconds since 1970";

/// Reads the value of `--from`.
pub fn parse(text: &str) -> Result<OffsetSpec, String> {
    let refuse = || format!("'{text}' is no place to begin: {HELP}");
    match text {
        "earliest" | "beginning" => Ok(OffsetSpec::Earliest),
        "latest" | "end" => Ok(OffsetSpec::Latest),
        _ => match text.strip_prefix('@') {
            Some(ms) => ms.parse().map(OffsetSpec::Timestamp).map_err(|_| refuse()),
            None => offset(text).or_else(|| timestamp_ms(text).map(OffsetSpec::Timestamp)).ok_or_else(refuse),
        },
    }
}

fn offset(text: &str) -> Option<OffsetSpec> {
    text.parse().ok().filter(|offset| *offset >= 0).map(OffsetSpec::At)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_offsets_and_times_are_told_apart() {
        assert_eq!(parse("earliest"), Ok(OffsetSpec::Earliest));
        assert_eq!(parse("end"), Ok(OffsetSpec::Latest));
        assert_eq!(parse("17"), Ok(OffsetSpec::At(17)));
        assert_eq!(parse("@17"), Ok(OffsetSpec::Timestamp(17)));
        assert_eq!(parse("1970-01-02"), Ok(OffsetSpec::Timestamp(86_400_000)));
        for wrong in ["", "-1", "soon", "@x", "2026-13-01", "2026-01-01T25:00Z", "2026-01-01T10:00"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
