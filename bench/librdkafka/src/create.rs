//! Creates topics and waits until the cluster names a leader for each of their partitions.
//!
//! A refusal that says no more than "not now" is tried again: how long the cluster has nobody who creates is a figure.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use futures_executor::block_on;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::KafkaError;
use rdkafka::metadata::Metadata;
use rdkafka::types::RDKafkaErrorCode;
use serde_json::{Value, json};

use crate::client::{Target, result};

const METADATA_TIMEOUT: Duration = Duration::from_secs(120);
const CREATE_TIMEOUT: Duration = Duration::from_secs(120);
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
    /// A configuration of the topics; may be given many times
    #[arg(long = "config", value_name = "KEY=VALUE")]
    configs: Vec<String>,
    /// What one request may take
    #[arg(long, default_value_t = 120_000)]
    request_timeout_ms: u64,
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
    let timeout = Some(Duration::from_millis(arguments.request_timeout_ms));
    let options = AdminOptions::new().request_timeout(timeout).operation_timeout(timeout);
    for name in &arguments.topics {
        let mut topic =
            NewTopic::new(name, arguments.partitions, TopicReplication::Fixed(arguments.replicas));
        for given in &arguments.configs {
            let (key, value) = given.split_once('=').with_context(|| format!("--config {given}: no '='"))?;
            topic = topic.set(key, value);
        }
        let began = Instant::now();
        while let Err(code) = create_once(admin, &topic, &options)? {
            ensure!(began.elapsed() < CREATE_TIMEOUT, "{name}: {code}");
            std::thread::sleep(PAUSE);
        }
    }
    Ok(())
}

/// The refusal, if another try may have another end. A topic that stands was created by a try whose answer was lost.
fn create_once(
    admin: &AdminClient<DefaultClientContext>,
    topic: &NewTopic<'_>,
    options: &AdminOptions,
) -> Result<Result<(), RDKafkaErrorCode>> {
    let outcomes = match block_on(admin.create_topics([topic], options)) {
        Ok(outcomes) => outcomes,
        Err(KafkaError::AdminOp(code)) if is_passing(code) => return Ok(Err(code)),
        Err(error) => bail!(error),
    };
    for outcome in outcomes {
        match outcome {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((_, code)) if is_passing(code) => return Ok(Err(code)),
            Err((name, code)) => bail!("{name}: {code}"),
        }
    }
    Ok(Ok(()))
}

fn is_passing(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode::{
        BrokerNotAvailable, BrokerTransportFailure, NotController, OperationTimedOut, RequestTimedOut,
    };
    matches!(
        code,
        BrokerNotAvailable | BrokerTransportFailure | NotController | OperationTimedOut | RequestTimedOut
    )
}

fn await_leaders(
    admin: &AdminClient<DefaultClientContext>,
    configuration: &ClientConfig,
    arguments: &Arguments,
) -> Result<()> {
    let wanted = arguments.topics.len() * usize::try_from(arguments.partitions)?;
    let names: BTreeSet<&str> = arguments.topics.iter().map(String::as_str).collect();
    // All topics of a large cluster are much to ask for because of one.
    let asked = arguments.topics.first().map(String::as_str).filter(|_| names.len() == 1);
    let began = Instant::now();
    loop {
        let metadata = admin.inner().fetch_metadata(asked, METADATA_TIMEOUT)?;
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
