//! Recoveries of a small cluster whose store went back.

use std::collections::BTreeMap;
use std::sync::Arc;

use metadata::image::{ClusterImage, PartitionImage, TopicImage};
use metadata::keys::broker_registration::BrokerRegistration;
use metadata::keys::controller_key::decode_epoch;
use metadata::keys::producer_ids::ProducerIdBlock;
use metadata::keys::timeline::TimelineRecord;
use metadata::keys::topic::TopicRecord;
use metadata::keys::{Key, partition};
use metadata::store::LeaseId;
use protocol::types::{BrokerId, LeaderEpoch, Offset, Uuid};

use super::{Recovery, ReplicaReport, Report, recover};
use crate::state::{Registered, State};

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
fn nobody_who_lives_is_given_up() {
    let mut state = state();
    for id in ids(&[1, 2]) {
        let registration = BrokerRegistration::default();
        state
            .registrations
            .insert(id, Registered { epoch: 9, mod_revision: 9, lease: LeaseId::NONE, registration });
    }
    let one = (1, replica(5, 5, 50, false));
    let refused = recover(&state, &reports(&[one]), true).unwrap_err();
    assert!(refused.len() == 1 && refused[0].contains("broker 2 is registered"), "{refused:?}");
    assert!(recover(&state, &reports(&[one, (2, replica(5, 5, 60, false))]), true).is_ok());
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

/// Three replicas of one partition, and what became of them since the backup.
struct Replicated {
    rng: fastrand::Rng,
    /// Each record as the epoch under which it was appended, and a number of its own.
    logs: [Vec<(i32, u32)>; 3],
    /// The leader epoch of which each replica was told, and who it believes leads.
    told: [(i32, usize); 3],
    /// The newest epoch in each log; a leader notes its own when it begins.
    log_epochs: [i32; 3],
    leader: usize,
    epoch: i32,
    isr: Vec<usize>,
    committed: Vec<(i32, u32)>,
}

impl Replicated {
    fn new(seed: u64) -> Replicated {
        Replicated {
            rng: fastrand::Rng::with_seed(seed),
            logs: Default::default(),
            told: [(5, 0); 3],
            log_epochs: [5; 3],
            leader: 0,
            epoch: 5,
            isr: vec![0, 1, 2],
            committed: Vec::new(),
        }
    }

    fn step(&mut self) {
        let one = self.rng.usize(..3);
        match self.rng.u8(..8) {
            0..=2 if self.told[one].1 == one => {
                let record = (self.told[one].0, self.rng.u32(..));
                self.logs[one].push(record);
            }
            3 | 4 => self.fetch(one),
            5 => self.told[one] = (self.epoch, self.leader),
            6 if one != self.leader => match self.isr.iter().position(|member| *member == one) {
                Some(at) => drop(self.isr.remove(at)),
                None if self.logs[one].starts_with(&self.committed) => self.isr.push(one),
                None => {}
            },
            7 => self.elect(),
            _ => {}
        }
        self.commit();
    }

    /// A follower that knows the leader truncates to where they part, and copies.
    fn fetch(&mut self, one: usize) {
        if one == self.leader || self.told[one].0 != self.epoch {
            return;
        }
        self.logs[one] = self.logs[self.leader].clone();
        self.log_epochs[one] = self.logs[one].last().map_or(self.log_epochs[one], |record| record.0);
    }

    fn elect(&mut self) {
        self.epoch += 1;
        self.leader = self.isr[self.rng.usize(..self.isr.len())];
        self.told[self.leader] = (self.epoch, self.leader);
        self.log_epochs[self.leader] = self.epoch;
    }

    /// What every member of the ISR holds of the leader's log is committed.
    fn commit(&mut self) {
        let log = &self.logs[self.leader];
        let held = |member: &usize| {
            log.iter().zip(&self.logs[*member]).take_while(|(one, other)| one == other).count()
        };
        let everywhere = self.isr.iter().map(held).min().unwrap_or(0);
        if everywhere > self.committed.len() {
            self.committed = log[..everywhere].to_vec();
        }
    }

    fn reports(&mut self) -> BTreeMap<BrokerId, Report> {
        let heard: Vec<(i32, ReplicaReport)> = (0..3)
            .map(|one| {
                let (told, leader) = self.told[one];
                let epoch = self.log_epochs[one];
                let leads = leader == one && self.rng.u8(..4) > 0;
                (one as i32 + 1, replica(told.max(epoch), epoch, self.logs[one].len() as i64, leads))
            })
            .collect();
        reports(&heard)
    }
}

#[test]
fn whoever_is_chosen_holds_all_that_was_committed() {
    for seed in 0..2_000 {
        let mut replicated = Replicated::new(seed);
        (0..40).for_each(|_| replicated.step());
        let reports = replicated.reports();
        let recovery = recover(&state(), &reports, false).unwrap();
        let chosen = recovered(&recovery, ORDERS).isr[0].0 as usize - 1;
        assert!(
            replicated.logs[chosen].starts_with(&replicated.committed),
            "seed {seed}: {chosen} lacks some of {:?}: {reports:?}",
            replicated.committed
        );
    }
}
