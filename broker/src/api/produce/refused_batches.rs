//! The batches of idempotent producers that a connection brought, that were refused for a passing reason, and that are to
//! come again.
//!
//! A producer has several batches on their way before it hears of the first. If that one is refused, because the partition
//! has no leader yet for one, and the leader is there when the next arrives, then Apache Kafka answers the next with
//! OUT_OF_ORDER_SEQUENCE_NUMBER, or takes it in with a gap before it where nothing is known of the producer. librdkafka
//! takes that for a loss: it raises its epoch and sends everything that is not acknowledged, of every partition, under
//! the new one, and what lay in a log already lies there twice. So what follows a refused batch is refused like it, until
//! it has come again (safety rule 9).

use std::collections::HashMap;
use std::time::{Duration, Instant};

use protocol::ErrorCode;
use protocol::records::{BatchHeader, NO_SEQUENCE};
use protocol::types::Uuid;
use protocol::wire::Str;

/// What was sent before its producer could hear of the refusal is here after so long. A producer that goes on without the
/// refused batch is told so from then on.
const ON_ITS_WAY_MAX: Duration = Duration::from_secs(5);

/// Partitions and producers of one connection for which refusals are remembered.
const REMEMBERED_MAX: usize = 1_000;

/// A partition as a request names it, and a producer that writes to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Writing {
    topic: Str,
    topic_id: Uuid,
    partition: i32,
    producer_id: i64,
}

/// The place of a batch in what its producer writes to a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbered {
    writing: Writing,
    epoch: i16,
    first: i32,
    last: i32,
}

impl Numbered {
    /// The place of the batch that these bytes begin with, unless its producer does not number its batches.
    pub fn of(records: &[u8], topic: &Str, topic_id: Uuid, partition: i32) -> Option<Numbered> {
        let header = BatchHeader::parse(records).ok()?;
        let is_numbered = header.producer_id >= 0 && header.base_sequence != NO_SEQUENCE;
        is_numbered.then(|| Numbered {
            writing: Writing { topic: topic.clone(), topic_id, partition, producer_id: header.producer_id },
            epoch: header.producer_epoch,
            first: header.base_sequence,
            last: header.last_sequence(),
        })
    }
}

/// Batches of one producer and partition, all refused, that follow each other.
#[derive(Debug)]
struct Refused {
    epoch: i16,
    first: i32,
    last: i32,
    code: ErrorCode,
    at: Instant,
}

/// All that is remembered of one connection.
#[derive(Debug, Default)]
pub struct RefusedBatches {
    of: HashMap<Writing, Refused>,
    /// When the last was refused.
    last_at: Option<Instant>,
}

impl RefusedBatches {
    /// Whether anything is remembered that still counts. If not, batches need not be looked at.
    pub fn is_any(&mut self, now: Instant) -> bool {
        if self.last_at.is_some_and(|at| now.saturating_duration_since(at) > ON_ITS_WAY_MAX) {
            *self = RefusedBatches::default();
        }
        !self.of.is_empty()
    }

    /// What a batch was refused with that this one follows and that has not come again. It is refused with it.
    pub fn refused_before(&mut self, batch: &Numbered, now: Instant) -> Option<ErrorCode> {
        let refused = self.of.get_mut(&batch.writing)?;
        if now.saturating_duration_since(refused.at) > ON_ITS_WAY_MAX {
            self.of.remove(&batch.writing);
            return None;
        }
        let follows = batch.epoch == refused.epoch && is_behind(refused.first, batch.first);
        follows.then(|| {
            refused.last = later(refused.last, batch.last);
            refused.code
        })
    }

    /// Remembers a batch that was refused with `code`, if the same batch may be taken in another time.
    pub fn refuse(&mut self, batch: Numbered, code: ErrorCode, now: Instant) {
        if !code.is_retriable() || code == ErrorCode::CorruptMessage {
            return;
        }
        self.make_room(now);
        self.last_at = Some(now);
        let Numbered { mut writing, epoch, first, last } = batch;
        if let Some(known) = self.of.get_mut(&writing).filter(|known| known.epoch == epoch) {
            let first = if is_behind(first, known.first) { first } else { known.first };
            *known = Refused { epoch, first, last: later(known.last, last), code, at: now };
        } else if self.of.len() < REMEMBERED_MAX {
            // The name is cut from the request, which would stay in memory with all its records.
            writing.topic = writing.topic.detached();
            self.of.insert(writing, Refused { epoch, first, last, code, at: now });
        }
    }

