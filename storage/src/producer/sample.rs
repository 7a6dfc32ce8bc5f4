//! The batches that the tests of this folder speak of.

use protocol::records::{Attributes, BatchHeader};
use protocol::types::{LeaderEpoch, Offset};

/// The header of a batch with two records of producer 1.
pub(super) fn header(base_offset: i64, epoch: i16, sequence: i32) -> BatchHeader {
    BatchHeader {
        base_offset: Offset(base_offset),
        batch_length: 100,
        partition_leader_epoch: LeaderEpoch(0),
        crc: 0,
        attributes: Attributes::default(),
        last_offset_delta: 1,
        base_timestamp: 10,
        max_timestamp: 20,
        producer_id: 1,
        producer_epoch: epoch,
        base_sequence: sequence,
        records_count: 2,
    }
}
