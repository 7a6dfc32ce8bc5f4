//! Compares all that a log answers with what the model expects.

use std::os::unix::fs::FileExt;

use bytes::Bytes;
use protocol::records::batches;
use protocol::types::Offset;
use storage::log::{Log, ReadError, Slice};

use super::expected::Expected;

/// Compares everything that a reader can see.
pub fn check(log: &mut Log, expected: &Expected, rng: &mut fastrand::Rng) {
    assert_eq!(log.log_end_offset(), expected.log_end_offset, "log end offset");
    assert_eq!(log.log_start_offset(), expected.log_start_offset, "log start offset");
    assert!(log.recovery_point() <= log.log_end_offset());
    check_whole_log(log, expected, rng);
    check_reads(log, expected, rng);
    check_timestamps(log, expected, rng);
    check_epochs(log, expected);
    check_producers(log, expected);
    check_transactions(log, expected, rng);
}

fn bytes_of(slice: &Slice) -> Bytes {
    let Some(range) = &slice.range else { return Bytes::new() };
    let mut bytes = vec![0; range.length as usize];
    range.file.descriptor().unwrap().read_exact_at(&mut bytes, range.position).unwrap();
    bytes.into()
}

/// Reads from start to end as a follower does.
fn check_whole_log(log: &Log, expected: &Expected, rng: &mut fastrand::Rng) {
    let mut offset = expected.log_start_offset;
    let mut remaining = expected.readable();
    while offset < expected.log_end_offset {
        let slice = log.read(offset, rng.usize(1..3000), expected.log_end_offset, true).unwrap();
        let before = offset;
        for batch in batches(&bytes_of(&slice)).map_while(Result::ok) {
            assert_eq!(batch.to_bytes(), remaining.next().expect("no more than was written").bytes());
            offset = batch.header.next_offset();
        }
        if offset == before {
            assert!(slice.range.is_none(), "a read with at_least_one gives a whole batch");
            break;
        }
    }
    assert_eq!(remaining.count(), 0, "nothing is missing");
}

/// Random reads: each begins with the batch that holds the offset and ends before what is not below `upto`.
fn check_reads(log: &Log, expected: &Expected, rng: &mut fastrand::Rng) {
    for _ in 0..5 {
        let from = Offset(rng.i64(expected.log_start_offset.0 - 2..=expected.log_end_offset.0 + 2));
        let upto = Offset(rng.i64(expected.log_start_offset.0..=expected.log_end_offset.0));
        let (max_bytes, at_least_one) = (rng.usize(0..2000), rng.bool());
        let read = log.read(from, max_bytes, upto, at_least_one);
        let viewed = log.view_from(from).read(max_bytes, upto, at_least_one);
        if from < expected.log_start_offset || from > expected.log_end_offset {
            assert!(matches!(read, Err(ReadError::OutOfRange { .. })), "{from} is out of range");
            continue;
        }
        let bytes = bytes_of(&read.unwrap());
        assert_eq!(bytes, bytes_of(&viewed.unwrap()), "a view shows the same");
        let visible: Vec<u8> = expected
            .readable()
            .filter(|batch| batch.last_offset() >= from && batch.last_offset() < upto && from < upto)
            .flat_map(|batch| batch.bytes())
            .collect();
        assert!(visible.starts_with(&bytes), "from {from} up to {upto}");
        let first = expected.readable().find(|batch| batch.last_offset() >= from);
        let first_size = first.map_or(0, |batch| batch.batch.size_in_bytes());
        let bound = if at_least_one { max_bytes.max(first_size) } else { max_bytes };
        assert!(bytes.len() <= bound);
        let readable = !visible.is_empty() && (at_least_one || max_bytes >= first_size);
        assert_eq!(
            !bytes.is_empty(),
            readable,
            "from {from} up to {upto}, {max_bytes} bytes, {at_least_one}"
        );
    }
}

fn check_timestamps(log: &Log, expected: &Expected, rng: &mut fastrand::Rng) {
    let known = expected.readable().map(|batch| batch.batch.header.max_timestamp).collect::<Vec<_>>();
    for _ in 0..3 {
        let target = rng.choice(&known).map_or(0, |known| known + rng.i64(-1..=1));
        let found = log.view().offset_for_timestamp(target, expected.log_end_offset).unwrap();
        let found = found.map(|found| (found.offset, found.timestamp));
        assert_eq!(found, expected.offset_for_timestamp(target), "timestamp {target}");
    }
    let largest = log.view().max_timestamp().unwrap().map(|found| found.timestamp);
    assert!(largest >= known.iter().max().copied(), "largest timestamp, of what is deleted perhaps");
}

fn check_epochs(log: &Log, expected: &Expected) {
    for (epoch, ends) in expected.epoch_ends() {
        let (found, end) = log.end_offset_for_epoch(epoch);
        assert!(found == epoch && ends.contains(&end), "epoch {epoch} ends at {end}, expected in {ends:?}");
    }
}

/// A producer with a readable batch is known exactly. What only deleted batches have told may be forgotten.
fn check_producers(log: &Log, expected: &Expected) {
    let producers = expected.producers();
    for (id, producer) in &producers {
        match log.producers().producers().get(id) {
            Some(known) => {
                assert_eq!(known.producer_epoch, producer.epoch, "epoch of {id}");
                let is_forgotten =
                    known.last_sequence() == -1 && producer.last_data_offset < expected.log_start_offset;
                assert!(is_forgotten || known.last_sequence() == producer.last_sequence, "sequence of {id}");
                let visible = |first: Offset| first.max(expected.log_start_offset);
                let (known, wanted) = (known.current_txn_first_offset, producer.open_since);
                assert_eq!(known.map(visible), wanted.map(visible), "transaction of {id}");
            }
            None => assert!(producer.last_offset < expected.log_start_offset, "producer {id} was forgotten"),
        }
    }
    assert!(log.producers().producers().keys().all(|id| producers.contains_key(id)), "none is invented");
}

fn check_transactions(log: &Log, expected: &Expected, rng: &mut fastrand::Rng) {
    let end = expected.log_end_offset;
    let stable = expected.first_open_transaction().unwrap_or(end).max(expected.log_start_offset);
    assert_eq!(log.last_stable_offset(end), stable, "last stable offset");
    let from = Offset(rng.i64(expected.log_start_offset.0..=end.0));
    let upto = Offset(rng.i64(from.0..=end.0));
    let aborted = expected.transactions().into_iter().filter_map(|transaction| match transaction.ended {
        Some((marker, false)) => Some((transaction.producer_id, transaction.first_offset, marker)),
        _ => None,
    });
    let wanted: Vec<_> = aborted.filter(|(_, first, marker)| *marker >= from && *first < upto).collect();
    let found = log.view_from(from).aborted_transactions(upto).unwrap().into_iter();
    let found: Vec<_> = found.map(|t| (t.producer_id, t.first_offset, t.last_offset)).collect();
    assert_eq!(found, wanted, "aborted transactions from {from} to {upto}");
}
