//! Writing records: a handle that many tasks may share, and one task behind it that batches and sends.
//!
//! At most one batch of a partition is in the air, so that records keep their order whatever fails, and an idempotent
//! producer's sequences have no gaps. Batches of many partitions travel in one request to each leader.
//!
//! * `partitioner`: which partition a record goes to.
//! * `batch`: records on their way to one partition.
//! * `queue`: what waits for each partition, and when it is due. Decides, and does nothing else.
//! * `sender`: the task.
//! * `request`: one Produce to one leader, and what became of each batch in it.

mod batch;
mod partitioner;
mod queue;
mod request;
mod sender;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use protocol::records::{BatchBuilder, Compression, Header};
use protocol::wire::Str;
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::{Cluster, Error, RetryPolicy, TopicPartition};
use batch::{Acknowledgement, Outgoing};
use partitioner::StickyPartitioner;
use sender::{Event, Sender};

/// Records wait for the sender in a queue this long; `buffer_bytes` bounds their bytes.
const EVENTS_MAX: usize = 1024;

/// How many replicas must have a record before it counts as written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Acks {
    /// The broker does not answer at all; offsets are not known.
    None,
    Leader,
    /// All in-sync replicas, `min.insync.replicas` at least.
    #[default]
    All,
}

/// How records are batched, sent and acknowledged.
#[derive(Clone, Debug)]
pub struct ProducerConfig {
    pub acks: Acks,
    pub compression: Compression,
    /// How long a batch that is not full waits for more.
    pub linger: Duration,
    /// When a batch is full, in bytes before compression. A larger record travels alone.
    pub batch_bytes: usize,
    /// Bytes of all records that are not acknowledged yet; past it, sending waits.
    pub buffer_bytes: usize,
    /// Every record is appended once, whatever fails on the way. Needs [`Acks::All`].
    pub idempotent: bool,
    /// From a batch's first record to its acknowledgement, retries included.
    pub delivery_timeout: Duration,
    /// Only the waits between attempts matter here; `delivery_timeout` ends them.
    pub retry: RetryPolicy,
}

impl Default for ProducerConfig {
    fn default() -> ProducerConfig {
        ProducerConfig {
            acks: Acks::All,
            compression: Compression::None,
            linger: Duration::from_millis(5),
            batch_bytes: 256 << 10,
            buffer_bytes: 32 << 20,
            idempotent: true,
            delivery_timeout: Duration::from_secs(120),
            retry: RetryPolicy::default(),
        }
    }
}

/// A record to be written.
#[derive(Clone, Debug, Default)]
pub struct ProducerRecord {
    pub topic: Str,
    /// `None` leaves the choice to the key's hash, as Java's clients compute it, or to chance where there is no key.
    pub partition: Option<i32>,
    pub key: Option<Bytes>,
    pub value: Option<Bytes>,
    pub headers: Vec<Header>,
    /// Milliseconds since 1970.
    pub timestamp: i64,
}

/// Where an acknowledged record lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordMetadata {
    pub partition: TopicPartition,
    /// `None` with [`Acks::None`], and for a record that turned out to have been appended long before.
    pub offset: Option<i64>,
    /// The record's own, or the time of its append where the topic says so.
    pub timestamp: i64,
}

/// Resolves when a record is acknowledged or lost. Dropping it changes nothing.
#[derive(Debug)]
pub struct Delivery {
    acknowledged: oneshot::Receiver<Acknowledgement>,
}

impl Future for Delivery {
    type Output = Result<RecordMetadata, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let acknowledged = ready!(Pin::new(&mut self.acknowledged).poll(cx));
        Poll::Ready(acknowledged.unwrap_or(Err(Error::ProducerClosed)))
    }
}

/// See the module. When it is dropped, what was sent is still delivered, unless the process ends; [`Producer::flush`]
/// waits for that.
#[derive(Debug)]
pub struct Producer {
    cluster: Cluster,
    events: mpsc::Sender<Event>,
    buffer: Arc<Semaphore>,
    buffer_bytes: usize,
    partitioner: Mutex<StickyPartitioner>,
}

impl Producer {
    /// Starts the task that sends.
    pub fn new(cluster: Cluster, config: ProducerConfig) -> Producer {
        let (events, received) = mpsc::channel(EVENTS_MAX);
        let buffer_bytes = config.buffer_bytes.min(Semaphore::MAX_PERMITS).min(u32::MAX as usize);
        let partitioner = Mutex::new(StickyPartitioner::new(config.batch_bytes));
        tokio::spawn(Sender::new(cluster.clone(), config, received).run());
        Producer {
            cluster,
            events,
            buffer: Arc::new(Semaphore::new(buffer_bytes)),
            buffer_bytes,
            partitioner,
        }
    }

    /// Takes a record, waiting while the buffer is full. The record is written when the [`Delivery`] says so.
    pub async fn send(&self, record: ProducerRecord) -> Result<Delivery, Error> {
        let ProducerRecord { key, value, headers, timestamp, .. } = &record;
        let size = BatchBuilder::record_size_max(key.as_deref(), value.as_deref(), headers);
        let partition = self.partition_of(&record, size).await?;
        let room = size.min(self.buffer_bytes) as u32;
        let room = Arc::clone(&self.buffer).acquire_many_owned(room).await;
        let (acknowledge, acknowledged) = oneshot::channel();
        let outgoing = Outgoing {
            timestamp: *timestamp,
            key: key.clone(),
            value: value.clone(),
            headers: headers.clone(),
            acknowledge,
            room: room.map_err(|_| Error::ProducerClosed)?,
        };
        let event = Event::Append(partition, outgoing);
        self.events.send(event).await.map_err(|_| Error::ProducerClosed)?;
        Ok(Delivery { acknowledged })
    }

    /// Sends what lingers, and returns when every record sent before has been acknowledged or lost.
    pub async fn flush(&self) -> Result<(), Error> {
        let (flushed, done) = oneshot::channel();
        self.events.send(Event::Flush(flushed)).await.map_err(|_| Error::ProducerClosed)?;
        done.await.map_err(|_| Error::ProducerClosed)
    }

    async fn partition_of(&self, record: &ProducerRecord, size: usize) -> Result<TopicPartition, Error> {
        let topic = self.cluster.topic_or_create(&record.topic).await?;
        let index = match (record.partition, &record.key) {
            (Some(partition), _) => partition,
            (None, Some(key)) => partitioner::partition_of_key(key, topic.partitions.len()),
            (None, None) => self.partitioner.lock().choose(&topic, size),
        };
        let partition = TopicPartition { topic: topic.name.clone(), partition: index };
        topic.partition(&partition)?;
        Ok(partition)
    }
}
