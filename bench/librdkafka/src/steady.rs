//! Writes at a steady rate to every partition of a topic until stdin ends, and logs when each record was acknowledged.
//!
//! Whoever holds stdin writes words there (`kill 1`), which are put into the log with the time at which they came: one
//! clock for acknowledgements and for what was done to the cluster. `flowing` on stdout says that every partition has had
//! its first acknowledgement. Times are microseconds since the first record. Lines:
//! `ack PARTITION SENT ACKNOWLEDGED`, `fail PARTITION SENT FAILED REASON`, `mark TIME WORDS`, and with `--stalls`
//! `stall FROM TO`, when a processor of the machine stood still.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, Write, stdin};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::BaseConsumer;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer};
use serde_json::{Value, json};

use crate::client::{Topic, result, standing_records, value};
use crate::stalls;

/// Short back-offs, so that what shows is the cluster. Idempotent, so that what is tried again stands once.
const SETTINGS: [(&str, &str); 9] = [
    ("acks", "all"),
    ("linger.ms", "0"),
    ("compression.type", "none"),
    ("enable.idempotence", "true"),
    ("retry.backoff.ms", "10"),
    ("retry.backoff.max.ms", "50"),
    ("reconnect.backoff.ms", "10"),
    ("reconnect.backoff.max.ms", "50"),
    ("topic.metadata.refresh.fast.interval.ms", "10"),
];

const FLUSH_TIMEOUT: Duration = Duration::from_secs(120);
/// How long a full queue waits before the next try.
const FULL_QUEUE_PAUSE: Duration = Duration::from_millis(1);
/// Room for the log of a quarter of an hour at a thousand records a second, so that it seldom moves.
const LOG_BYTES: usize = 64 << 20;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    topic: Topic,
    #[arg(long, default_value_t = 1024)]
    size: usize,
    /// Records a second, to all partitions together
    #[arg(long)]
    rate: u32,
    /// Where the log goes
    #[arg(long)]
    log: PathBuf,
    /// Watches for stalls of the machine itself; needs the right to SCHED_FIFO
    #[arg(long)]
    stalls: bool,
}

/// `standing`: by how many records the topic grew, which the acknowledged ones must equal.
pub fn run(arguments: &Arguments) -> Result<Value> {
    ensure!(arguments.rate > 0 && arguments.topic.partitions > 0, "--rate and --partitions are at least 1");
    let before = standing(arguments)?;
    let configuration = arguments.topic.target.configuration(&SETTINGS)?;
    let journal = Arc::new(Journal::create(arguments)?);
    if arguments.stalls {
        let journal = Arc::clone(&journal);
        stalls::watch(move |from, to| {
            journal.write(format_args!("stall {} {}", journal.at(from), journal.at(to)));
        })?;
    }
    let ended = Arc::new(AtomicBool::new(false));
    let producer: ThreadedProducer<Acknowledgements> =
        configuration.create_with_context(Acknowledgements(Arc::clone(&journal)))?;
    let words = listen(Arc::clone(&journal), Arc::clone(&ended));
    let sent = send_steadily(&producer, arguments, &journal, &ended)?;
    producer.flush(FLUSH_TIMEOUT)?;
    ensure!(words.join().is_ok(), "the thread that reads stdin panicked");
    journal.finish()?;
    let figures = json!({
        "sent": sent,
        "acknowledged": journal.acknowledged.load(Ordering::Relaxed),
        "failed": journal.failed.load(Ordering::Relaxed),
        "standing": standing(arguments)?.saturating_sub(before),
    });
    result(&configuration, figures)
}

/// Notes what is said on stdin, and its end.
fn listen(journal: Arc<Journal>, ended: Arc<AtomicBool>) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        for words in stdin().lock().lines().map_while(Result::ok) {
            journal.write(format_args!("mark {} {words}", journal.now()));
        }
        ended.store(true, Ordering::Relaxed);
    })
}

