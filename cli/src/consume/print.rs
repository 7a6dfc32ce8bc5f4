//! How a record looks: the line of Kafka's console consumer, or a JSON object.

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use client::ConsumerRecord;
use serde_json::{Value, json};

use crate::arguments::Output;

/// What is printed of each record.
pub struct RecordFormat {
    json: bool,
    timestamp: bool,
    partition: bool,
    offset: bool,
    headers: bool,
    key: bool,
    value: bool,
    key_separator: String,
    line_separator: String,
    null_literal: String,
}

impl RecordFormat {
    /// Takes Kafka's formatter properties.
    pub fn new(output: Output, properties: &[(String, String)]) -> anyhow::Result<RecordFormat> {
        let mut format = RecordFormat {
            json: output == Output::Json,
            timestamp: false,
            partition: false,
            offset: false,
            headers: false,
            key: false,
            value: true,
            key_separator: "\t".to_owned(),
            line_separator: "\n".to_owned(),
            null_literal: "null".to_owned(),
        };
        for (name, value) in properties {
            format.set(name, value)?;
        }
        Ok(format)
    }

    fn set(&mut self, name: &str, value: &str) -> anyhow::Result<()> {
        let flag = || value.parse::<bool>().with_context(|| format!("{name}={value} is not true or false"));
        match name {
            "print.timestamp" => self.timestamp = flag()?,
            "print.partition" => self.partition = flag()?,
            "print.offset" => self.offset = flag()?,
            "print.headers" => self.headers = flag()?,
            "print.key" => self.key = flag()?,
            "print.value" => self.value = flag()?,
            "key.separator" => value.clone_into(&mut self.key_separator),
            "line.separator" => value.clone_into(&mut self.line_separator),
            "null.literal" => value.clone_into(&mut self.null_literal),
            _ => bail!("property {name} is unknown; see --help for those that are known"),
        }
        Ok(())
    }

    pub fn write(&self, record: &ConsumerRecord, out: &mut Vec<u8>) {
        if self.json {
            out.extend_from_slice(object(record).to_string().as_bytes());
            out.push(b'\n');
        } else {
            let parts = self.parts(record);
            out.extend_from_slice(&parts.join(self.key_separator.as_bytes()));
            out.extend_from_slice(self.line_separator.as_bytes());
        }
    }

    /// In the order of Kafka's formatter; keys and values as the bytes that they are.
    fn parts(&self, ConsumerRecord { partition, record, .. }: &ConsumerRecord) -> Vec<Vec<u8>> {
        let mut parts = Vec::new();
        if self.timestamp {
            parts.push(format!("CreateTime:{}", record.timestamp).into_bytes());
        }
        if self.partition {
            parts.push(format!("Partition:{}", partition.partition).into_bytes());
        }
        if self.offset {
            parts.push(format!("Offset:{}", record.offset).into_bytes());
        }
        if self.headers {
            parts.push(self.headers_of(record));
        }
        if self.key {
            parts.push(self.bytes(record.key.as_ref()).to_vec());
        }
        if self.value {
            parts.push(self.bytes(record.value.as_ref()).to_vec());
        }
        parts
    }

    fn headers_of(&self, record: &protocol::records::Record) -> Vec<u8> {
        if record.headers.is_empty() {
            return b"NO_HEADERS".to_vec();
        }
        let header = |header: &protocol::records::Header| {
            [&header.key[..], b":", self.bytes(header.value.as_ref())].concat()
        };
        record.headers.iter().map(header).collect::<Vec<_>>().join(&b","[..])
    }

    fn bytes<'a>(&'a self, bytes: Option<&'a Bytes>) -> &'a [u8] {
        bytes.map_or(self.null_literal.as_bytes(), |bytes| bytes)
    }
}

fn object(ConsumerRecord { partition, leader_epoch, record }: &ConsumerRecord) -> Value {
    let header = |header: &protocol::records::Header| json!({ "key": header.name(), "value": text(header.value.as_ref()) });
    json!({
        "topic": &*partition.topic,
        "partition": partition.partition,
        "offset": record.offset.0,
        "leader_epoch": leader_epoch.0,
        "timestamp": record.timestamp,
        "key": text(record.key.as_ref()),
        "value": text(record.value.as_ref()),
        "headers": record.headers.iter().map(header).collect::<Vec<_>>(),
    })
}

/// A string where the bytes are text, else an object that says what they are in base64.
fn text(bytes: Option<&Bytes>) -> Value {
    match bytes.map(|bytes| (bytes, std::str::from_utf8(bytes))) {
        None => Value::Null,
        Some((_, Ok(text))) => text.into(),
        Some((bytes, Err(_))) => json!({ "base64": STANDARD.encode(bytes) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use client::TopicPartition;
    use protocol::records::{Header, Record};
    use protocol::types::{LeaderEpoch, Offset};

    fn record() -> ConsumerRecord {
        let record = Record {
            offset: Offset(7),
            timestamp: 9,
            key: Some("k".into()),
            value: None,
            headers: vec![Header { key: "h".into(), value: Some("x".into()) }],
        };
        ConsumerRecord { partition: TopicPartition::new("t", 1), leader_epoch: LeaderEpoch(2), record }
    }

    fn printed(output: Output, properties: &[(&str, &str)]) -> String {
        let properties: Vec<_> =
            properties.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let mut out = Vec::new();
        RecordFormat::new(output, &properties).expect("known properties").write(&record(), &mut out);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn a_line_holds_the_value_and_what_is_asked_for_in_kafkas_order() {
        assert_eq!(printed(Output::Table, &[]), "null\n");
        let all = ["timestamp", "partition", "offset", "headers", "key"].map(|part| format!("print.{part}"));
        let all: Vec<_> = all.iter().map(|name| (name.as_str(), "true")).collect();
        assert_eq!(printed(Output::Table, &all), "CreateTime:9\tPartition:1\tOffset:7\th:x\tk\tnull\n");
    }

    #[test]
    fn json_holds_everything_on_one_line() {
        let object: Value = serde_json::from_str(&printed(Output::Json, &[])).expect("json");
        assert_eq!(object["key"], "k");
        assert_eq!(object["value"], Value::Null);
        assert_eq!(object["headers"][0]["value"], "x");
        assert_eq!(text(Some(&Bytes::from_static(&[0xff]))), json!({ "base64": "/w==" }));
    }

    #[test]
    fn an_unknown_property_is_refused() {
        assert!(RecordFormat::new(Output::Table, &[("print.colour".into(), "true".into())]).is_err());
    }
}
