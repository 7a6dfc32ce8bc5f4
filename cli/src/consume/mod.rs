//! `milena consume`: records to stdout, from where one likes to where one likes.
//!
//! * `start`: where to begin. Pure.
//! * `print`: how a record looks. Pure.

mod print;
mod start;

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::{Args, ValueEnum};
use client::{
    Cluster, Consumer, ConsumerConfig, ConsumerRecord, GroupConfig, IsolationLevel, OffsetSpec,
    TopicPartition,
};

use crate::arguments::{Output, key_value};
use crate::connect::Connect;
use crate::progress::Progress;
use print::RecordFormat;

/// How long to wait for records before looking whether to go on.
const POLL: Duration = Duration::from_millis(500);
/// How often a group's progress is stored while it reads.
const COMMIT_EVERY: Duration = Duration::from_secs(5);

/// Read records to stdout; to the end of the topic as it is now, or for ever.
#[derive(Args)]
pub struct ConsumeArguments {
    #[command(flatten)]
    connect: Connect,
    /// The topic to read.
    #[arg(value_name = "TOPIC", required_unless_present = "named")]
    topic: Option<String>,
    /// The topic, as Kafka's tools take it.
    #[arg(long = "topic", id = "named", value_name = "TOPIC", conflicts_with = "topic")]
    named: Option<String>,
    /// Only this partition; may be given again.
    #[arg(long = "partition", value_parser = clap::value_parser!(i32).range(0..), conflicts_with = "group")]
    partitions: Vec<i32>,
    /// Where to begin: earliest, latest, an offset, a time (2026-11-22T10:00:00Z, or @ and milliseconds since 1970).
    /// If not given: latest with --follow, else earliest. A group begins here where it has committed nothing.
    #[arg(long, visible_alias = "offset", value_name = "WHERE", value_parser = start::parse)]
    from: Option<OffsetSpec>,
    /// The same as --from earliest.
    #[arg(long, conflicts_with = "from")]
    from_beginning: bool,
    /// Go on at the end, waiting for more.
    #[arg(short = 'f', long)]
    follow: bool,
    /// Read as a member of this group, which remembers how far it came.
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// Stop after so many records.
    #[arg(short = 'n', long, value_name = "N")]
    max_messages: Option<u64>,
    /// Whether records of open transactions are seen.
    #[arg(long, value_enum, default_value = "read_uncommitted")]
    isolation_level: Isolation,
    /// What to print of a record, as Kafka's tools take it: print.key=true, print.offset, print.partition,
    /// print.timestamp, print.headers, print.value, key.separator=…, line.separator=…, null.literal=…
    #[arg(long = "property", visible_alias = "formatter-property", value_name = "NAME=VALUE", value_parser = key_value)]
    properties: Vec<(String, String)>,
    /// table: the values, and what --property asks for, a record a line. json: everything, an object a line.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

#[derive(Clone, Copy, ValueEnum)]
enum Isolation {
    #[value(name = "read_uncommitted")]
    ReadUncommitted,
    #[value(name = "read_committed")]
    ReadCommitted,
}

pub async fn run(arguments: ConsumeArguments) -> anyhow::Result<()> {
    let format = RecordFormat::new(arguments.output, &arguments.properties)?;
    let cluster = arguments.connect.cluster().await?;
    // A topic that does not exist is better said at once than never read.
    let topic = cluster.topic(arguments.topic()).await?;
    let consumer = arguments.consumer(&cluster, topic.partitions.len())?;
    let mut reading = Reading {
        cluster,
        consumer,
        ends: HashMap::new(),
        left: arguments.max_messages.unwrap_or(u64::MAX),
        follow: arguments.follow,
        isolation: arguments.isolation(),
        format,
        progress: Progress::begin(true),
    };
    // A group is left in good order: the second signal ends the process at once.
    let shutdown = node::shutdown::on_signals().context("cannot listen for signals")?;
    let outcome = tokio::select! {
        outcome = reading.run() => outcome,
        () = shutdown.requested() => Ok(()),
    };
    reading.progress.end();
    let committed = reading.consumer.commit().await;
    let closed = reading.consumer.close().await;
    outcome?;
    Ok(committed.and(closed)?)
}

impl ConsumeArguments {
    fn topic(&self) -> &str {
        self.topic.as_deref().or(self.named.as_deref()).unwrap_or_default()
    }

