//! Creates topics and waits until the cluster names a leader for each of their partitions.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use futures_executor::block_on;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::metadata::Metadata;
use serde_json::{Value, json};

use crate::client::{Target, result};

const REQUEST_TIMEOUT: Duration = Duration::from_secs(120);
const LEADERS_TIMEOUT: Duration = Duration::from_secs(300);
const PAUSE: Duration = Duration::from_millis(10);

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    target: Target,
    /// The topics' names
    #[arg(long, required = true, num_args = 1..)]
    topics: Vec<String>,
    /// Partitions of each topic
    #[arg(long, default_value_t = 4)]
    partitions: i32,
    /// Replicas of each partition
    #[arg(long, default_value_t = 1)]
    replicas: i32,
}

/// `created_seconds`: until the last answer; `led_seconds`: until Metadata names every leader.
pub fn run(arguments: &Arguments) -> Result<Value> {
    let configuration = arguments.target.configuration(&[])?;
    let admin: AdminClient<DefaultClientContext> = configuration.create()?;
    let began = Instant::now();
    create(&admin, arguments)?;
    let created = began.elapsed();
    await_leaders(&admin, &configuration, arguments)?;
    let led = began.elapsed();
    let figures = json!({"created_seconds": created.as_secs_f64(), "led_seconds": led.as_secs_f64()});
    result(&configuration, figures)
}

/// One request for each topic: Kafka refuses 10,000 partitions in one.
fn create(admin: &AdminClient<DefaultClientContext>, arguments: &Arguments) -> Result<()> {
    let options =
        AdminOptions::new().request_timeout(Some(REQUEST_TIMEOUT)).operation_timeout(Some(REQUEST_TIMEOUT));
    for name in &arguments.topics {
        let topic = NewTopic::new(name, arguments.partitions, TopicReplication::Fixed(arguments.replicas));
        for outcome in block_on(admin.create_topics([&topic], &options))? {
            outcome.map_err(|(name, code)| anyhow!("{name}: {code}"))?;
        }
    }
    Ok(())
}

fn await_leaders(
    admin: &AdminClient<DefaultClientContext>,
    configuration: &ClientConfig,
    arguments: &Arguments,
) -> Result<()> {
    let wanted = arguments.topics.len() * usize::try_from(arguments.partitions)?;
    let names: BTreeSet<&str> = arguments.topics.iter().map(String::as_str).collect();
    let began = Instant::now();
    loop {
        let metadata = admin.inner().fetch_metadata(None, REQUEST_TIMEOUT)?;
        let led = led_partitions(&metadata, &names);
        if led == wanted {
            return Ok(());
        }
        let servers = configuration.get("bootstrap.servers").unwrap_or_default();
        ensure!(began.elapsed() < LEADERS_TIMEOUT, "{servers}: {led} of {wanted} partitions have a leader");
        std::thread::sleep(PAUSE);
    }
}

fn led_partitions(metadata: &Metadata, names: &BTreeSet<&str>) -> usize {
    let topics = metadata.topics().iter().filter(|topic| names.contains(topic.name()));
    topics.flat_map(|topic| topic.partitions()).filter(|partition| partition.leader() >= 0).count()
}
