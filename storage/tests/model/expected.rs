//! The plain model: a list of batches and what follows from it, computed the slow and obvious way.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use bytes::Bytes;
use protocol::records::RecordBatch;
use protocol::types::{LeaderEpoch, Offset};

/// One batch as it must lie in the log.
#[derive(Clone, Debug)]
pub struct ExpectedBatch {
    pub batch: RecordBatch,
    /// `Some(committed)` for the end of a transaction.
    pub marker: Option<bool>,
}

impl ExpectedBatch {
    pub fn base_offset(&self) -> Offset {
        self.batch.header.base_offset
    }

    pub fn last_offset(&self) -> Offset {
        self.batch.header.last_offset()
    }

    pub fn bytes(&self) -> Bytes {
        self.batch.to_bytes()
    }
}

/// The log as it must be.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// Every batch below the log end offset, those that retention has removed included.
    pub batches: Vec<ExpectedBatch>,
    pub log_start_offset: Offset,
    pub log_end_offset: Offset,
}

/// What the last batch of a producer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpectedProducer {
    pub epoch: i16,
    /// −1 after a new epoch.
    pub last_sequence: i32,
    pub last_offset: Offset,
    /// Of its last batch that is no marker.
    pub last_data_offset: Offset,
    pub open_since: Option<Offset>,
}

/// One transaction.
#[derive(Clone, Copy, Debug)]
pub struct ExpectedTransaction {
    pub producer_id: i64,
    pub first_offset: Offset,
    /// The offset of its marker, and whether that committed it.
    pub ended: Option<(Offset, bool)>,
}

impl Expected {
    /// The batches that may be read.
    pub fn readable(&self) -> impl Iterator<Item = &ExpectedBatch> {
        self.batches.iter().filter(|batch| batch.last_offset() >= self.log_start_offset)
    }

    pub fn push(&mut self, batch: ExpectedBatch) {
        self.log_end_offset = batch.last_offset() + 1;
        self.batches.push(batch);
    }

    /// `segment` is the base offset of the segment that will be the last.
    pub fn truncate_to(&mut self, offset: Offset, segment: Offset) {
        if offset < self.log_end_offset {
            self.batches.retain(|batch| batch.last_offset() < offset);
            let last = self.batches.last().map_or(segment, |batch| batch.last_offset() + 1);
            self.log_end_offset = last.max(segment);
            self.log_start_offset = self.log_start_offset.min(self.log_end_offset);
        }
    }

    pub fn restart_at(&mut self, offset: Offset) {
        *self = Expected { batches: Vec::new(), log_start_offset: offset, log_end_offset: offset };
    }

    pub fn producers(&self) -> BTreeMap<i64, ExpectedProducer> {
        let mut producers = BTreeMap::new();
        for ExpectedBatch { batch, marker } in &self.batches {
            let header = &batch.header;
            if !header.has_producer_id() {
                continue;
            }
            let known: Option<&ExpectedProducer> = producers.get(&header.producer_id);
            let same_epoch = known.filter(|known| known.epoch == header.producer_epoch);
            let open_since = known.and_then(|known| known.open_since);
            let producer = ExpectedProducer {
                epoch: header.producer_epoch,
                last_sequence: match marker {
                    Some(_) => same_epoch.map_or(-1, |known| known.last_sequence),
                    None => header.last_sequence(),
                },
                last_offset: header.last_offset(),
                last_data_offset: match marker {
                    Some(_) => known.map_or(Offset::UNKNOWN, |known| known.last_data_offset),
                    None => header.last_offset(),
                },
                open_since: match marker {
                    Some(_) => None,
                    None => open_since.or(header.is_transactional().then_some(header.base_offset)),
                },
            };
            producers.insert(header.producer_id, producer);
        }
        producers
    }

    pub fn first_open_transaction(&self) -> Option<Offset> {
        let transactions = self.transactions().into_iter();
        transactions.filter(|t| t.ended.is_none()).map(|t| t.first_offset).min()
    }

    /// The largest offset up to `offset` that no transaction spans.
    pub fn settled_upto(&self, mut offset: Offset) -> Offset {
        let transactions = self.transactions();
        let spans = |t: &&ExpectedTransaction, offset| {
            t.first_offset < offset && t.ended.is_none_or(|(marker, _)| marker >= offset)
        };
        while let Some(spanning) = transactions.iter().find(|t| spans(t, offset)) {
            offset = spanning.first_offset;
        }
        offset
    }

    /// In the order of their markers; open ones last.
    pub fn transactions(&self) -> Vec<ExpectedTransaction> {
        let mut open: BTreeMap<i64, ExpectedTransaction> = BTreeMap::new();
        let mut all = Vec::new();
        for ExpectedBatch { batch, marker } in &self.batches {
            let (producer_id, first_offset) = (batch.header.producer_id, batch.header.base_offset);
            if let Some(committed) = marker {
                let ended = Some((batch.header.last_offset(), *committed));
                all.extend(open.remove(&producer_id).map(|t| ExpectedTransaction { ended, ..t }));
            } else if batch.header.is_transactional() {
                let begun = ExpectedTransaction { producer_id, first_offset, ended: None };
                open.entry(producer_id).or_insert(begun);
            }
        }
        all.into_iter().chain(open.into_values()).collect()
    }

    /// The first readable record with a timestamp of `target` or later.
    pub fn offset_for_timestamp(&self, target: i64) -> Option<(Offset, i64)> {
        let records = self.readable().flat_map(|batch| batch.batch.records(1 << 20).unwrap());
        let mut records = records.map(|record| record.unwrap()).filter(|r| r.offset >= self.log_start_offset);
        records.find(|record| record.timestamp >= target).map(|record| (record.offset, record.timestamp))
    }

    /// Where each epoch among the readable batches ends: behind its last batch, or in the gap before the next.
    pub fn epoch_ends(&self) -> BTreeMap<LeaderEpoch, RangeInclusive<Offset>> {
        let mut ends = BTreeMap::new();
        let mut latest: Option<(LeaderEpoch, Offset)> = None;
        for batch in self.readable() {
            let epoch = batch.batch.header.partition_leader_epoch;
            if let Some((previous, end)) = latest.filter(|(previous, _)| *previous != epoch) {
                ends.insert(previous, end..=batch.base_offset());
            }
            latest = Some((epoch, batch.last_offset() + 1));
        }
        ends.extend(latest.map(|(epoch, end)| (epoch, end..=self.log_end_offset)));
        ends
    }
}