/// A stall is made up for at once, so that no partition is spared for having stalled. Returns how many were sent.
fn send_steadily(
    producer: &ThreadedProducer<Acknowledgements>,
    arguments: &Arguments,
    journal: &Journal,
    ended: &AtomicBool,
) -> Result<u64> {
    let value = value(arguments.size);
    let interval = 1.0 / f64::from(arguments.rate);
    let mut partitions = (0..arguments.topic.partitions).cycle();
    let mut number = 0_u64;
    while !ended.load(Ordering::Relaxed) {
        let due = journal.began + Duration::from_secs_f64(interval * number as f64);
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let partition = partitions.next().unwrap_or_default();
        let record = BaseRecord::with_opaque_to(&arguments.topic.name, Box::new(journal.now()));
        send(producer, record.partition(partition).payload(&value))?;
        number += 1;
    }
    Ok(number)
}

fn send<'a>(
    producer: &ThreadedProducer<Acknowledgements>,
    mut record: BaseRecord<'a, (), Vec<u8>, Box<u64>>,
) -> Result<()> {
    loop {
        match producer.send(record) {
            Ok(()) => return Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => record = back,
            Err((error, _)) => bail!(error),
        }
        thread::sleep(FULL_QUEUE_PAUSE);
    }
}

fn standing(arguments: &Arguments) -> Result<u64> {
    let consumer: BaseConsumer = arguments.topic.target.configuration(&[])?.create()?;
    standing_records(&consumer, &arguments.topic)
}

/// The log, and what it counts. It stays in memory until the end: who writes it must not wait for the disk that the brokers use.
struct Journal {
    began: Instant,
    file: File,
    lines: Mutex<Vec<u8>>,
    /// Partitions without an acknowledgement.
    awaited: Mutex<BTreeSet<i32>>,
    acknowledged: AtomicU64,
    failed: AtomicU64,
}

impl Journal {
    fn create(arguments: &Arguments) -> Result<Journal> {
        let path = &arguments.log;
        let file = File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Journal {
            began: Instant::now(),
            file,
            lines: Mutex::new(Vec::with_capacity(LOG_BYTES)),
            awaited: Mutex::new((0..arguments.topic.partitions).collect()),
            acknowledged: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        })
    }

    /// Microseconds since it began.
    fn now(&self) -> u64 {
        self.at(Instant::now())
    }

    fn at(&self, time: Instant) -> u64 {
        time.saturating_duration_since(self.began).as_micros() as u64
    }

    fn write(&self, line: std::fmt::Arguments<'_>) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        // A vector takes all that is written to it.
        let _ = writeln!(lines, "{line}");
    }

    fn acknowledge(&self, partition: i32) {
        self.acknowledged.fetch_add(1, Ordering::Relaxed);
        let mut awaited = self.awaited.lock().unwrap_or_else(PoisonError::into_inner);
        if awaited.remove(&partition) && awaited.is_empty() {
            println!("flowing");
        }
    }

    fn finish(&self) -> Result<()> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        Ok((&self.file).write_all(&lines)?)
    }
}

struct Acknowledgements(Arc<Journal>);

impl ClientContext for Acknowledgements {
    /// What librdkafka says (`--set debug=broker,metadata`), with the time that the log of acknowledgements has.
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        if matches!(level, RDKafkaLogLevel::Debug) {
            eprintln!("{} {facility} {message}", self.0.now());
        }
    }
}

impl ProducerContext for Acknowledgements {
    /// When the record was sent.
    type DeliveryOpaque = Box<u64>;

    fn delivery(&self, delivery: &DeliveryResult<'_>, sent: Self::DeliveryOpaque) {
        use rdkafka::Message;
        let (journal, now) = (&self.0, self.0.now());
        match delivery {
            Ok(message) => {
                journal.acknowledge(message.partition());
                journal.write(format_args!("ack {} {sent} {now}", message.partition()));
            }
            Err((error, message)) => {
                journal.failed.fetch_add(1, Ordering::Relaxed);
                journal.write(format_args!("fail {} {sent} {now} {error}", message.partition()));
            }
        }
    }
}
