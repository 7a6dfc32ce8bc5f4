//! Recoveries of a small cluster whose store went back.

use std::collections::BTreeMap;
use std::sync::Arc;

use metadata::image::{ClusterImage, PartitionImage, TopicImage};
use metadata::keys::controller_key::decode_epoch;
use metadata::keys::producer_ids::ProducerIdBlock;
use metadata::keys::timeline::TimelineRecord;
use metadata::keys::topic::TopicRecord;
use metadata::keys::{Key, partition};
use protocol::types::{BrokerId, LeaderEpoch, Offset, Uuid};

use super::{Recovery, ReplicaReport, Report, recover};
use crate::state::State;

const ORDERS: Uuid = Uuid([9; 16]);
const FORGOTTEN: Uuid = Uuid([8; 16]);

fn ids(numbers: &[i32]) -> Vec<BrokerId> {
    numbers.iter().copied().map(BrokerId).collect()
}

/// One partition on three brokers, led by broker 1 in epoch 5, all of them in sync by the store.
fn state() -> State {
    let partition = PartitionImage {
        replicas: ids(&[1, 2, 3]),
        isr: ids(&[1, 2, 3]),
        leader: BrokerId(1),
        leader_epoch: LeaderEpoch(5),
        partition_epoch: 7,
        directories: vec![Uuid::ZERO; 3],
        ..PartitionImage::default()
    };
    let topic = TopicImage { name: "orders".into(), id: ORDERS, partitions: vec![Arc::new(partition)] };
    let image = ClusterImage {
        controller_epoch: 4,
        topics: [("orders".to_owned(), Arc::new(topic))].into(),
        topic_names: [(ORDERS, "orders".to_owned())].into(),
        ..ClusterImage::default()
    };
    State { image: Arc::new(image), ..State::default() }
}

fn replica(leader_epoch: i32, log_epoch: i32, log_end: i64, leading: bool) -> ReplicaReport {
    ReplicaReport {
        leader_epoch: LeaderEpoch(leader_epoch),
        log_epoch: LeaderEpoch(log_epoch),
        log_end_offset: Some(Offset(log_end)),
        leading,
    }
}

fn report(topic_id: Uuid, topic: &str, replica: ReplicaReport) -> Report {
    Report {
        controller_epoch: 6,
        replicas: [((topic_id, 0), replica)].into(),
        topics: [(topic_id, topic.to_owned())].into(),
        ..Report::default()
    }
}

fn reports(of: &[(i32, ReplicaReport)]) -> BTreeMap<BrokerId, Report> {
    of.iter().map(|(id, replica)| (BrokerId(*id), report(ORDERS, "orders", *replica))).collect()
}

fn written(recovery: &Recovery, key: &Key) -> Vec<u8> {
    let writes = recovery.plan.steps.iter().flat_map(|step| &step.writes);
    writes
        .into_iter()
        .find(|write| write.key == *key)
        .and_then(|write| write.value.clone())
        .expect("is written")
}

fn recovered(recovery: &Recovery, topic_id: Uuid) -> PartitionImage {
    partition::decode(topic_id, 0, &written(recovery, &Key::Partition(topic_id, 0))).unwrap()
}

/// Who is to lead, and whether that is clean.
fn check(of: &[(i32, ReplicaReport)], unclean: bool, expected: &[i32], is_clean: bool) {
    let recovery = recover(&state(), &reports(of), unclean).expect("nothing stands in its way");
    let partition = recovered(&recovery, ORDERS);
    assert_eq!(partition.isr, ids(expected), "{recovery:?}");
    assert!(!partition.has_leader() && partition.elr.is_empty() && partition.leader_epoch > LeaderEpoch(9));
    assert_eq!(recovery.plan.unclean_elections.is_empty(), is_clean);
    assert!(recovery.plan.steps.iter().all(|step| step.changes.is_empty()), "nobody hears of it yet");
}

#[test]
fn who_leads_under_the_newest_epoch_goes_on() {
    check(
        &[(1, replica(5, 5, 900, true)), (2, replica(8, 8, 100, true)), (3, replica(8, 8, 90, false))],
        false,
        &[2],
        true,
    );
}

#[test]
fn where_nobody_leads_the_log_that_goes_furthest_decides() {
    check(
        &[(1, replica(5, 5, 900, false)), (2, replica(8, 7, 95, false)), (3, replica(8, 7, 100, false))],
        false,
        &[3],
        true,
    );
    check(
        &[(1, replica(5, 5, 50, false)), (2, replica(5, 5, 50, false)), (3, replica(5, 5, 50, false))],
        false,
        &[1],
        true,
    );
}

#[test]
fn a_replica_that_was_not_heard_stands_in_the_way_unless_it_is_given_up() {
    let two = [(1, replica(5, 5, 50, false)), (2, replica(5, 5, 60, false))];
    let refused = recover(&state(), &reports(&two), false).unwrap_err();
    assert!(refused.len() == 1 && refused[0].contains("broker 3"), "{refused:?}");
    check(&two, true, &[2], false);
    let unreadable = ReplicaReport { log_end_offset: None, ..replica(5, -1, 0, false) };
    let three = [two[0], two[1], (3, unreadable)];
    assert!(recover(&state(), &reports(&three), false).is_err());
}

#[test]
fn without_any_replica_the_last_leader_is_remembered() {
    let recovery = recover(&state(), &BTreeMap::new(), true).unwrap();
    let partition = recovered(&recovery, ORDERS);
    assert_eq!((partition.isr, partition.last_known_elr), (ids(&[]), ids(&[1])));
    assert!(recovery.findings[0].contains("OFFLINE"));
}

#[test]
fn a_topic_that_the_store_forgot_comes_back() {
    let all = [1, 2, 3].map(|id| (id, replica(5, 5, 50, id == 1)));
    let mut reports = reports(&all);
    for (id, end) in [(2, 10), (3, 20)] {
        let more = report(FORGOTTEN, "later", replica(0, 0, end, false));
        let known = reports.get_mut(&BrokerId(id)).unwrap();
        known.replicas.extend(more.replicas);
        known.topics.extend(more.topics);
    }
    let recovery = recover(&state(), &reports, false).unwrap();
    let topic = TopicRecord::decode("later", &written(&recovery, &Key::Topic("later".into()))).unwrap();
    assert_eq!((topic.topic_id, topic.partitions), (FORGOTTEN, 1));
    let partition = recovered(&recovery, FORGOTTEN);
    assert_eq!((partition.replicas, partition.isr), (ids(&[3, 2]), ids(&[3])));
}

#[test]
fn a_new_timeline_begins_past_everything_that_was_seen() {
    let all = [1, 2, 3].map(|id| (id, replica(5, 5, 50, id == 1)));
    let mut reports = reports(&all);
    reports.get_mut(&BrokerId(2)).unwrap().timeline = 3;
    let recovery = recover(&state(), &reports, false).unwrap();
    let timeline = TimelineRecord::decode(&written(&recovery, &Key::Timeline)).unwrap();
    assert_eq!(timeline, TimelineRecord { timeline: 4, went_back: None });
    assert_eq!(decode_epoch(&written(&recovery, &Key::ControllerEpoch)).unwrap(), 6);
    let ids = ProducerIdBlock::decode(&written(&recovery, &Key::ProducerIds)).unwrap();
    assert!(ids.next_start().unwrap() >= 1_000_000_000);
}
