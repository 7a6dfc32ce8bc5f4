//! One replica at a time, and what images, a leader's answers and crashes make of it.

use std::fs::OpenOptions;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use metadata::image::PartitionImage;
use protocol::ErrorCode;
use protocol::records::batches;
use protocol::types::{BrokerId, LeaderEpoch, Offset};

use super::node::{Node, batch, bytes_of};
use crate::replica::append::{Acks, Moment};
use crate::replica::errors::PartitionError;
use crate::replica::follower::{Answer, Ask};
use crate::replica::offsets::OffsetQuery;
use crate::replica::partition::Partition;
use crate::replica::read::{Reach, Read};

const ME: BrokerId = BrokerId(1);
const OTHER: BrokerId = BrokerId(2);

fn image(leader: BrokerId, epoch: i32, isr: &[BrokerId], partition_epoch: i32) -> PartitionImage {
    PartitionImage {
        replicas: vec![ME, OTHER, BrokerId(3)],
        isr: isr.to_vec(),
        leader,
        leader_epoch: LeaderEpoch(epoch),
        partition_epoch,
        min_isr: 2,
        ..PartitionImage::default()
    }
}

fn started(id: BrokerId) -> (Node, Arc<Partition>) {
    let mut node = Node::new(id.0);
    node.start(1);
    let partition = node.partition.clone().expect("it is started");
    (node, partition)
}

fn restarted(node: &mut Node) -> Arc<Partition> {
    node.kill();
    node.start(2);
    node.partition.clone().expect("it is started")
}

fn append(partition: &Partition, acks: Acks) -> Result<Option<ErrorCode>, PartitionError> {
    let mut wait = None;
    partition.append(&batch(&[1, 2, 3]), acks, &mut wait, Moment::now())?;
    Ok(wait.map(|wait| wait.outcomes()[0]))
}

fn read(from: i64, reach: Reach) -> Read {
    Read {
        from: Offset(from),
        bytes_max: 10_000,
        at_least_one: true,
        reach,
        expected_epoch: None,
        last_fetched_epoch: None,
        broker_epoch: Some(1),
        log_start: None,
        asked_at: Instant::now(),
    }
}

#[test]
fn what_an_unregistered_follower_has_counts_for_nothing() {
    let (_node, partition) = started(ME);
    partition.assume(&image(ME, 1, &[ME, OTHER], 0), Instant::now());
    let mut wait = None;
    partition.append(&batch(&[1]), Acks::All, &mut wait, Moment::now()).expect("enough are in sync");
    let wait = wait.expect("it waits");
    let registered = read(1, Reach::LogEnd(OTHER));
    partition.read(&Read { broker_epoch: None, ..registered }).expect("it is served");
    assert_eq!(wait.outcomes(), [ErrorCode::RequestTimedOut], "it waits on");
    partition.read(&registered).expect("it is served");
    assert_eq!(wait.outcomes(), [ErrorCode::None]);
}

#[test]
fn acks_all_is_refused_when_the_isr_shrinks_below_min_isr_before_the_high_watermark_comes() {
    let (_node, partition) = started(ME);
    partition.assume(&image(ME, 1, &[ME, OTHER, BrokerId(3)], 0), Instant::now());
    let mut wait = None;
    partition.append(&batch(&[1]), Acks::All, &mut wait, Moment::now()).expect("enough are in sync");
    let wait = wait.expect("it waits");
    partition.assume(&image(ME, 1, &[ME, OTHER], 1), Instant::now());
    assert_eq!(wait.outcomes(), [ErrorCode::RequestTimedOut], "two are enough, and it waits on");
    partition.assume(&image(ME, 1, &[ME], 2), Instant::now());
    assert_eq!(wait.outcomes(), [ErrorCode::NotEnoughReplicasAfterAppend]);
    assert!(matches!(append(&partition, Acks::All), Err(PartitionError::TooFewReplicas { .. })));
    assert_eq!(append(&partition, Acks::Leader).expect("acks=1 asks nobody"), None);
}

