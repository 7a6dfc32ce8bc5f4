//! Batches that come to a new leader before those that they follow, which were sent to the leader of before.

use std::sync::Arc;
use std::time::{Duration, Instant};

use metadata::image::PartitionImage;
use protocol::ErrorCode;
use protocol::records::{BatchBuilder, Compression};
use protocol::types::{BrokerId, LeaderEpoch};

use super::node::Node;
use crate::replica::append::{Acks, Moment};
use crate::replica::partition::Partition;

const LEADER: BrokerId = BrokerId(1);
/// As long as what was sent to the leader of before may be waited for.
const WAITED_FOR: Duration = Duration::from_secs(30);

/// A replica that leads alone in this epoch from `began` on.
fn leading(epoch: i32, began: Instant) -> (Node, Arc<Partition>) {
    let mut node = Node::new(LEADER.0);
    node.start(1);
    let partition = node.partition.clone().expect("it is started");
    lead(&partition, epoch, began);
    (node, partition)
}

fn lead(partition: &Partition, epoch: i32, began: Instant) {
    let image = PartitionImage {
        replicas: vec![LEADER],
        isr: vec![LEADER],
        leader: LEADER,
        leader_epoch: LeaderEpoch(epoch),
        partition_epoch: epoch,
        min_isr: 1,
        ..PartitionImage::default()
    };
    partition.assume(&image, began);
}

/// What a producer is answered that sends one record with this sequence.
fn send(partition: &Partition, sequence: i32, at: Instant) -> ErrorCode {
    let mut batch = BatchBuilder::new(Compression::None).producer(7, 0, sequence);
    batch.append(0, None, Some(b"value"), &[]);
    let records = batch.build().expect("a batch");
    let moment = Moment { instant: at, wall_ms: 0 };
    partition
        .append(&records, Acks::All, &mut None, moment)
        .map_or_else(|error| error.code(), |_| ErrorCode::None)
}

#[test]
fn they_are_told_to_come_again_for_as_long_as_the_others_may_be_on_their_way() {
    let began = Instant::now();
    let (_node, partition) = leading(0, began);
    assert_eq!(send(&partition, 0, began), ErrorCode::None);
    assert_eq!(send(&partition, 2, began), ErrorCode::OutOfOrderSequenceNumber, "nobody led before");
    lead(&partition, 1, began);
    assert_eq!(send(&partition, 2, began), ErrorCode::NotLeaderOrFollower);
    assert_eq!(send(&partition, 0, began), ErrorCode::None, "a duplicate");
    assert_eq!(send(&partition, 1, began), ErrorCode::None);
    assert_eq!(send(&partition, 2, began), ErrorCode::None);
    assert_eq!(send(&partition, 4, began + WAITED_FOR), ErrorCode::OutOfOrderSequenceNumber);
}

#[test]
fn what_is_older_than_all_that_is_remembered_waits_for_nothing() {
    let began = Instant::now();
    let (_node, partition) = leading(1, began);
    for sequence in 0..8 {
        assert_eq!(send(&partition, sequence, began), ErrorCode::None);
    }
    assert_eq!(send(&partition, 0, began), ErrorCode::OutOfOrderSequenceNumber);
    assert_eq!(send(&partition, 9, began), ErrorCode::NotLeaderOrFollower);
}

#[test]
fn the_first_of_an_unknown_producer_is_not_taken_for_the_first_of_all() {
    let began = Instant::now();
    let (_node, partition) = leading(1, began);
    assert_eq!(send(&partition, 1, began), ErrorCode::NotLeaderOrFollower);
    assert_eq!(send(&partition, 0, began), ErrorCode::None);
    assert_eq!(send(&partition, 1, began), ErrorCode::None);
    let (_node, forgotten) = leading(1, began);
    assert_eq!(send(&forgotten, 5, began + WAITED_FOR), ErrorCode::None, "what it wrote is gone long since");
}
