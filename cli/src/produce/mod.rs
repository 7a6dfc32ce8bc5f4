//! `milena produce`: every line of the input becomes a record.
//!
//! * `input`: lines from stdin or a file, read by a thread of their own.
//! * `line`: what a line says. Pure.

mod input;
mod line;

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::ensure;
use clap::{Args, ValueEnum};
use client::{Acks, Delivery, Producer, ProducerConfig, RecordMetadata, TopicPartition};
use protocol::records::{Compression, Header};
use serde_json::json;
use storage::{MAX_TOPIC_NAME_BYTES, is_topic_name};

use crate::arguments::{Output, key_value};
use crate::connect::Connect;
use crate::output::{Table, print_json};
use crate::progress::Progress;
use line::LineFormat;

/// Deliveries that nobody has looked at yet; past it the oldest is awaited.
const UNSEEN_MAX: usize = 100_000;

/// Write records: one a line, from stdin or a file.
#[derive(Args)]
pub struct ProduceArguments {
    #[command(flatten)]
    connect: Connect,
    /// The topic to write to.
    #[arg(value_name = "TOPIC", required_unless_present = "named")]
    topic: Option<String>,
    /// The topic, as Kafka's tools take it.
    #[arg(long = "topic", id = "named", value_name = "TOPIC", conflicts_with = "topic")]
    named: Option<String>,
    /// Read lines from this file instead of stdin.
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,
    /// Lines are KEY, this separator, VALUE.
    #[arg(short = 'K', long, value_name = "SEPARATOR")]
    key_separator: Option<String>,
    /// A key or value that is written like this is null.
    #[arg(long, value_name = "TEXT")]
    null_marker: Option<String>,
    /// As Kafka's tools take it: parse.key=true, key.separator=…, null.marker=…; may be given again.
    #[arg(long = "property", visible_alias = "reader-property", value_name = "NAME=VALUE", value_parser = key_value)]
    properties: Vec<(String, String)>,
    /// A header of every record; may be given again.
    #[arg(short = 'H', long = "header", value_name = "NAME=VALUE", value_parser = key_value)]
    headers: Vec<(String, String)>,
    /// The partition of every record; if not given the key decides, or chance.
    #[arg(long, value_parser = clap::value_parser!(i32).range(0..))]
    partition: Option<i32>,
    /// How the records of a batch are packed: none, gzip, snappy, lz4 or zstd.
    #[arg(long, visible_alias = "compression-codec", default_value_t)]
    compression: Compression,
    /// Which replicas must have a record before it counts as written.
    #[arg(long, visible_alias = "request-required-acks", value_enum, default_value = "all")]
    acks: AcksArgument,
    /// How long a batch waits for more records, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 5)]
    linger_ms: u64,
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

#[derive(Clone, Copy, ValueEnum)]
enum AcksArgument {
    #[value(name = "0", alias = "none")]
    None,
    #[value(name = "1", alias = "leader")]
    Leader,
    #[value(name = "all", alias = "-1")]
    All,
}

pub async fn run(arguments: ProduceArguments) -> anyhow::Result<()> {
    arguments.check_topic()?;
    let format = LineFormat::new(&arguments)?;
    let mut lines = input::lines(arguments.file.as_deref())?;
    let producer = Producer::new(arguments.connect.cluster().await?, arguments.config());
    let mut written = Written::default();
    let mut progress = Progress::begin(false);
    while let Some(batch) = lines.recv().await {
        for line in batch? {
            let record = format.record(line, now_ms())?;
            progress.add(record.value.as_ref().map_or(0, |value| value.len()));
            written.expect(producer.send(record).await?).await?;
        }
    }
    producer.flush().await?;
    written.settle().await?;
    progress.end();
    written.print(arguments.output)
}

impl ProduceArguments {
    /// Without a single line nobody else would look at the name.
    fn check_topic(&self) -> anyhow::Result<()> {
        let topic = self.topic();
        ensure!(
            is_topic_name(topic),
            "'{topic}' is no name for a topic: letters, digits, '.', '_' and '-' are allowed, {MAX_TOPIC_NAME_BYTES} at most"
        );
        Ok(())
    }

    fn config(&self) -> ProducerConfig {
        let acks = match self.acks {
            AcksArgument::None => Acks::None,
            AcksArgument::Leader => Acks::Leader,
            AcksArgument::All => Acks::All,
        };
        ProducerConfig {
            acks,
            compression: self.compression,
            linger: Duration::from_millis(self.linger_ms),
            idempotent: acks == Acks::All,
            ..ProducerConfig::default()
        }
    }

    fn topic(&self) -> &str {
        self.topic.as_deref().or(self.named.as_deref()).unwrap_or_default()
    }

    fn headers(&self) -> Vec<Header> {
        let header = |(name, value): &(String, String)| Header {
            key: name.clone().into(),
            value: Some(value.clone().into()),
        };
        self.headers.iter().map(header).collect()
    }
}

/// What was acknowledged, by partition.
#[derive(Default)]
struct Written {
    unseen: VecDeque<Delivery>,
    partitions: BTreeMap<TopicPartition, Tally>,
}

#[derive(Default)]
struct Tally {
    records: u64,
    first_offset: Option<i64>,
    last_offset: Option<i64>,
}

impl Written {
    async fn expect(&mut self, delivery: Delivery) -> Result<(), client::Error> {
        self.unseen.push_back(delivery);
        if self.unseen.len() > UNSEEN_MAX
            && let Some(oldest) = self.unseen.pop_front()
        {
            self.count(&oldest.await?);
        }
        Ok(())
    }

    async fn settle(&mut self) -> Result<(), client::Error> {
        while let Some(delivery) = self.unseen.pop_front() {
            self.count(&delivery.await?);
        }
        Ok(())
    }

    fn count(&mut self, record: &RecordMetadata) {
        let tally = self.partitions.entry(record.partition.clone()).or_default();
        tally.records += 1;
        tally.first_offset = tally.first_offset.or(record.offset);
        tally.last_offset = record.offset.or(tally.last_offset);
    }

    fn print(&self, output: Output) -> anyhow::Result<()> {
        match output {
            Output::Table => self.table().print(),
            Output::Json => print_json(&self.json()),
        }
    }

    fn table(&self) -> Table {
        let mut table = Table::new(["TOPIC", "PARTITION", "RECORDS", "FIRST-OFFSET", "LAST-OFFSET"]);
        let offset = |offset: Option<i64>| offset.map_or("-".to_owned(), |offset| offset.to_string());
        for (TopicPartition { topic, partition }, tally) in &self.partitions {
            let Tally { records, first_offset, last_offset } = tally;
            let (first, last) = (offset(*first_offset), offset(*last_offset));
            table.row([topic.to_string(), partition.to_string(), records.to_string(), first, last]);
        }
        table
    }

    fn json(&self) -> serde_json::Value {
        let row = |(partition, tally): (&TopicPartition, &Tally)| {
            json!({
                "topic": &*partition.topic,
                "partition": partition.partition,
                "records": tally.records,
                "first_offset": tally.first_offset,
                "last_offset": tally.last_offset,
            })
        };
        self.partitions.iter().map(row).collect()
    }
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
