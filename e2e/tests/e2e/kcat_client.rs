//! kcat: produce, consume, group and metadata modes, every codec.

use anyhow::Result;
use e2e::kcat;
use e2e::server::Server;

fn lines(records: usize) -> Vec<String> {
    (0..records).map(|number| format!("record {number} {}", "of many words ".repeat(number % 20))).collect()
}

#[test]
fn every_codec_reads_back_as_it_was_written() -> Result<()> {
    let server = Server::start("codecs")?;
    let lines = lines(2_000);
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        let topic = format!("codec-{codec}");
        kcat::produce(&server.bootstrap(), &topic, &["-z", codec, "-p", "0"], &lines)?;
        let read = kcat::consume(&server.bootstrap(), &topic, "beginning", &["-p", "0"])?;
        assert!(read == lines, "{codec}: {} lines came back", read.len());
    }
    server.done()
}

#[test]
fn keys_headers_nulls_and_empties_come_back() -> Result<()> {
    let server = Server::start("headers")?;
    let bootstrap = server.bootstrap();
    let records = ["key:value", ":value", "key:", ":"].map(str::to_owned);
    let arguments = ["-p", "0", "-K:", "-Z", "-H", "a=1", "-H", "empty=", "-H", "null"];
    kcat::produce(&bootstrap, "headers", &arguments, &records)?;
    let read = kcat::consume(&bootstrap, "headers", "beginning", &["-f", "%o|%K|%k|%S|%s|%h\n"])?;
    let headers = "a=1,empty=,null=NULL";
    assert_eq!(
        read,
        [
            format!("0|3|key|5|value|{headers}"),
            format!("1|-1||5|value|{headers}"),
            format!("2|3|key|-1||{headers}"),
            format!("3|-1||-1||{headers}"),
        ]
    );
    server.done()
}

#[test]
fn offsets_are_found_from_both_ends_and_by_time() -> Result<()> {
    let server = Server::start("offsets")?;
    let bootstrap = server.bootstrap();
    let consume = |offset: &str| kcat::consume(&bootstrap, "offsets", offset, &["-p", "0"]);
    let (early, late) = (lines(10), lines(5));
    kcat::produce(&bootstrap, "offsets", &["-p", "0"], &early)?;
    let between = now_ms() + 1;
    while now_ms() <= between {
        std::thread::yield_now();
    }
    kcat::produce(&bootstrap, "offsets", &["-p", "0"], &late)?;
    assert_eq!(consume("7")?, [&early[7..], &late[..]].concat());
    assert_eq!(consume("-3")?, late[2..]);
    assert_eq!(consume(&format!("s@{between}"))?, late);
    assert_eq!(query(&bootstrap, between)?, 10);
    assert_eq!(query(&bootstrap, -2)?, 0);
    assert_eq!(query(&bootstrap, -1)?, 15);
    // Past the last record there is none to find, which kcat shows as the end.
    assert_eq!(query(&bootstrap, now_ms() + 1_000_000)?, -1);
    server.done()
}

fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as i64)
}

/// ListOffsets of partition 0 for a timestamp, −2 (earliest) or −1 (latest).
fn query(bootstrap: &str, timestamp: i64) -> Result<i64> {
    let asked = format!("offsets:0:{timestamp}");
    let answer = kcat::run(bootstrap, &["-Q", "-t", &asked], b"")?.success()?;
    Ok(answer.trim().rsplit(' ').next().unwrap_or_default().parse()?)
}

#[test]
fn a_group_goes_on_where_it_committed() -> Result<()> {
    let server = Server::start("group")?;
    let bootstrap = server.bootstrap();
    let consume = || -> Result<Vec<String>> {
        let arguments = ["-G", "readers", "-q", "-e", "-X", "auto.offset.reset=earliest", "grouped"];
        let stdout = kcat::run(&bootstrap, &arguments, b"")?.success()?;
        Ok(stdout.lines().map(str::to_owned).collect())
    };
    let (first, second) = (lines(100), lines(30));
    kcat::produce(&bootstrap, "grouped", &["-p", "0"], &first)?;
    assert_eq!(consume()?, first);
    kcat::produce(&bootstrap, "grouped", &["-p", "0"], &second)?;
    assert_eq!(consume()?, second);
    server.done()
}

#[test]
fn metadata_names_the_broker_and_the_partitions() -> Result<()> {
    let server = Server::with("metadata", &[("num.partitions", "3")])?;
    let bootstrap = server.bootstrap();
    kcat::produce(&bootstrap, "described", &[], &lines(1))?;
    let metadata = kcat::metadata(&bootstrap, None)?;
    assert_eq!(metadata["brokers"][0]["name"], bootstrap);
    assert_eq!(metadata["brokers"].as_array().map(Vec::len), Some(1));
    assert_eq!(metadata["controllerid"], metadata["brokers"][0]["id"]);
    let topics = metadata["topics"].as_array().cloned().unwrap_or_default();
    let described: Vec<_> = topics.iter().filter(|topic| topic["topic"] == "described").collect();
    assert_eq!(described.len(), 1, "{metadata}");
    let partitions = described[0]["partitions"].as_array().cloned().unwrap_or_default();
    assert_eq!(partitions.len(), 3);
    for partition in partitions {
        assert_eq!(partition["leader"], metadata["brokers"][0]["id"]);
        assert_eq!(partition["isrs"].as_array().map(Vec::len), Some(1));
    }
    server.done()
}

#[test]
fn a_topic_is_made_by_its_first_record_unless_that_is_forbidden() -> Result<()> {
    let server = Server::with("auto-create", &[("auto.create.topics.enable", "false")])?;
    let arguments = ["-P", "-t", "forbidden", "-X", "topic.metadata.propagation.max.ms=0"];
    let refused = kcat::run(&server.bootstrap(), &arguments, b"record\n")?;
    assert_ne!(refused.code, 0, "{refused:?}");
    assert!(refused.stderr.contains("Unknown topic"), "{refused:?}");
    server.done()
}
