//! `milena produce`, `milena consume` and `milena records`.

use anyhow::{Result, ensure};
use e2e::kcat;
use e2e::server::Server;
use serde_json::Value;

use super::{consumed, json, milena, numbers, refused, text};

#[test]
fn what_is_produced_is_consumed_with_every_codec() -> Result<()> {
    let server = Server::start("cli-codecs")?;
    let written: Vec<_> =
        (0..3000).map(|number| format!("record {number} {}", "word ".repeat(number % 9))).collect();
    let stdin = written.join("\n").into_bytes();
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        text(&server, &["topics", "create", codec, "--partitions", "1"])?;
        let produce = ["produce", codec, "--compression", codec, "--output", "json"];
        let tally: Value = serde_json::from_str(&milena(&server, &produce, &stdin)?.success()?)?;
        assert_eq!((&tally[0]["records"], &tally[0]["last_offset"]), (&3000.into(), &2999.into()), "{tally}");
        assert!(consumed(&server, &[codec])? == written, "{codec}");
        assert!(kcat::consume(&server.bootstrap(), codec, "beginning", &[])? == written, "{codec}");
    }
    server.done()
}

#[test]
fn keys_headers_and_nulls_come_back() -> Result<()> {
    let server = Server::start("cli-keys")?;
    text(&server, &["topics", "create", "keyed", "--partitions", "1"])?;
    let produce = ["produce", "keyed", "-K", ":", "-H", "a=1", "--null-marker", "NULL"];
    milena(&server, &produce, b"k:v\nk:NULL\n:\n")?.success()?;
    let printed =
        consumed(&server, &["keyed", "--property", "print.key=true", "--property", "print.headers=true"])?;
    assert_eq!(printed, ["a:1\tk\tv", "a:1\tk\tnull", "a:1\t\t"]);
    let records = consumed(&server, &["keyed", "--output", "json"])?;
    let tombstone: Value = serde_json::from_str(&records[1])?;
    assert_eq!((&tombstone["key"], &tombstone["value"]), (&"k".into(), &Value::Null));
    server.done()
}

#[test]
fn reading_begins_and_ends_where_one_likes() -> Result<()> {
    let server = Server::start("cli-places")?;
    text(&server, &["topics", "create", "places", "--partitions", "1"])?;
    kcat::produce(&server.bootstrap(), "places", &["-p", "0"], &numbers(0..50))?;
    assert_eq!(consumed(&server, &["places"])?, numbers(0..50));
    assert_eq!(consumed(&server, &["places", "--from", "40"])?, numbers(40..50));
    assert_eq!(consumed(&server, &["places", "--from", "40", "--max-messages", "3"])?, numbers(40..43));
    assert!(consumed(&server, &["places", "--from", "latest"])?.is_empty());
    assert_eq!(consumed(&server, &["places", "--from", "2001-01-01T00:00:00Z"])?.len(), 50);
    assert!(consumed(&server, &["places", "--from", "2200-01-01"])?.is_empty());
    let beyond = milena(&server, &["consume", "places", "--from", "1000"], b"")?;
    ensure!(beyond.code == 1 && beyond.stderr.contains("OFFSET_OUT_OF_RANGE"), "{beyond:?}");
    server.done()
}

#[test]
fn records_are_deleted_up_to_an_offset_or_all_of_them() -> Result<()> {
    let server = Server::start("cli-delete-records")?;
    text(&server, &["topics", "create", "shrinking", "--partitions", "2"])?;
    kcat::produce(&server.bootstrap(), "shrinking", &["-p", "0"], &numbers(0..10))?;
    kcat::produce(&server.bootstrap(), "shrinking", &["-p", "1"], &numbers(10..20))?;
    let deleted = json(&server, &["records", "delete", "shrinking:0=4"])?;
    assert_eq!((&deleted[0]["low_watermark"], &deleted[0]["error"]), (&4.into(), &Value::Null), "{deleted}");
    assert_eq!(consumed(&server, &["shrinking", "--partition", "0"])?, numbers(4..10));
    let file = server.scratch().join("offsets.json");
    let partitions = r#"[{"topic": "shrinking", "partition": 1, "offset": -1}]"#;
    std::fs::write(&file, format!(r#"{{"partitions": {partitions}, "version": 1}}"#))?;
    let by_file = ["records", "delete", "--offset-json-file", &file.to_string_lossy()];
    assert_eq!(text(&server, &by_file)?, "TOPIC      PARTITION  LOW-WATERMARK\nshrinking  1          10\n");
    assert!(consumed(&server, &["shrinking", "--partition", "1"])?.is_empty());
    let many = ["records", "delete", "shrinking:0=100", "shrinking:7=1"];
    refused(&server, &many, &["OFFSET_OUT_OF_RANGE", "no partition 7", "2 of 2"])?;
    refused(&server, &["records", "delete", "shrinking:0=1", "shrinking:0=2"], &["named twice"])?;
    assert_eq!(consumed(&server, &["shrinking", "--partition", "0"])?, numbers(4..10));
    server.done()
}