#[test]
fn a_leader_that_a_replica_has_left_for_a_later_epoch_stands_down_until_an_image_comes() {
    let (_node, partition) = started(ME);
    partition.assume(&image(ME, 1, &[ME, OTHER], 0), Instant::now());
    let mut wait = None;
    partition.append(&batch(&[1]), Acks::All, &mut wait, Moment::now()).expect("it leads");
    let wait = wait.expect("it waits");
    let tell = |from, epoch| {
        let read = Read { expected_epoch: Some(LeaderEpoch(epoch)), ..read(-1, Reach::LogEnd(from)) };
        partition.read(&read).expect_err("there is nothing to read").code()
    };
    assert_eq!(tell(BrokerId(9), 2), ErrorCode::UnknownLeaderEpoch);
    assert_eq!(tell(ME, 2), ErrorCode::UnknownLeaderEpoch);
    assert_eq!(wait.outcomes(), [ErrorCode::RequestTimedOut], "no other replica said so, and it leads on");
    assert!(partition.stood_down.at(Instant::now()).is_empty());
    assert_eq!(tell(OTHER, 2), ErrorCode::UnknownLeaderEpoch);
    assert_eq!(wait.outcomes(), [ErrorCode::NotLeaderOrFollower]);
    assert!(matches!(append(&partition, Acks::Leader), Err(PartitionError::NotLeader)));
    assert_eq!(partition.leadership(), (BrokerId::NONE, LeaderEpoch(2)));
    let stood_down = [(partition.at.clone(), LeaderEpoch(1))].into();
    assert_eq!(partition.stood_down.at(Instant::now()), stood_down, "clients are not sent here");
    partition.assume(&image(ME, 1, &[ME], 1), Instant::now());
    assert!(matches!(append(&partition, Acks::Leader), Err(PartitionError::NotLeader)), "the epoch goes on");
    partition.assume(&image(ME, 3, &[ME, OTHER], 2), Instant::now());
    append(&partition, Acks::Leader).expect("it leads anew");
}

#[test]
fn a_log_with_records_of_a_later_epoch_than_the_cluster_s_is_not_led() {
    let (mut node, partition) = started(ME);
    partition.assume(&image(ME, 5, &[ME, OTHER], 0), Instant::now());
    append(&partition, Acks::Leader).expect("it leads");
    let partition = restarted(&mut node);
    partition.assume(&image(ME, 3, &[ME, OTHER], 0), Instant::now());
    assert!(matches!(append(&partition, Acks::Leader), Err(PartitionError::BehindItsLog { .. })));
    let fetched = partition.read(&read(0, Reach::LogEnd(OTHER)));
    assert!(matches!(fetched, Err(PartitionError::BehindItsLog { .. })));
    partition.assume(&image(ME, 6, &[ME, OTHER], 1), Instant::now());
    append(&partition, Acks::Leader).expect("epochs were raised past it");
}

/// Takes the last batch from the first segment, as a power loss may. Returns the offset that is missing first.
fn lose_the_end_of_the_first_segment(node: &Node) -> Offset {
    let folder = node.folder().join("t-0");
    let first = folder.join("00000000000000000000.log");
    let bytes = Bytes::from(std::fs::read(&first).expect("is read"));
    let sizes = batches(&bytes).map(|batch| {
        let batch = batch.expect("a whole batch");
        (batch.header.base_offset, batch.size_in_bytes())
    });
    let (lost, size) = sizes.last().expect("it has batches");
    let file = OpenOptions::new().write(true).open(first).expect("opens");
    file.set_len((bytes.len() - size) as u64).expect("is cut");
    lost
}

#[test]
fn a_log_with_offsets_missing_is_cut_there_when_it_follows_unless_it_is_counted_on() {
    let (mut node, partition) = started(ME);
    partition.assume(&image(ME, 1, &[ME, OTHER], 0), Instant::now());
    for _ in 0..20 {
        append(&partition, Acks::Leader).expect("it leads");
    }
    node.kill();
    let gap = lose_the_end_of_the_first_segment(&node);
    let partition = restarted(&mut node);
    let end = |epoch| partition.position(LeaderEpoch(epoch)).expect("it follows").log_end;
    partition.assume(&image(OTHER, 2, &[ME, OTHER], 1), Instant::now());
    assert_eq!(end(2), Offset(60), "whoever trusts it knows that no page was lost");
    partition.assume(&image(OTHER, 3, &[OTHER], 2), Instant::now());
    assert!(gap < Offset(60) && partition.is_to_be_cut());
    assert_eq!(end(3), gap);
    assert!(!partition.is_to_be_cut());
}

