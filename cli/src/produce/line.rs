//! What a line says: a value, or a key and a value.

use anyhow::{Context, bail};
use bytes::Bytes;
use client::ProducerRecord;
use protocol::records::Header;
use protocol::wire::Str;

use super::ProduceArguments;

/// The separator of Kafka's own tool, where keys are asked for and none is named.
const KAFKA_SEPARATOR: &str = "\t";

/// How a line is taken apart, and what every record has besides.
pub struct LineFormat {
    topic: Str,
    partition: Option<i32>,
    headers: Vec<Header>,
    key_separator: Option<Bytes>,
    null_marker: Option<Bytes>,
}

impl LineFormat {
    pub fn new(arguments: &ProduceArguments) -> anyhow::Result<LineFormat> {
        let mut parse_key = arguments.key_separator.is_some();
        let mut separator = arguments.key_separator.clone().unwrap_or(KAFKA_SEPARATOR.to_owned());
        let mut null_marker = arguments.null_marker.clone();
        for (name, value) in &arguments.properties {
            match name.as_str() {
                "parse.key" => {
                    parse_key =
                        value.parse().with_context(|| format!("parse.key={value} is not true or false"))?;
                }
                "key.separator" => separator.clone_from(value),
                "null.marker" => null_marker = Some(value.clone()),
                _ => bail!("property {name} is unknown: parse.key, key.separator and null.marker are known"),
            }
        }
        anyhow::ensure!(!separator.is_empty(), "the separator between key and value is empty");
        Ok(LineFormat {
            topic: Str::from(arguments.topic()),
            partition: arguments.partition,
            headers: arguments.headers(),
            key_separator: parse_key.then_some(separator.into()),
            null_marker: null_marker.map(Bytes::from),
        })
    }

    pub fn record(&self, line: Bytes, now_ms: i64) -> anyhow::Result<ProducerRecord> {
        let (key, value) = self.split(line)?;
        Ok(ProducerRecord {
            topic: self.topic.clone(),
            partition: self.partition,
            key: key.and_then(|key| self.unless_null(key)),
            value: self.unless_null(value),
            headers: self.headers.clone(),
            timestamp: now_ms,
        })
    }

    fn split(&self, line: Bytes) -> anyhow::Result<(Option<Bytes>, Bytes)> {
        let Some(separator) = &self.key_separator else { return Ok((None, line)) };
        let at = line.windows(separator.len()).position(|window| window == &separator[..]);
        let Some(at) = at else {
            let (separator, line) = (String::from_utf8_lossy(separator), String::from_utf8_lossy(&line));
            bail!("the line {line:?} has no key: {separator:?} is not in it");
        };
        Ok((Some(line.slice(..at)), line.slice(at + separator.len()..)))
    }

    fn unless_null(&self, bytes: Bytes) -> Option<Bytes> {
        (self.null_marker.as_ref() != Some(&bytes)).then_some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(key_separator: Option<&'static str>, null_marker: Option<&'static str>) -> LineFormat {
        LineFormat {
            topic: "t".into(),
            partition: None,
            headers: Vec::new(),
            key_separator: key_separator.map(Bytes::from),
            null_marker: null_marker.map(Bytes::from),
        }
    }

    #[test]
    fn a_line_is_a_value_unless_keys_are_asked_for() {
        let plain = format(None, None).record("a:b".into(), 7).expect("any line will do");
        assert_eq!((plain.key, plain.value, plain.timestamp), (None, Some("a:b".into()), 7));
        let keyed = format(Some(":"), None).record("a:b:c".into(), 7).expect("it has a key");
        assert_eq!((keyed.key, keyed.value), (Some("a".into()), Some("b:c".into())));
        assert!(format(Some(":"), None).record("a".into(), 7).is_err());
    }

    #[test]
    fn the_null_marker_stands_for_null() {
        let record = format(Some(":"), Some("NULL")).record("NULL:NULL".into(), 7).expect("it has a key");
        assert_eq!((record.key, record.value), (None, None));
    }
}
