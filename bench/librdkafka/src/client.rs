//! What every load shares: whom it speaks to, librdkafka's settings, and the part of the result that names them.

use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::util::get_rdkafka_version;
use serde_json::{Value, json};

/// The cluster, and what is set otherwise than the load sets it.
#[derive(clap::Args)]
pub struct Target {
    /// The brokers, host:port, comma-separated
    #[arg(long)]
    bootstrap: String,
    /// A setting of librdkafka, over those of the load; may be given many times
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
}

/// One of the cluster's topics, which the load spreads over all its partitions.
#[derive(clap::Args)]
pub struct Topic {
    #[command(flatten)]
    pub target: Target,
    #[arg(long = "topic")]
    pub name: String,
    #[arg(long, default_value_t = 4)]
    pub partitions: i32,
}

impl Target {
    /// librdkafka's configuration: the load's settings, then the overrides.
    pub fn configuration(&self, settings: &[(&str, &str)]) -> Result<ClientConfig> {
        let mut configuration = ClientConfig::new();
        // It says nothing of that level unless `debug` is set.
        configuration.set_log_level(RDKafkaLogLevel::Debug);
        configuration.set("bootstrap.servers", &self.bootstrap);
        for (key, value) in settings {
            configuration.set(*key, *value);
        }
        for given in &self.overrides {
            let (key, value) = given.split_once('=').with_context(|| format!("--set {given}: no '='"))?;
            configuration.set(key, value);
        }
        Ok(configuration)
    }
}

/// The result's line: `figures`, and under which version and settings they came about.
pub fn result(configuration: &ClientConfig, mut figures: Value) -> Result<Value> {
    let mut settings = configuration.config_map();
    settings.remove("bootstrap.servers");
    figures["settings"] = json!(settings);
    figures["librdkafka"] = json!(get_rdkafka_version().1);
    figures["cpu_seconds"] = json!(cpu_seconds()?);
    Ok(figures)
}

/// What this process has used of the CPU, user and system.
fn cpu_seconds() -> Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(micros as f64 / 1e6)
}

/// How many records of a topic stand, as its first and last offsets tell.
pub fn standing_records(consumer: &BaseConsumer, topic: &Topic) -> Result<u64> {
    const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
    let mut records = 0;
    for partition in 0..topic.partitions {
        let (low, high) = consumer.fetch_watermarks(&topic.name, partition, REQUEST_TIMEOUT)?;
        records += u64::try_from(high - low)?;
    }
    Ok(records)
}

/// A value of `size` random bytes, the same in every run.
pub fn value(size: usize) -> Vec<u8> {
    const SEED: u64 = 1;
    let mut random = fastrand::Rng::with_seed(SEED);
    (0..size).map(|_| random.u8(..)).collect()
}
