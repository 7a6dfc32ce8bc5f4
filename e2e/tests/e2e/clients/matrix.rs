//! Each client reads what each client wrote, with every codec, byte by byte.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::thread;

use anyhow::{Context, Result, ensure};
use e2e::clients::{Client, Kind, Record};
use e2e::server::Server;
use e2e::{kcat, scratch};

use super::samples::{self, KCAT_CALLS, PARTITIONS};

/// By the number that stands in a batch's attributes.
const CODECS: [&str; 5] = ["none", "gzip", "snappy", "lz4", "zstd"];
/// Where the lower byte of the attributes is in a batch, and which of its bits tell the codec.
const ATTRIBUTES_AT: u64 = 22;
const CODEC_BITS: u8 = 7;

/// What is expected in each topic: the records of each partition in their order.
type Written = BTreeMap<String, BTreeMap<i64, Vec<Record>>>;

#[test]
fn every_client_reads_what_every_client_wrote() -> Result<()> {
    // Some samples are old.
    let server = super::start("clients", &[("log.retention.ms", "-1")])?;
    let mut clients = Client::start_all(&server.bootstrap(), server.scratch())?;
    let mut written = Written::new();
    for (number, codec) in CODECS.into_iter().enumerate() {
        for client in &mut clients {
            write(&server, client, codec, &mut written)?;
        }
        write_by_kcat(&server, codec, &mut written)?;
        check_codec(&server, codec, number)?;
    }
    // kcat is the first to read, for it tells when its own records were sent.
    for (topic, partitions) in &mut written {
        check_kcat(&server, topic, partitions)?;
    }
    // Two at a time, for there may be two cores.
    for pair in clients.chunks_mut(2) {
        thread::scope(|scope| {
            let readers: Vec<_> =
                pair.iter_mut().map(|client| scope.spawn(|| check(client, &written))).collect();
            readers.into_iter().try_for_each(|reader| reader.join().expect("a reader does not panic"))
        })?;
    }
    server.done()
}

fn create(server: &Server, writer: &str, codec: &str) -> Result<String> {
    let topic = format!("{writer}-{codec}");
    super::create(server, &topic, PARTITIONS)?;
    Ok(topic)
}

fn write(server: &Server, client: &mut Client, codec: &str, written: &mut Written) -> Result<()> {
    let topic = create(server, client.kind.name(), codec)?;
    let records = samples::of(client.kind);
    let offsets = client.produce(&topic, codec, &records)?;
    for (record, offset) in records.into_iter().zip(offsets) {
        let partition = written.entry(topic.clone()).or_default().entry(record.partition).or_default();
        ensure!(offset == partition.len() as i64, "{topic}: offset {offset} is told for {}", partition.len());
        partition.push(record);
    }
    Ok(())
}

fn write_by_kcat(server: &Server, codec: &str, written: &mut Written) -> Result<()> {
    let topic = create(server, "kcat", codec)?;
    for arguments in KCAT_CALLS {
        let arguments = [arguments, &["-z", codec]].concat();
        kcat::produce(&server.bootstrap(), &topic, &arguments, &samples::kcat_lines())?;
    }
    for record in samples::sent_by_kcat() {
        written.entry(topic.clone()).or_default().entry(record.partition).or_default().push(record);
    }
    Ok(())
}

/// A client may send uncompressed what it can't make smaller; but the first batch of each writer is compressed as was asked.
fn check_codec(server: &Server, codec: &str, number: usize) -> Result<()> {
    for writer in Kind::ALL.map(Kind::name).into_iter().chain(["kcat"]) {
        let logs = scratch::files_below(&server.data(), ".log")?;
        let ours = format!("/{writer}-{codec}-0/");
        let log = logs.iter().find(|log| log.to_string_lossy().contains(&ours)).context("no log")?;
        let mut attributes = [0];
        File::open(log)?.read_exact_at(&mut attributes, ATTRIBUTES_AT)?;
        let found = CODECS[usize::from(attributes[0] & CODEC_BITS)];
        ensure!(usize::from(attributes[0] & CODEC_BITS) == number, "{writer} sent {found} for {codec}");
    }
    Ok(())
}

/// Reads a topic with kcat; where a record's time was not known, it is now.
fn check_kcat(server: &Server, topic: &str, partitions: &mut BTreeMap<i64, Vec<Record>>) -> Result<()> {
    let mut read: BTreeMap<i64, Vec<(i64, Record)>> = BTreeMap::new();
    for (offset, record) in kcat::records(&server.bootstrap(), topic)? {
        read.entry(record.partition).or_default().push((offset, record));
    }
    for (partition, expected) in partitions {
        let read = read.remove(partition).unwrap_or_default();
        for (expected, (_, read)) in expected.iter_mut().zip(&read) {
            expected.timestamp = expected.timestamp.or(read.timestamp);
        }
        compare("kcat", topic, expected, &read)?;
    }
    Ok(())
}

fn check(client: &mut Client, written: &Written) -> Result<()> {
    let topics: Vec<String> = written.keys().cloned().collect();
    let count = written.values().flat_map(BTreeMap::values).map(Vec::len).sum();
    let mut read: BTreeMap<(String, i64), Vec<(i64, Record)>> = BTreeMap::new();
    for (topic, offset, record) in client.consume(&topics, count)? {
        read.entry((topic, record.partition)).or_default().push((offset, record));
    }
    for (topic, partitions) in written {
        for (partition, expected) in partitions {
            let read = read.remove(&(topic.clone(), *partition)).unwrap_or_default();
            compare(client.kind.name(), topic, expected, &read)?;
        }
    }
    Ok(())
}

fn compare(reader: &str, topic: &str, expected: &[Record], read: &[(i64, Record)]) -> Result<()> {
    for (at, (expected, (offset, read))) in expected.iter().zip(read).enumerate() {
        ensure!(
            *offset == at as i64 && read == expected,
            "{reader} reads of {topic} at {offset}, {at} in order:\n{}\ninstead of\n{}",
            shown(read),
            shown(expected)
        );
    }
    ensure!(read.len() == expected.len(), "{reader} reads {} of {topic}, of {}", read.len(), expected.len());
    Ok(())
}

/// A record with no more of its value than one wants to see.
fn shown(record: &Record) -> String {
    let mut text = format!("{record:?}");
    text.truncate(text.floor_char_boundary(600));
    text
}
