//! Records on their way to one partition, and those who wait for them.

use bytes::Bytes;
use protocol::records::{BatchBuilder, Compression, Header};
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::Instant;

use crate::{Error, RecordMetadata, TopicPartition};

pub type Acknowledgement = Result<RecordMetadata, Error>;

/// A record that a caller handed in.
pub struct Outgoing {
    pub timestamp: i64,
    pub key: Option<Bytes>,
    pub value: Option<Bytes>,
    pub headers: Vec<Header>,
    pub acknowledge: oneshot::Sender<Acknowledgement>,
    /// Its share of the producer's buffer.
    pub room: OwnedSemaphorePermit,
}

/// Who the brokers know an idempotent producer as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    pub producer_id: i64,
    pub producer_epoch: i16,
}

/// What a leader said of a batch that it has.
#[derive(Clone, Copy, Debug)]
pub struct Appended {
    pub base_offset: Option<i64>,
    pub log_append_time: Option<i64>,
}

/// Filling until it is first taken to be sent; from then on its records and its sequence stay the same, so that a
/// leader knows a repetition.
pub struct Batch {
    pub partition: TopicPartition,
    pub created_at: Instant,
    /// How often it was sent.
    pub attempts: u32,
    taken: bool,
    contents: Contents,
    waiting: Vec<Waiting>,
    /// The records' share of the producer's buffer, given back when the batch is dropped.
    room: OwnedSemaphorePermit,
}

enum Contents {
    Filling(BatchBuilder),
    Built(Bytes),
}

struct Waiting {
    timestamp: i64,
    acknowledge: oneshot::Sender<Acknowledgement>,
}

impl Batch {
    pub fn begin(
        partition: TopicPartition,
        compression: Compression,
        first: Outgoing,
        now: Instant,
    ) -> Batch {
        let mut builder = BatchBuilder::new(compression);
        let Outgoing { timestamp, key, value, headers, acknowledge, room } = first;
        builder.append(timestamp, key.as_deref(), value.as_deref(), &headers);
        Batch {
            partition,
            created_at: now,
            attempts: 0,
            taken: false,
            contents: Contents::Filling(builder),
            waiting: vec![Waiting { timestamp, acknowledge }],
            room,
        }
    }

    /// Adds a record, or gives it back if the batch was taken or would outgrow `batch_bytes`.
    pub fn push(&mut self, record: Outgoing, batch_bytes: usize) -> Option<Outgoing> {
        let Contents::Filling(builder) = &mut self.contents else { return Some(record) };
        if self.taken {
            return Some(record);
        }
        let (key, value) = (record.key.as_deref(), record.value.as_deref());
        let size = BatchBuilder::record_size_max(key, value, &record.headers);
        if builder.size_in_bytes() + size > batch_bytes {
            return Some(record);
        }
        builder.append(record.timestamp, key, value, &record.headers);
        self.waiting.push(Waiting { timestamp: record.timestamp, acknowledge: record.acknowledge });
        self.room.merge(record.room);
        None
    }

    /// Closes it, under the identity and the sequence of its first record, if the producer has any; says how many
    /// sequences it takes.
    pub fn take(&mut self, identity: Option<(Identity, i32)>) -> i32 {
        self.taken = true;
        if let (Contents::Filling(builder), Some((identity, base_sequence))) = (&mut self.contents, identity)
        {
            let Identity { producer_id, producer_epoch } = identity;
            *builder = std::mem::take(builder).producer(producer_id, producer_epoch, base_sequence);
        }
        self.waiting.len() as i32
    }

    /// The bytes to send; the first call packs them.
    pub fn bytes(&mut self) -> Result<Bytes, Error> {
        if let Contents::Filling(builder) = &mut self.contents {
            let built = std::mem::take(builder).build();
            let bytes = built.map_err(|source| Error::Batch { partition: self.partition.clone(), source })?;
            self.contents = Contents::Built(bytes);
        }
        match &self.contents {
            Contents::Built(bytes) => Ok(bytes.clone()),
            Contents::Filling(_) => Ok(Bytes::new()),
        }
    }

    /// Before compression, as long as it fills.
    pub fn size_in_bytes(&self) -> usize {
        match &self.contents {
            Contents::Filling(builder) => builder.size_in_bytes(),
            Contents::Built(bytes) => bytes.len(),
        }
    }

    /// Whether its sequence is settled, and leaves a gap if it is lost.
    pub fn was_taken(&self) -> bool {
        self.taken
    }

    /// Tells every record's owner where it lies.
    pub fn acknowledge(self, appended: Appended) {
        for (index, waiting) in self.waiting.into_iter().enumerate() {
            let metadata = RecordMetadata {
                partition: self.partition.clone(),
                offset: appended.base_offset.map(|base| base + index as i64),
                timestamp: appended.log_append_time.unwrap_or(waiting.timestamp),
            };
            // Whoever dropped the delivery does not want to know.
            let _ = waiting.acknowledge.send(Ok(metadata));
        }
    }

    /// Tells every record's owner that it is lost, or may be.
    pub fn fail(self, error: &Error) {
        for waiting in self.waiting {
            let _ = waiting.acknowledge.send(Err(error.clone()));
        }
    }
}
