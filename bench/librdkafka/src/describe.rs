//! Who leads each partition of a topic, once every ISR has the wanted size.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::metadata::MetadataPartition;
use serde_json::{Value, json};

use crate::client::{Topic, result};

const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Rare enough that the asking does not show in what is measured meanwhile.
const PAUSE: Duration = Duration::from_millis(50);

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    topic: Topic,
    /// Members of every ISR
    #[arg(long)]
    isr: usize,
    /// How long it may take until the ISRs have that size
    #[arg(long, default_value_t = 120)]
    patience_seconds: u64,
}

/// `leaders`: a broker id for each partition, in their order.
pub fn run(arguments: &Arguments) -> Result<Value> {
    let configuration =
        arguments.topic.target.configuration(&[("topic.metadata.refresh.interval.ms", "-1")])?;
    let client: BaseConsumer = configuration.create()?;
    let began = Instant::now();
    loop {
        let leaders = leaders(&client, arguments);
        if let Ok(Some(leaders)) = &leaders {
            return result(&configuration, json!({"leaders": leaders}));
        }
        let patience = Duration::from_secs(arguments.patience_seconds);
        ensure!(
            began.elapsed() < patience,
            "{}: no ISRs of {} within {patience:?}: {leaders:?}",
            arguments.topic.name,
            arguments.isr
        );
        std::thread::sleep(PAUSE);
    }
}

/// The leaders, if all partitions have one and the wanted ISR.
fn leaders(client: &BaseConsumer, arguments: &Arguments) -> Result<Option<Vec<i32>>> {
    let metadata = client.fetch_metadata(Some(&arguments.topic.name), REQUEST_TIMEOUT)?;
    let topic = metadata.topics().first().context("no such topic")?;
    let mut partitions: Vec<&MetadataPartition> = topic.partitions().iter().collect();
    partitions.sort_by_key(|partition| partition.id());
    let is_settled =
        |partition: &&MetadataPartition| partition.leader() >= 0 && partition.isr().len() == arguments.isr;
    let are_all = i32::try_from(partitions.len()) == Ok(arguments.topic.partitions);
    let all = are_all && partitions.iter().all(is_settled);
    Ok(all.then(|| partitions.iter().map(|partition| partition.leader()).collect()))
}