    /// Takes note of a batch that is in the log: what follows it is next.
    pub fn accept(&mut self, batch: &Numbered) {
        let Some(refused) = self.of.get_mut(&batch.writing) else { return };
        let next = batch.last.wrapping_add(1) & i32::MAX;
        if batch.epoch != refused.epoch || is_behind(refused.last, next) {
            self.of.remove(&batch.writing);
        } else if is_behind(refused.first, next) {
            refused.first = next;
        }
    }

    fn make_room(&mut self, now: Instant) {
        if self.of.len() >= REMEMBERED_MAX {
            self.of.retain(|_, refused| now.saturating_duration_since(refused.at) <= ON_ITS_WAY_MAX);
        }
    }
}

/// Whether `sequence` comes behind `other`. Sequences wrap to 0 after 2³¹ − 1.
fn is_behind(other: i32, sequence: i32) -> bool {
    let distance = sequence.wrapping_sub(other) & i32::MAX;
    0 < distance && distance <= i32::MAX / 2
}

fn later(one: i32, other: i32) -> i32 {
    if is_behind(one, other) { other } else { one }
}

#[cfg(test)]
mod tests {
    use protocol::records::{BatchBuilder, Compression};

    use super::*;

    const REFUSAL: ErrorCode = ErrorCode::NotLeaderOrFollower;

    fn batch(epoch: i16, sequences: std::ops::RangeInclusive<i32>) -> Numbered {
        let writing =
            Writing { topic: Str::from_static("events"), topic_id: Uuid::ZERO, partition: 3, producer_id: 7 };
        Numbered { writing, epoch, first: *sequences.start(), last: *sequences.end() }
    }

    fn place(records: &[u8]) -> Option<Numbered> {
        Numbered::of(records, &Str::from_static("events"), Uuid::ZERO, 3)
    }

    fn refused(sequences: std::ops::RangeInclusive<i32>, now: Instant) -> RefusedBatches {
        let mut refused = RefusedBatches::default();
        refused.refuse(batch(0, sequences), REFUSAL, now);
        refused
    }

    #[test]
    fn what_follows_a_refused_batch_is_refused_until_it_came_again() {
        let now = Instant::now();
        let mut refused = refused(5..=9, now);
        assert_eq!(refused.refused_before(&batch(0, 10..=10), now), Some(REFUSAL));
        assert_eq!(refused.refused_before(&batch(0, 11..=14), now), Some(REFUSAL));
        // The second comes again before the first does.
        assert_eq!(refused.refused_before(&batch(0, 10..=10), now), Some(REFUSAL));
        assert_eq!(refused.refused_before(&batch(0, 5..=9), now), None);
        refused.accept(&batch(0, 5..=9));
        // The third is still on its way when the first was taken in.
        assert_eq!(refused.refused_before(&batch(0, 11..=14), now), Some(REFUSAL));
        assert_eq!(refused.refused_before(&batch(0, 10..=10), now), None);
        refused.accept(&batch(0, 10..=10));
        assert_eq!(refused.refused_before(&batch(0, 11..=14), now), None);
        refused.accept(&batch(0, 11..=14));
        assert!(!refused.is_any(now));
    }

    #[test]
    fn what_came_before_and_what_others_write_is_let_through() {
        let now = Instant::now();
        let mut refused = refused(5..=9, now);
        assert_eq!(refused.refused_before(&batch(0, 0..=4), now), None);
        refused.accept(&batch(0, 0..=4));
        let mut other = batch(0, 10..=10);
        other.writing.partition = 4;
        assert_eq!(refused.refused_before(&other, now), None);
        assert_eq!(refused.refused_before(&batch(0, 10..=10), now), Some(REFUSAL));
    }

