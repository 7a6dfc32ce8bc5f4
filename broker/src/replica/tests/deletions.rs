//! Records that clients have deleted: how far, who must know of it, and logs that start in the middle of a batch.

use std::sync::Arc;
use std::time::Instant;

use futures_util::FutureExt;
use metadata::image::PartitionImage;
use protocol::ErrorCode;
use protocol::types::{BrokerId, LeaderEpoch, Offset};
use storage::log::{CleanupPolicy, LogConfig};

use super::cluster::{Cluster, Message, index};
use super::node::{Node, batch, bytes_of};
use crate::fetch::poll::LongPoll;
use crate::fetch::wait::Audience;
use crate::replica::append::{Acks, Moment};
use crate::replica::errors::PartitionError;
use crate::replica::follower::{Answer, Ask, Bounds, Taken};
use crate::replica::offsets::OffsetQuery;
use crate::replica::partition::Partition;
use crate::replica::read::{Reach, Read};
use crate::replica::record_deletion::{DeleteBefore, RecordDeletion};

impl Cluster {
    /// A client has records deleted by whoever it takes for the leader.
    pub(super) fn delete_records(&mut self, node: usize) {
        let Some(partition) = self.nodes[node].partition.clone() else { return };
        let Some(high_watermark) = self.nodes[node].high_watermark() else { return };
        let start = partition.lock().log_start_offset();
        let before = Offset(self.rng.i64(start.0..=high_watermark.0));
        match partition.delete_records(DeleteBefore::Offset(before), |_| true) {
            Ok(_) => self.deleted = self.deleted.max(before),
            Err(PartitionError::NotLeader) => {}
            Err(error) => panic!("{error}"),
        }
    }

    /// Housekeeping: what lies wholly below a log's start goes.
    pub(super) fn delete_segments(&mut self, node: usize) {
        let Some(partition) = &self.nodes[node].partition else { return };
        let deleted = partition.inspect(|replica| replica.log.apply_retention(0, replica.high_watermark));
        deleted.expect("the log is open").expect("is deleted");
    }

    /// The leader's log does not hold the end of the follower's.
    pub(super) fn ask_for_bounds(&mut self, follower: usize, broker_epoch: i64, ask: Ask) {
        let Some((leader, _)) = self.nodes[follower].follows() else { return };
        let Some(leader) = self.nodes[index(leader)].partition.clone() else { return };
        let reach = Reach::LogEnd(self.nodes[follower].id);
        let find = |query| leader.find_offset(query, reach, Some(ask.leader_epoch)).ok().flatten();
        if let (Some(start), Some(end)) = (find(OffsetQuery::Earliest), find(OffsetQuery::Latest)) {
            let bounds = Bounds { start: start.offset, end: end.offset };
            self.messages.push(Message::Bounds { follower, broker_epoch, ask, bounds });
        }
    }

    pub(super) fn take_bounds(&mut self, follower: usize, broker_epoch: i64, ask: &Ask, bounds: Bounds) {
        let node = self.started(follower, broker_epoch);
        let Some(partition) = node.and_then(|node| node.partition.clone()) else { return };
        self.restarts += usize::from(matches!(partition.take_bounds(ask, bounds, 0), Ok(Taken::Cut(_))));
    }
}

const LEADER: BrokerId = BrokerId(1);
const FOLLOWER: BrokerId = BrokerId(2);
const EPOCH: LeaderEpoch = LeaderEpoch(1);

fn started(id: BrokerId, isr: &[BrokerId]) -> (Node, Arc<Partition>) {
    let mut node = Node::new(id.0);
    node.start(1);
    let partition = node.partition.clone().expect("it is started");
    let image = PartitionImage {
        replicas: vec![LEADER, FOLLOWER],
        isr: isr.to_vec(),
        leader: LEADER,
        leader_epoch: EPOCH,
        min_isr: 1,
        ..PartitionImage::default()
    };
    partition.assume(&image, Instant::now());
    (node, partition)
}

/// A leader without followers, with two batches of three records.
fn leader() -> (Node, Arc<Partition>) {
    let (node, leader) = started(LEADER, &[LEADER]);
    for values in [[1, 2, 3], [4, 5, 6]] {
        leader.append(&batch(&values), Acks::Leader, &mut None, Moment::now()).expect("it leads");
    }
    (node, leader)
}

fn delete(leader: &Partition, before: i64, live: &[BrokerId]) -> Result<RecordDeletion, PartitionError> {
    leader.delete_records(DeleteBefore::Offset(Offset(before)), |id| live.contains(&id))
}

fn read(leader: &Partition, from: i64, reach: Reach, log_start: i64) -> Result<Answer, ErrorCode> {
    let read = Read {
        from: Offset(from),
        bytes_max: 10_000,
        at_least_one: true,
        reach,
        expected_epoch: None,
        last_fetched_epoch: None,
        broker_epoch: Some(1),
        log_start: Some(Offset(log_start)),
        asked_at: Instant::now(),
    };
    let read = leader.serve_consumer(&read).map_err(|error| error.code())?;
    Ok(Answer {
        error: ErrorCode::None,
        diverging: None,
        high_watermark: read.high_watermark,
        log_start: read.log_start_offset,
        records: read.records.as_ref().map(bytes_of).unwrap_or_default(),
    })
}

