//! Before which offset of which partition records are deleted. Pure.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use client::{HIGH_WATERMARK, TopicPartition};
use serde_json::Value;

/// The only version of Kafka's file.
const VERSION: i64 = 1;

/// Reads "orders:0=100"; "end" is the high watermark, as is -1.
pub fn target(text: &str) -> Result<(TopicPartition, i64), String> {
    let parse = || {
        let (at, offset) = text.rsplit_once('=')?;
        let (topic, partition) = at.rsplit_once(':')?;
        let partition = crate::arguments::partition(partition)?;
        let offset = match offset.trim() {
            "end" | "latest" => HIGH_WATERMARK,
            number => number.parse().ok().filter(|offset| *offset >= HIGH_WATERMARK)?,
        };
        (!topic.is_empty()).then(|| (TopicPartition::new(topic, partition), offset))
    };
    parse().ok_or_else(|| "TOPIC:PARTITION=OFFSET is expected, or end for all records".to_owned())
}

/// Reads Kafka's file: {"partitions": [{"topic": "orders", "partition": 0, "offset": 100}], "version": 1}.
pub fn from_json(text: &str) -> Result<Vec<(TopicPartition, i64)>> {
    let file: Value = serde_json::from_str(text).context("this is no JSON")?;
    if let Some(version) = file.get("version") {
        ensure!(version.as_i64() == Some(VERSION), "version {version}: only {VERSION} is known");
    }
    let partitions = file.get("partitions").and_then(Value::as_array);
    partitions.context("the list \"partitions\" is missing")?.iter().map(entry).collect()
}

fn entry(entry: &Value) -> Result<(TopicPartition, i64)> {
    let topic = entry.get("topic").and_then(Value::as_str).filter(|topic| !topic.is_empty());
    let number = |name| entry.get(name).and_then(Value::as_i64);
    let partition = number("partition").and_then(|partition| i32::try_from(partition).ok());
    let offset = number("offset").filter(|offset| *offset >= HIGH_WATERMARK);
    match (topic, partition, offset) {
        (Some(topic), Some(partition), Some(offset)) => Ok((TopicPartition::new(topic, partition), offset)),
        _ => bail!("{entry}: \"topic\", \"partition\" and \"offset\" are needed, the last two as numbers"),
    }
}

/// Each partition once.
pub fn unique(targets: Vec<(TopicPartition, i64)>) -> Result<BTreeMap<TopicPartition, i64>> {
    let mut unique = BTreeMap::new();
    for (partition, offset) in targets {
        if unique.contains_key(&partition) {
            bail!("{partition} is named twice");
        }
        unique.insert(partition, offset);
    }
    ensure!(!unique.is_empty(), "no partition is named");
    Ok(unique)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_partition_and_an_offset() {
        assert_eq!(target("orders:0=100"), Ok((TopicPartition::new("orders", 0), 100)));
        assert_eq!(target("orders:12=end"), Ok((TopicPartition::new("orders", 12), -1)));
        assert_eq!(target("orders:12=-1"), target("orders:12=end"));
        for wrong in ["orders", "orders:0", "orders=1", ":0=1", "orders:x=1", "orders:0=-2", "orders:0=soon"]
        {
            assert!(target(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn kafkas_file_is_read() {
        let text = r#"{"partitions": [{"topic": "foo", "partition": 1, "offset": 7}], "version": 1}"#;
        assert_eq!(from_json(text).ok(), Some(vec![(TopicPartition::new("foo", 1), 7)]));
        assert_eq!(from_json(r#"{"partitions": []}"#).ok(), Some(Vec::new()));
        let wrong = [
            "foo",
            "{}",
            r#"{"partitions": [], "version": 2}"#,
            r#"{"partitions": [{"topic": "foo", "partition": 1}]}"#,
            r#"{"partitions": [{"topic": "foo", "partition": "1", "offset": 7}]}"#,
        ];
        for wrong in wrong {
            assert!(from_json(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_partition_that_is_named_twice_is_refused() {
        let at = |offset| (TopicPartition::new("t", 0), offset);
        assert!(unique(vec![at(1), at(1)]).is_err() && unique(Vec::new()).is_err());
        assert_eq!(unique(vec![at(1)]).map(|unique| unique.len()).ok(), Some(1));
    }
}