    fn start(&self) -> OffsetSpec {
        match self.from {
            Some(from) => from,
            None if self.from_beginning || !self.follow => OffsetSpec::Earliest,
            None => OffsetSpec::Latest,
        }
    }

    fn isolation(&self) -> IsolationLevel {
        match self.isolation_level {
            Isolation::ReadUncommitted => IsolationLevel::ReadUncommitted,
            Isolation::ReadCommitted => IsolationLevel::ReadCommitted,
        }
    }

    fn consumer(&self, cluster: &Cluster, partitions: usize) -> anyhow::Result<Consumer> {
        let (isolation, offset_reset) = (self.isolation(), self.start());
        let config = ConsumerConfig { isolation, offset_reset, ..ConsumerConfig::default() };
        if let Some(group) = &self.group {
            let group = GroupConfig::new(group, [self.topic().to_owned()]);
            return Ok(Consumer::subscribed(cluster.clone(), config, group));
        }
        let chosen = match &self.partitions[..] {
            [] => (0..partitions as i32).collect(),
            chosen => chosen.to_vec(),
        };
        let begin = |partition| (TopicPartition::new(self.topic(), partition), self.start());
        Ok(Consumer::assigned(cluster.clone(), config, chosen.into_iter().map(begin)))
    }
}

struct Reading {
    cluster: Cluster,
    consumer: Consumer,
    /// Where each partition ended when it was first seen; there the reading stops, unless it follows.
    ends: HashMap<TopicPartition, i64>,
    left: u64,
    follow: bool,
    isolation: IsolationLevel,
    format: RecordFormat,
    progress: Progress,
}

impl Reading {
    async fn run(&mut self) -> anyhow::Result<()> {
        let mut commit_at = Instant::now() + COMMIT_EVERY;
        while self.left > 0 {
            self.learn_ends().await?;
            let records = self.consumer.poll(POLL).await?;
            self.print(records)?;
            if Instant::now() >= commit_at {
                self.consumer.commit().await?;
                commit_at = Instant::now() + COMMIT_EVERY;
            }
            if self.is_at_the_end().await? {
                break;
            }
        }
        Ok(())
    }

    fn print(&mut self, records: Vec<ConsumerRecord>) -> anyhow::Result<()> {
        let mut text = Vec::new();
        let mut unread = BTreeMap::new();
        for record in records {
            let at = (record.record.offset.0, &record.partition);
            if self.left == 0 || self.is_past_the_end(at) {
                unread.entry(record.partition).or_insert(record.record.offset.0);
                continue;
            }
            self.left -= 1;
            self.progress.add(record.record.value.as_ref().map_or(0, |value| value.len()));
            self.format.write(&record, &mut text);
        }
        // What was not printed is not read: a group goes on there.
        for (partition, offset) in unread {
            self.consumer.seek(&partition, offset);
        }
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(&text).and_then(|()| stdout.flush()).context("cannot write to stdout")
    }

    fn is_past_the_end(&self, (offset, partition): (i64, &TopicPartition)) -> bool {
        !self.follow && self.ends.get(partition).is_some_and(|end| offset >= *end)
    }

    /// Looks where partitions end that were not read before.
    async fn learn_ends(&mut self) -> anyhow::Result<()> {
        let unknown = self.consumer.assignment().filter(|partition| !self.ends.contains_key(partition));
        let asked: Vec<_> = unknown.map(|partition| (partition.clone(), OffsetSpec::Latest)).collect();
        if !self.follow && !asked.is_empty() {
            let ends = self.cluster.offsets(self.isolation, &asked).await?;
            self.ends.extend(ends.into_iter().filter_map(|(partition, end)| Some((partition, end?))));
        }
        Ok(())
    }

    async fn is_at_the_end(&mut self) -> anyhow::Result<bool> {
        if self.follow {
            return Ok(false);
        }
        self.learn_ends().await?;
        let ended = |at: &TopicPartition| self.consumer.position(at) >= self.ends.get(at).copied();
        Ok(self.consumer.assignment().all(ended))
    }
}
