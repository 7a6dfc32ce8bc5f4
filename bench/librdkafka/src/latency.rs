//! Writes at a steady rate, each record in a batch of its own, and times the way to its acknowledgement.

use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use rdkafka::ClientContext;
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer};
use serde_json::{Value, json};

use crate::client::{Topic, result, value};

const SETTINGS: [(&str, &str); 4] =
    [("acks", "all"), ("linger.ms", "0"), ("compression.type", "none"), ("enable.idempotence", "false")];

const FLUSH_TIMEOUT: Duration = Duration::from_secs(120);

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    topic: Topic,
    #[arg(long, default_value_t = 1024)]
    size: usize,
    /// Records a second
    #[arg(long, default_value_t = 1000)]
    rate: u32,
    /// How long it is measured
    #[arg(long, default_value_t = 10)]
    seconds: u32,
    /// What is sent, and not measured, before
    #[arg(long, default_value_t = 3)]
    warm_up_seconds: u32,
}

/// Latencies in milliseconds, from the call that sends to the callback that acknowledges.
pub fn run(arguments: &Arguments) -> Result<Value> {
    ensure!(arguments.rate > 0 && arguments.topic.partitions > 0, "--rate and --partitions are at least 1");
    let configuration = arguments.topic.target.configuration(&SETTINGS)?;
    let producer: ThreadedProducer<Stopwatch> = configuration.create_with_context(Stopwatch::default())?;
    send_steadily(&producer, arguments)?;
    producer.flush(FLUSH_TIMEOUT)?;
    let measured = arguments.rate * arguments.seconds;
    let latencies = producer.context().latencies(measured as usize)?;
    let quantile = |share: f64| in_ms(latencies[((latencies.len() - 1) as f64 * share) as usize]);
    let figures = json!({
        "records": latencies.len(),
        "p50_ms": quantile(0.50), "p99_ms": quantile(0.99), "p999_ms": quantile(0.999), "max_ms": quantile(1.0),
    });
    result(&configuration, figures)
}

fn send_steadily(producer: &ThreadedProducer<Stopwatch>, arguments: &Arguments) -> Result<()> {
    let value = value(arguments.size);
    let interval = Duration::from_secs(1) / arguments.rate;
    let unmeasured = arguments.rate * arguments.warm_up_seconds;
    let all = unmeasured + arguments.rate * arguments.seconds;
    let mut partitions = (0..arguments.topic.partitions).cycle();
    let began = Instant::now();
    for number in 0..all {
        thread::sleep((began + interval * number).saturating_duration_since(Instant::now()));
        let sent = (number >= unmeasured).then(Instant::now);
        let record = BaseRecord::with_opaque_to(&arguments.topic.name, Box::new(sent));
        let record = record.partition(partitions.next().unwrap_or_default()).payload(&value);
        let record: BaseRecord<'_, (), _, _> = record;
        producer.send(record).map_err(|(error, _)| error)?;
    }
    Ok(())
}

fn in_ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// The latency of every acknowledged record; the first failure in its place.
struct Stopwatch(Mutex<Result<Vec<Duration>>>);

impl Default for Stopwatch {
    fn default() -> Stopwatch {
        Stopwatch(Mutex::new(Ok(Vec::new())))
    }
}

impl Stopwatch {
    fn latencies(&self, wanted: usize) -> Result<Vec<Duration>> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut latencies = std::mem::replace(&mut *taken, Ok(Vec::new()))?;
        ensure!(latencies.len() == wanted, "{} of {wanted} records were acknowledged", latencies.len());
        latencies.last().context("nothing was measured: --seconds is 0")?;
        latencies.sort_unstable();
        Ok(latencies)
    }
}

impl ClientContext for Stopwatch {}

impl ProducerContext for Stopwatch {
    /// When the record was sent; none for the warm-up.
    type DeliveryOpaque = Box<Option<Instant>>;

    fn delivery(&self, delivery: &DeliveryResult<'_>, sent: Self::DeliveryOpaque) {
        let latency = sent.map(|sent| sent.elapsed());
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (delivery, latency, state.as_mut()) {
            (Err((error, _)), _, Ok(_)) => *state = Err(anyhow!("a record was not acknowledged: {error}")),
            (Ok(_), Some(latency), Ok(latencies)) => latencies.push(latency),
            _ => {}
        }
    }
}
