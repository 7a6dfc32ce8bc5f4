//! Where to begin, as people write it.

use client::OffsetSpec;

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
            None => offset(text).or_else(|| time(text).map(OffsetSpec::Timestamp)).ok_or_else(refuse),
        },
    }
}

fn offset(text: &str) -> Option<OffsetSpec> {
    text.parse().ok().filter(|offset| *offset >= 0).map(OffsetSpec::At)
}

/// A time of RFC 3339, with `Z` or an offset from it, or a day alone; in milliseconds since 1970.
fn time(text: &str) -> Option<i64> {
    let (date, rest) = text.split_once(['T', ' ']).unwrap_or((text, "00:00:00Z"));
    let mut date = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let days = days_since_1970(date.next()??, date.next()??, date.next()??)?;
    let zone_at = rest.find(['Z', '+', '-'])?;
    let (clock, zone) = rest.split_at(zone_at);
    Some(days * 86_400_000 + clock_ms(clock)? - zone_ms(zone)?)
}

/// "10:00", "10:00:00" or "10:00:00.250".
fn clock_ms(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, ':');
    let hours: i64 = parts.next()?.parse().ok()?;
    let minutes: i64 = parts.next()?.parse().ok()?;
    let seconds: f64 = parts.next().unwrap_or("0").parse().ok()?;
    let valid = (0..24).contains(&hours) && (0..60).contains(&minutes) && (0.0..61.0).contains(&seconds);
    valid.then(|| (hours * 60 + minutes) * 60_000 + (seconds * 1000.0).round() as i64)
}

/// "Z", "+01:00" or "-0530", as what the local clock is ahead.
fn zone_ms(text: &str) -> Option<i64> {
    let sign = match text.chars().next()? {
        'Z' if text.len() == 1 => return Some(0),
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let digits: String = text.chars().skip(1).filter(|c| *c != ':').collect();
    let (hours, minutes) = digits.split_at_checked(2)?;
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    Some(sign * (hours * 60 + minutes) * 60_000)
}

/// Counts days by the years that begin in March, which end with the leap day.
fn days_since_1970(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    let days_before_month = (153 * month + 2) / 5;
    const DAYS_TO_1970: i64 = 719_469;
    Some(year * 365 + leap_days + days_before_month + day - DAYS_TO_1970)
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
        for wrong in ["", "-1", "soon", "@x", "2026-13-01", "2026-01-01T25:00Z", "2026-01-01T10:00"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_are_those_of_the_calendar() {
        let known = [
            ("1970-01-01", 0),
            ("1970-01-01T00:00:00.250Z", 250),
            ("2000-02-29T12:00:00Z", 951_825_600_000),
            ("2000-03-01", 951_868_800_000),
            ("2026-11-22T10:00:00Z", 1_795_341_600_000),
            ("2026-11-22T11:00:00+01:00", 1_795_341_600_000),
            ("2026-11-22 04:30-0530", 1_795_341_600_000),
        ];
        for (text, ms) in known {
            assert_eq!(parse(text), Ok(OffsetSpec::Timestamp(ms)), "{text}");
        }
    }
}
