//! Random batches read back as they were written; random damage never panics and never allocates without bound.

use bytes::{Bytes, BytesMut};

use super::*;
use crate::types::{LeaderEpoch, Offset};

const LIMIT: usize = 1 << 20;

/// A small generator of its own, so that a seed is a history.
struct Seed(u64);

impl Seed {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ mixed >> 27
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn bytes(&mut self, length_max: u64) -> Bytes {
        (0..self.below(length_max)).map(|_| self.below(7) as u8).collect::<Vec<_>>().into()
    }

    fn maybe_bytes(&mut self, length_max: u64) -> Option<Bytes> {
        (self.below(4) > 0).then(|| self.bytes(length_max))
    }

    fn record(&mut self, offset: Offset) -> Record {
        let header = |seed: &mut Seed| Header { key: seed.bytes(9), value: seed.maybe_bytes(9) };
        Record {
            offset,
            timestamp: self.below(1 << 41) as i64,
            key: self.maybe_bytes(20),
            value: self.maybe_bytes(300),
            headers: (0..self.below(3)).map(|_| header(self)).collect(),
        }
    }

    fn batch(&mut self) -> (Vec<Record>, Bytes) {
        let base = self.below(1 << 40) as i64;
        let records: Vec<_> = (0..1 + self.below(40) as i64).map(|i| self.record(Offset(base + i))).collect();
        let compression = Compression::ALL[self.below(5) as usize];
        let mut builder = BatchBuilder::new(compression)
            .base_offset(Offset(base))
            .leader_epoch(LeaderEpoch(3))
            .producer(7, 1, 100);
        for Record { timestamp, key, value, headers, .. } in &records {
            let room = builder.size_in_bytes()
                + BatchBuilder::record_size_max(key.as_deref(), value.as_deref(), headers);
            builder.append(*timestamp, key.as_deref(), value.as_deref(), headers);
            assert!(builder.size_in_bytes() <= room);
        }
        (records, builder.build().expect("it builds"))
    }
}

fn read_all(bytes: &Bytes) -> Result<Vec<Record>, RecordsError> {
    let mut all = Vec::new();
    for batch in batches(bytes) {
        all.extend(batch?.records(LIMIT)?.collect::<Result<Vec<_>, _>>()?);
    }
    Ok(all)
}

#[test]
fn random_batches_read_back_what_was_written() {
    let mut seed = Seed(1);
    for _ in 0..500 {
        let (mut records, bytes) = seed.batch();
        let (more, tail) = seed.batch();
        records.extend(more);
        let both: Bytes = [bytes, tail].concat().into();
        assert_eq!(read_all(&both), Ok(records));
        assert!(batches(&both).all(|batch| batch.is_ok_and(|batch| batch.verify_crc().is_ok())));
    }
}

#[test]
fn reading_an_uncompressed_batch_copies_no_record() {
    let mut builder = BatchBuilder::new(Compression::None);
    builder.append(1, Some(b"key"), Some(b"value"), &[]);
    let bytes = builder.build().expect("it builds");
    let batch = RecordBatch::parse(&bytes).expect("a batch");
    let record = batch.records(0).expect("plain").next().expect("one").expect("whole");
    let value = record.value.expect("a value");
    assert!(bytes.as_ptr_range().contains(&value.as_ptr()));
}

#[test]
fn a_flipped_bit_after_the_checksum_is_found_by_it() {
    let mut seed = Seed(2);
    for _ in 0..300 {
        let (_, bytes) = seed.batch();
        let at = 21 + seed.below(bytes.len() as u64 - 21) as usize;
        let mut damaged = BytesMut::from(&bytes[..]);
        damaged[at] ^= 1 << seed.below(8);
        let verified = RecordBatch::parse(&damaged.freeze()).and_then(|batch| batch.verify_crc());
        assert!(verified.is_err(), "byte {at}");
    }
}

#[test]
fn mutated_and_cut_bytes_never_panic() {
    let mut seed = Seed(3);
    for _ in 0..5000 {
        let (_, bytes) = seed.batch();
        let mut damaged = BytesMut::from(&bytes[..]);
        for _ in 0..1 + seed.below(4) {
            let at = seed.below(damaged.len() as u64) as usize;
            damaged[at] = seed.next() as u8;
        }
        if seed.below(3) == 0 {
            damaged.truncate(seed.below(bytes.len() as u64) as usize);
        }
        let damaged = damaged.freeze();
        if let Ok(records) = read_all(&damaged) {
            assert!(records.len() <= LIMIT);
        }
        let rules = RecordRules {
            compacted: true,
            timestamp_earliest: 0,
            timestamp_latest: i64::MAX,
            decompressed_bytes_max: LIMIT,
        };
        if let Ok(batch) = RecordBatch::parse(&damaged) {
            let _ = validate_produce_batch(&batch, LIMIT);
            let _ = validate_produce_records(&batch, &rules);
            let _ = (batch.header.last_offset(), batch.header.last_sequence(), batch.header.next_offset());
        }
    }
}

#[test]
fn a_cut_tail_ends_the_walk_with_what_is_missing() {
    let (_, bytes) = Seed(4).batch();
    let cut = bytes.slice(..bytes.len() - 1);
    let mut walk = batches(&cut);
    let missing = RecordsError::Truncated { needed: bytes.len(), available: bytes.len() - 1 };
    assert_eq!(walk.next(), Some(Err(missing)));
    assert_eq!(walk.next(), None);
}

#[test]
fn an_append_time_changes_every_timestamp_and_keeps_the_checksum_true() {
    let (_, bytes) = Seed(5).batch();
    let mut batch = RecordBatch::parse(&bytes).expect("a batch");
    batch.header.base_offset = Offset(9);
    batch.header.partition_leader_epoch = LeaderEpoch(4);
    batch.verify_crc().expect("offset and epoch are not covered");
    batch.stamp_log_append_time(123);
    let stamped = RecordBatch::parse(&batch.to_bytes()).expect("a batch");
    stamped.verify_crc().expect("the checksum was made anew");
    let mut records = stamped.records(LIMIT).expect("it unpacks");
    assert!(records.all(|record| record.is_ok_and(|record| record.timestamp == 123)));
}

/// Laid out by hand after Kafka's description of the format.
#[test]
fn the_bytes_of_a_batch_are_kafkas() {
    let mut builder = BatchBuilder::new(Compression::None);
    builder.append(10, Some(b"k"), None, &[Header { key: "h".into(), value: None }]);
    let bytes = builder.build().expect("it builds");
    assert_eq!(bytes[..12], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 60]);
    assert_eq!(bytes[61..], [20, 0, 0, 0, 2, b'k', 1, 2, 2, b'h', 1]);
}
