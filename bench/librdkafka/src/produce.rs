//! Writes as fast as the broker acknowledges: large batches, acks=all, every acknowledgement counted.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use rdkafka::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};
use serde_json::{Value, json};

use crate::client::{Topic, result, value};

const SETTINGS: [(&str, &str); 8] = [
    ("acks", "all"),
    ("linger.ms", "5"),
    ("batch.size", "1000000"),
    ("batch.num.messages", "1000000"),
    ("compression.type", "none"),
    ("enable.idempotence", "false"),
    ("queue.buffering.max.messages", "1000000"),
    ("queue.buffering.max.kbytes", "262144"),
];

/// Acknowledgements are taken up at least this often.
const RECORDS_PER_POLL: u64 = 1000;
/// How long a full queue waits for acknowledgements before the next try.
const FULL_QUEUE_PAUSE: Duration = Duration::from_millis(1);
const FLUSH_TIMEOUT: Duration = Duration::from_secs(120);

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    topic: Topic,
    /// Bytes of one record's value
    #[arg(long, default_value_t = 1024)]
    size: usize,
    /// Bytes of all values
    #[arg(long, default_value_t = 2_000_000_000)]
    bytes: u64,
}

/// `seconds`: from the first record to the last acknowledgement.
pub fn run(arguments: &Arguments) -> Result<Value> {
    ensure!(arguments.size > 0 && arguments.topic.partitions > 0, "--size and --partitions are at least 1");
    let configuration = arguments.topic.target.configuration(&SETTINGS)?;
    let producer: BaseProducer<Acknowledgements> =
        configuration.create_with_context(Acknowledgements::default())?;
    let records = arguments.bytes.div_ceil(arguments.size as u64);
    let began = Instant::now();
    send_all(&producer, arguments, records)?;
    producer.flush(FLUSH_TIMEOUT)?;
    let seconds = began.elapsed().as_secs_f64();
    producer.context().check(records)?;
    let bytes = records * arguments.size as u64;
    result(&configuration, json!({"records": records, "bytes": bytes, "seconds": seconds}))
}

fn send_all(producer: &BaseProducer<Acknowledgements>, arguments: &Arguments, records: u64) -> Result<()> {
    let value = value(arguments.size);
    let mut partitions = (0..arguments.topic.partitions).cycle();
    for number in 0..records {
        let partition = partitions.next().unwrap_or_default();
        send(producer, BaseRecord::to(&arguments.topic.name).partition(partition).payload(&value))?;
        if number % RECORDS_PER_POLL == 0 {
            producer.poll(Duration::ZERO);
        }
    }
    Ok(())
}

fn send(producer: &BaseProducer<Acknowledgements>, mut record: BaseRecord<'_, (), Vec<u8>>) -> Result<()> {
    loop {
        match producer.send(record) {
            Ok(()) => return Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => record = back,
            Err((error, _)) => bail!(error),
        }
        producer.poll(FULL_QUEUE_PAUSE);
    }
}

/// How many records were acknowledged, and the first failure.
#[derive(Default)]
struct Acknowledgements {
    count: AtomicU64,
    failure: OnceLock<KafkaError>,
}

impl Acknowledgements {
    fn check(&self, records: u64) -> Result<()> {
        if let Some(failure) = self.failure.get() {
            bail!("a record was not acknowledged: {failure}");
        }
        let count = self.count.load(Ordering::Relaxed);
        ensure!(count == records, "{count} of {records} records were acknowledged");
        Ok(())
    }
}

impl ClientContext for Acknowledgements {}

impl ProducerContext for Acknowledgements {
    type DeliveryOpaque = ();

    fn delivery(&self, delivery: &DeliveryResult<'_>, (): ()) {
        match delivery {
            Ok(_) => {
                self.count.fetch_add(1, Ordering::Relaxed);
            }
            Err((error, _)) => {
                self.failure.get_or_init(|| error.clone());
            }
        }
    }
}
