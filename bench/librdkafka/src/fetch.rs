//! Reads a whole topic, from the first record that stands to the last, without a group.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Message, Offset, TopicPartitionList};
use serde_json::{Value, json};

use crate::client::{Topic, result, standing_records};

/// librdkafka's own waits are cut short, so that the broker is what limits: with its default of a second a full
/// prefetch queue would idle both.
const SETTINGS: [(&str, &str); 5] = [
    ("group.id", "bench"),
    ("enable.auto.commit", "false"),
    ("fetch.queue.backoff.ms", "1"),
    ("fetch.min.bytes", "1"),
    ("fetch.wait.max.ms", "500"),
];

/// A broker that sends nothing for so long has lost something.
const SILENCE_MAX: Duration = Duration::from_secs(20);

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    topic: Topic,
    /// How often everything is read
    #[arg(long, default_value_t = 1)]
    passes: u32,
}

/// `seconds`: from the assignment to the last record.
pub fn run(arguments: &Arguments) -> Result<Value> {
    let configuration = arguments.topic.target.configuration(&SETTINGS)?;
    let consumer: BaseConsumer = configuration.create()?;
    let wanted = standing_records(&consumer, &arguments.topic)?;
    let mut bytes = 0;
    let began = Instant::now();
    for _ in 0..arguments.passes {
        bytes += read_all(&consumer, arguments, wanted)?;
    }
    let seconds = began.elapsed().as_secs_f64();
    let records = wanted * u64::from(arguments.passes);
    result(&configuration, json!({"records": records, "bytes": bytes, "seconds": seconds}))
}

fn read_all(consumer: &BaseConsumer, arguments: &Arguments, wanted: u64) -> Result<u64> {
    let mut assignment = TopicPartitionList::new();
    for partition in 0..arguments.topic.partitions {
        assignment.add_partition_offset(&arguments.topic.name, partition, Offset::Beginning)?;
    }
    consumer.assign(&assignment)?;
    let mut bytes = 0;
    for _ in 0..wanted {
        let message =
            consumer.poll(SILENCE_MAX).with_context(|| format!("nothing for {SILENCE_MAX:?}"))??;
        let value = message.payload().context("a record without a value")?;
        bytes += value.len() as u64;
    }
    consumer.unassign()?;
    ensure!(bytes > 0, "{} is empty", arguments.topic.name);
    Ok(bytes)
}