#[test]
fn a_follower_serves_consumers_up_to_its_high_watermark() {
    let ((_leader_node, leader), (_node, partition)) = (started(OTHER), started(ME));
    leader.assume(&image(OTHER, 1, &[ME, OTHER], 0), Instant::now());
    append(&leader, Acks::Leader).expect("it leads");
    let fetched = leader.read(&read(0, Reach::LogEnd(ME))).expect("it leads");
    let consumer = |from| partition.serve_consumer(&read(from, Reach::HighWatermark));
    assert!(matches!(consumer(0), Err(PartitionError::NotLeader)), "it follows nobody yet");
    partition.assume(&image(OTHER, 1, &[ME, OTHER], 0), Instant::now());
    let ask = Ask {
        leader_epoch: LeaderEpoch(1),
        position: partition.position(LeaderEpoch(1)).expect("it follows"),
    };
    let answer = |high_watermark, records| Answer {
        error: ErrorCode::None,
        diverging: None,
        high_watermark: Offset(high_watermark),
        log_start: Offset(0),
        records,
    };
    let records = fetched.records.as_ref().map(bytes_of).expect("there are records");
    partition.take_answer(&ask, &answer(0, records), 0).expect("taken in");
    assert!(consumer(0).expect("served").records.is_none(), "nothing is committed yet");
    let position = partition.position(LeaderEpoch(1)).expect("it follows");
    partition.take_answer(&Ask { position, ..ask }, &answer(3, Bytes::new()), 0).expect("taken in");
    let served = consumer(0).expect("served");
    assert_eq!((served.high_watermark, served.records.is_some()), (Offset(3), true));
    assert!(matches!(consumer(4), Err(PartitionError::OutOfRange { .. })));
    assert!(matches!(partition.read(&read(0, Reach::HighWatermark)), Err(PartitionError::NotLeader)));
}

#[test]
fn while_the_high_watermark_lags_a_time_is_found_below_it_and_the_latest_is_not_known() {
    let (mut node, partition) = started(ME);
    partition.assume(&image(ME, 1, &[ME], 0), Instant::now());
    for _ in 0..2 {
        append(&partition, Acks::Leader).expect("it leads");
    }
    node.checkpointed = Offset(3);
    let partition = restarted(&mut node);
    partition.assume(&image(ME, 2, &[ME, OTHER], 1), Instant::now());
    let find = |query| partition.find_offset(query, Reach::HighWatermark, None);
    let unknown = |query| matches!(find(query), Err(PartitionError::HighWatermarkUnknown));
    let first = find(OffsetQuery::AtOrAfter(0)).expect("it leads").expect("it is below the high watermark");
    assert_eq!(first.offset, Offset(0));
    assert!(unknown(OffsetQuery::Latest) && unknown(OffsetQuery::AtOrAfter(1)));
    assert_eq!(find(OffsetQuery::LatestTiered).expect("it leads"), None);
}

#[test]
fn any_replica_answers_who_looks_for_a_fault() {
    let (mut node, partition) = started(ME);
    partition.assume(&image(ME, 1, &[ME], 0), Instant::now());
    append(&partition, Acks::Leader).expect("it leads");
    let partition = restarted(&mut node);
    partition.assume(&image(OTHER, 2, &[ME, OTHER], 1), Instant::now());
    let latest = |reach| partition.find_offset(OffsetQuery::Latest, reach, None);
    assert!(matches!(latest(Reach::HighWatermark), Err(PartitionError::NotLeader)));
    let found = latest(Reach::AnyLogEnd).expect("it follows").expect("its end");
    assert_eq!((found.offset, found.leader_epoch), (Offset(3), LeaderEpoch(2)));
}