#[test]
fn records_are_deleted_up_to_the_high_watermark_and_no_further() {
    let (_node, leader) = leader();
    let done = |before| RecordDeletion { before: Offset(before), low_watermark: Offset(before) };
    assert_eq!(delete(&leader, 4, &[]).expect("it leads"), done(4));
    let earlier = delete(&leader, 2, &[]).expect("nothing is left there");
    assert_eq!((earlier.low_watermark, earlier.is_done()), (Offset(4), true));
    let code = |before| delete(&leader, before, &[]).map_err(|error| error.code());
    assert_eq!(code(7), Err(ErrorCode::OffsetOutOfRange));
    assert_eq!(code(-2), Err(ErrorCode::OffsetOutOfRange));
    let all = leader.delete_records(DeleteBefore::HighWatermark, |_| false);
    assert_eq!(all.expect("it leads"), done(6));
}

#[test]
fn only_the_leader_deletes_and_only_where_the_topic_says_delete() {
    let (_node, follower) = started(FOLLOWER, &[LEADER]);
    assert!(matches!(delete(&follower, 0, &[]), Err(PartitionError::NotLeader)));
    let (_node, leader) = leader();
    let configure = |delete, compact| {
        let cleanup_policy = CleanupPolicy { delete, compact };
        leader.configure(&Arc::new(LogConfig { cleanup_policy, ..LogConfig::default() }));
    };
    configure(false, true);
    let refused = delete(&leader, 1, &[]).map_err(|error| error.code());
    assert_eq!(refused, Err(ErrorCode::PolicyViolation));
    configure(true, true);
    delete(&leader, 1, &[]).expect("it has delete");
    configure(false, false);
    delete(&leader, 2, &[]).expect("as in Kafka, it is compaction that forbids it");
}

#[test]
fn a_deletion_is_done_once_every_live_replica_starts_there() {
    let (_node, leader) = leader();
    assert!(delete(&leader, 4, &[]).expect("it leads").is_done(), "nobody else lives");
    let live = |id| id == FOLLOWER;
    let deletion = delete(&leader, 4, &[FOLLOWER]).expect("it leads");
    assert_eq!((deletion.low_watermark, deletion.is_done()), (Offset(-1), false));
    let poll = LongPoll::watching(Audience::Deleters, vec![leader.clone()]);
    assert!(poll.moved().now_or_never().is_none());
    for log_start in [3, 4] {
        read(&leader, 6, Reach::LogEnd(FOLLOWER), log_start).expect("it leads");
        assert!(poll.moved().now_or_never().is_some(), "it is told that there is news");
        assert_eq!(leader.low_watermark(live).expect("it leads"), Offset(log_start));
    }
    read(&leader, 6, Reach::LogEnd(FOLLOWER), 4).expect("it leads");
    assert!(poll.moved().now_or_never().is_none());
}

#[test]
fn a_new_follower_begins_with_the_batch_in_which_its_leader_s_log_starts() {
    let (_leader_node, leader) = leader();
    delete(&leader, 4, &[]).expect("it leads");
    let (mut node, follower) = started(FOLLOWER, &[LEADER]);
    let ask = |partition: &Partition| Ask {
        leader_epoch: EPOCH,
        position: partition.position(EPOCH).expect("it follows"),
    };
    let first = ask(&follower);
    assert_eq!(first.position.log_end, Offset(0));
    assert_eq!(read(&leader, 0, Reach::LogEnd(FOLLOWER), 0), Err(ErrorCode::OffsetOutOfRange));
    let bounds = Bounds { start: Offset(4), end: Offset(6) };
    let taken = follower.take_bounds(&first, bounds, 0).expect("it follows");
    assert!(matches!(taken, Taken::Cut(position) if position.log_end == Offset(4)));
    let answer = read(&leader, 4, Reach::LogEnd(FOLLOWER), 4).expect("it is in the log");
    let taken = follower.take_answer(&ask(&follower), &answer, 0).expect("it is taken in");
    let Taken::At(position) = taken else { panic!("{taken:?}") };
    assert_eq!((position.log_start, position.log_end), (Offset(4), Offset(6)));
    let [one, two] = [&leader, &follower].map(|replica| read(replica, 4, Reach::HighWatermark, -1));
    assert_eq!(one.expect("it serves"), two.expect("it serves"), "the same bytes, from the same batch on");
    assert_eq!(read(&follower, 3, Reach::HighWatermark, -1), Err(ErrorCode::OffsetOutOfRange));
    assert_eq!(node.records().all, [5, 6].map(|value| (EPOCH, value)));
    node.kill();
    node.start(2);
    assert_eq!(node.records().start, Offset(3), "what no checkpoint says is forgotten");
}