    #[test]
    fn a_new_epoch_begins_anew() {
        let now = Instant::now();
        let mut refused = refused(5..=9, now);
        assert_eq!(refused.refused_before(&batch(1, 0..=20), now), None);
        refused.accept(&batch(1, 0..=20));
        assert!(!refused.is_any(now));
    }

    #[test]
    fn an_earlier_batch_that_is_refused_later_must_come_first() {
        let now = Instant::now();
        let mut refused = refused(5..=9, now);
        refused.refuse(batch(0, 2..=4), ErrorCode::NotEnoughReplicas, now);
        assert_eq!(refused.refused_before(&batch(0, 5..=9), now), Some(ErrorCode::NotEnoughReplicas));
        refused.accept(&batch(0, 2..=4));
        assert_eq!(refused.refused_before(&batch(0, 5..=9), now), None);
    }

    #[test]
    fn sequences_wrap() {
        let now = Instant::now();
        let mut refused = refused(i32::MAX - 1..=i32::MAX, now);
        assert_eq!(refused.refused_before(&batch(0, 0..=3), now), Some(REFUSAL));
        refused.accept(&batch(0, i32::MAX - 1..=i32::MAX));
        assert_eq!(refused.refused_before(&batch(0, 0..=3), now), None);
        assert_eq!(refused.refused_before(&batch(0, 4..=4), now), Some(REFUSAL));
        [batch(0, 0..=3), batch(0, 4..=4)].iter().for_each(|batch| refused.accept(batch));
        assert!(!refused.is_any(now));
    }

    #[test]
    fn a_producer_that_goes_on_without_it_is_told_after_a_while() {
        let now = Instant::now();
        let mut refused = refused(5..=9, now);
        assert_eq!(refused.refused_before(&batch(0, 10..=10), now + ON_ITS_WAY_MAX), Some(REFUSAL));
        let later = now + ON_ITS_WAY_MAX + Duration::from_millis(1);
        assert_eq!(refused.refused_before(&batch(0, 10..=10), later), None);
        assert!(!refused.is_any(now));
    }

    #[test]
    fn batches_are_looked_at_for_as_long_as_a_refusal_counts() {
        let now = Instant::now();
        let mut refused = refused(5..=9, now);
        assert!(refused.is_any(now + ON_ITS_WAY_MAX));
        assert!(!refused.is_any(now + 2 * ON_ITS_WAY_MAX) && refused.of.is_empty());
    }

    #[test]
    fn what_can_never_be_taken_in_is_not_waited_for() {
        let mut refused = RefusedBatches::default();
        for code in [ErrorCode::MessageTooLarge, ErrorCode::CorruptMessage, ErrorCode::InvalidRecord] {
            refused.refuse(batch(0, 5..=9), code, Instant::now());
        }
        assert!(!refused.is_any(Instant::now()));
    }

    #[test]
    fn there_is_a_limit_to_what_is_remembered() {
        let now = Instant::now();
        let mut refused = RefusedBatches::default();
        let of_producer = |producer_id| {
            let mut batch = batch(0, 0..=0);
            batch.writing.producer_id = producer_id;
            batch
        };
        (0..2_000).for_each(|producer_id| refused.refuse(of_producer(producer_id), REFUSAL, now));
        assert_eq!(refused.of.len(), REMEMBERED_MAX);
        // What is too old makes room.
        refused.refuse(of_producer(5_000), REFUSAL, now + 2 * ON_ITS_WAY_MAX);
        assert_eq!(refused.of.len(), 1);
    }

    #[test]
    fn only_numbered_batches_have_a_place() {
        let place_of = |producer_id, sequence| {
            let mut builder = BatchBuilder::new(Compression::None).producer(producer_id, 2, sequence);
            builder.append(0, None, Some(b"a"), &[]);
            builder.append(0, None, Some(b"b"), &[]);
            place(&builder.build().expect("a batch"))
        };
        assert_eq!(place_of(7, 5), Some(batch(2, 5..=6)));
        assert_eq!(place_of(-1, 5), None);
        assert_eq!(place_of(7, NO_SEQUENCE), None);
        assert_eq!(place(b"no batch"), None);
    }
}
