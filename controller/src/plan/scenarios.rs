//! Scenarios over all plans: a small cluster in memory, to which plans are committed as the store would, and whose invariants
//! are checked after every step.

use std::sync::Arc;

use metadata::change::Change;
use metadata::image::{ConfigResource, PartitionImage};
use metadata::keys::broker_registration::{BrokerRegistration, NO_CLEAN_SHUTDOWN};
use metadata::store::LeaseId;
use protocol::ErrorCode;
use protocol::types::{BrokerId, LeaderEpoch, Uuid};

use super::alter_configs::{NewValues, alter_configs};
use super::alter_isr::{Proposal, alter_isr};
use super::broker_back::{admit_broker, distrust_broker};
use super::broker_gone::{broker_gone, fence_broker, hand_over};
use super::create_partitions::create_partitions;
use super::create_topic::{NewTopic, create_topic};
use super::delete_topic::delete_topic;
use super::elect_leaders::elect_missing_leaders;
use super::preferred_leaders::balance_leaders;
use super::replicas_offline::replicas_offline;
use super::{Plan, WRITES_MAX};
use crate::admission::{Trust, judge};
use crate::state::{Registered, State, Values};

const TOPIC: Uuid = Uuid([9; 16]);

/// The cluster of a scenario.
struct Cluster {
    state: State,
    revision: i64,
    unclean: usize,
}

impl Cluster {
    fn new(brokers: i32) -> Cluster {
        let mut cluster = Cluster { state: State::default(), revision: 10, unclean: 0 };
        for id in 1..=brokers {
            cluster.start(id, Start::Fresh);
        }
        cluster
    }

    fn commit(&mut self, plan: Plan) {
        self.unclean += plan.unclean_elections.len();
        for step in plan.steps {
            assert!(step.writes.len() <= WRITES_MAX);
            let step = self.state.marked(step);
            self.revision += 1;
            let before = Arc::clone(&self.state.image);
            let delta = self.state.committed(step, self.revision).expect("a plan fits its state");
            if let Some(delta) = delta {
                assert_eq!(before.advanced_by(&delta).as_ref(), Ok(&*self.state.image));
                let stays = self.state.key_revisions.values().any(|revision| *revision == self.revision);
                assert!(stays, "what brokers are told leaves a key behind");
            }
            assert_eq!(self.state.image.broken_invariant(), None);
            self.assert_epochs_grow(&before);
        }
    }

    fn assert_epochs_grow(&self, before: &metadata::image::ClusterImage) {
        for topic in self.state.image.topics.values() {
            let Some(earlier) = before.topic_by_id(topic.id) else { continue };
            for (now, before) in topic.partitions.iter().zip(&earlier.partitions) {
                assert!(
                    now.leader_epoch >= before.leader_epoch && now.partition_epoch >= before.partition_epoch
                );
                // min.insync.replicas stands in no partition's key.
                let same = PartitionImage { min_isr: before.min_isr, ..(**now).clone() } == **before;
                assert!(same || now.partition_epoch > before.partition_epoch);
                assert!(now.leader == before.leader || now.leader_epoch > before.leader_epoch);
            }
        }
    }

    /// The broker registers, connects and is admitted, as the shell does it.
    fn start(&mut self, id: i32, how: Start) -> Trust {
        let id = BrokerId(id);
        self.revision += 1;
        let epoch = self.revision;
        let registration = BrokerRegistration {
            incarnation: Uuid([(epoch % 250) as u8 + 1; 16]),
            boot_id: if how == Start::AfterPowerLoss { format!("boot {epoch}") } else { "boot".into() },
            clean_shutdown_epoch: NO_CLEAN_SHUTDOWN,
            log_dirs: vec![Uuid([id.0 as u8; 16])],
            ..BrokerRegistration::default()
        };
        let registered = Registered { epoch, mod_revision: epoch, lease: LeaseId::NONE, registration };
        if self.state.image.brokers.contains_key(&id) {
            self.commit(broker_gone(&self.state, id));
        }
        self.state.registrations.insert(id, registered.clone());
        let trust = judge(self.state.admitted.get(&id), &registered.registration);
        if !trust.keeps_memberships() {
            self.commit(distrust_broker(&self.state, id));
        }
        self.state.connected.insert(id);
        self.state.shutting_down.remove(&id);
        self.state.offline_replicas.remove(&id);
        self.commit(admit_broker(&self.state, id, &registered));
        trust
    }

    fn die(&mut self, id: i32) {
        let id = BrokerId(id);
        self.state.connected.remove(&id);
        self.state.registrations.remove(&id);
        self.commit(broker_gone(&self.state, id));
    }

    /// Log directories of the broker fail, or are fine again: these partitions of it are offline.
    fn fail(&mut self, id: i32, partitions: &[i32]) {
        let offline = partitions.iter().map(|partition| (TOPIC, *partition)).collect();
        self.state.offline_replicas.insert(BrokerId(id), offline);
        self.commit(replicas_offline(&self.state, BrokerId(id)));
    }

    /// All that is set on the topic from now on.
    fn set(&mut self, configs: &[(&str, &str)]) {
        let values = configs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let resource = ConfigResource::Topic("orders".into());
        self.commit(alter_configs(&self.state, vec![NewValues { resource, values }]));
        self.commit(elect_missing_leaders(&self.state));
    }

    /// Controlled shutdown.
    fn stop(&mut self, id: i32) {
        self.state.shutting_down.insert(BrokerId(id));
        self.commit(hand_over(&self.state, BrokerId(id)));
    }

    fn create(&mut self, assignment: &[&[i32]], configs: &[(&str, &str)]) {
        let configs: Values =
            configs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let assignment = assignment.iter().map(|replicas| ids(replicas)).collect();
        let topic = NewTopic { name: "orders".into(), id: TOPIC, assignment, configs };
        let steps = create_topic(&self.state, topic);
        self.commit(Plan { steps, ..Plan::default() });
    }

    fn partition(&self, index: i32) -> &PartitionImage {
        self.state.partition(TOPIC, index).expect("the partition exists")
    }

    /// Leader and ISR of partition 0.
    fn check(&self, leader: i32, isr: &[i32]) {
        let partition = self.partition(0);
        assert_eq!((partition.leader, &partition.isr), (BrokerId(leader), &ids(isr)), "{partition:?}");
    }

    fn propose(&mut self, broker: i32, isr: &[i32]) -> ErrorCode {
        let PartitionImage { leader_epoch, partition_epoch, .. } = *self.partition(0);
        let isr = isr.iter().map(|id| (BrokerId(*id), self.epoch_of(*id))).collect();
        let proposal = Proposal { topic_id: TOPIC, partition: 0, leader_epoch, partition_epoch, isr };
        let (plan, errors) = alter_isr(&self.state, BrokerId(broker), &[proposal]);
        self.commit(plan);
        errors[0]
    }

    fn epoch_of(&self, id: i32) -> i64 {
        self.state.image.brokers.get(&BrokerId(id)).map_or(0, |broker| broker.epoch)
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Start {
    Fresh,
    AfterKill,
    AfterPowerLoss,
}

fn ids(numbers: &[i32]) -> Vec<BrokerId> {
    numbers.iter().copied().map(BrokerId).collect()
}

#[test]
fn a_lone_broker_that_was_killed_leads_again() {
    let mut cluster = Cluster::new(1);
    cluster.create(&[&[1], &[1]], &[]);
    cluster.check(1, &[1]);
    cluster.die(1);
    cluster.check(-1, &[1]);
    assert_eq!(cluster.start(1, Start::AfterKill), Trust::SameBoot);
    cluster.check(1, &[1]);
    assert_eq!((cluster.partition(0).leader_epoch, cluster.unclean), (LeaderEpoch(2), 0));
}

#[test]
fn a_lone_broker_that_lost_power_leads_again_and_it_is_counted() {
    let mut cluster = Cluster::new(1);
    cluster.create(&[&[1]], &[]);
    cluster.die(1);
    assert_eq!(cluster.start(1, Start::AfterPowerLoss), Trust::Lost);
    cluster.check(1, &[1]);
    assert_eq!(cluster.unclean, 1);
}

#[test]
fn a_broker_that_comes_back_before_its_death_was_seen_leads_under_a_new_epoch() {
    let mut cluster = Cluster::new(1);
    cluster.create(&[&[1]], &[]);
    cluster.start(1, Start::AfterKill);
    cluster.check(1, &[1]);
    assert_eq!(cluster.partition(0).leader_epoch, LeaderEpoch(2));
}

#[test]
fn a_dead_leader_is_followed_and_comes_back_as_a_follower_out_of_sync() {
    let mut cluster = Cluster::new(3);
    cluster.create(&[&[1, 2, 3]], &[]);
    cluster.die(1);
    cluster.check(2, &[2, 3]);
    cluster.start(1, Start::AfterKill);
    cluster.check(2, &[2, 3]);
    assert_eq!(cluster.propose(2, &[2, 3, 1]), ErrorCode::None);
    cluster.check(2, &[2, 3, 1]);
}

#[test]
fn a_leader_whose_stream_is_broken_stays_when_a_follower_dies() {
    let mut cluster = Cluster::new(3);
    cluster.create(&[&[1, 2, 3]], &[]);
    cluster.state.connected.remove(&BrokerId(1));
    cluster.die(2);
    cluster.check(1, &[1, 3]);
    assert_eq!(cluster.partition(0).leader_epoch, LeaderEpoch(0));
}

#[test]
fn a_broker_that_lost_power_is_no_eligible_replica() {
    let mut cluster = Cluster::new(2);
    cluster.create(&[&[1, 2]], &[("min.insync.replicas", "2")]);
    cluster.die(1);
    cluster.check(2, &[2]);
    assert_eq!(cluster.partition(0).elr, ids(&[1]));
    cluster.die(2);
    assert_eq!(cluster.start(1, Start::AfterPowerLoss), Trust::Lost);
    cluster.check(-1, &[2]);
    assert_eq!(cluster.start(2, Start::AfterKill), Trust::SameBoot);
    cluster.check(2, &[2]);
    assert_eq!(cluster.unclean, 0);
}

#[test]
fn an_eligible_replica_leads_when_the_isr_is_gone() {
    let mut cluster = Cluster::new(2);
    cluster.create(&[&[1, 2]], &[("min.insync.replicas", "2")]);
    cluster.die(1);
    cluster.die(2);
    cluster.check(-1, &[2]);
    cluster.start(1, Start::AfterKill);
    cluster.check(1, &[1]);
    assert_eq!((&cluster.partition(0).elr, cluster.unclean), (&ids(&[2]), 0));
}

#[test]
fn an_unclean_leader_is_elected_where_the_topic_allows_it_and_counted() {
    let mut cluster = Cluster::new(2);
    cluster.create(&[&[1, 2]], &[("unclean.leader.election.enable", "true")]);
    assert_eq!(cluster.propose(1, &[1]), ErrorCode::None);
    cluster.die(1);
    cluster.check(2, &[2]);
    assert_eq!(cluster.unclean, 1);
}

#[test]
fn a_leader_that_is_cut_off_from_those_who_live_is_succeeded() {
    let cluster = || {
        let mut cluster = Cluster::new(3);
        cluster.create(&[&[1, 2, 3]], &[("min.insync.replicas", "2")]);
        cluster
    };
    let mut at_once = cluster();
    assert_eq!(at_once.propose(1, &[1]), ErrorCode::NewLeaderElected);
    at_once.check(2, &[2, 3]);
    assert_eq!(at_once.partition(0).leader_epoch, LeaderEpoch(1));
    let mut one_by_one = cluster();
    assert_eq!(one_by_one.propose(1, &[1, 3]), ErrorCode::None);
    assert_eq!(one_by_one.propose(1, &[1]), ErrorCode::NewLeaderElected);
    one_by_one.check(3, &[3]);
    assert_eq!(one_by_one.partition(0).elr, ids(&[1]));
    assert_eq!(one_by_one.propose(3, &[3, 2]), ErrorCode::None);
    one_by_one.check(3, &[3, 2]);
    let mut with_the_dead = cluster();
    with_the_dead.die(3);
    assert_eq!(with_the_dead.propose(1, &[1]), ErrorCode::None, "one could not go on either");
    with_the_dead.check(1, &[1]);
    let mut silent = cluster();
    silent.state.connected.remove(&BrokerId(2));
    assert_eq!(silent.propose(1, &[1]), ErrorCode::None, "who has no stream may be dead");
    silent.check(1, &[1]);
}

#[test]
fn a_broker_in_controlled_shutdown_hands_over_and_is_not_elected() {
    let mut cluster = Cluster::new(2);
    cluster.create(&[&[1, 2], &[1]], &[]);
    cluster.stop(1);
    cluster.check(2, &[2]);
    assert_eq!(cluster.partition(1).leader, BrokerId(1), "nobody else can lead it");
    assert_eq!(cluster.propose(2, &[2, 1]), ErrorCode::IneligibleReplica);
    cluster.die(1);
    assert_eq!(cluster.partition(1).leader, BrokerId::NONE);
    assert_eq!(cluster.partition(1).isr, ids(&[1]));
    cluster.start(1, Start::AfterKill);
    assert_eq!((cluster.partition(1).leader, cluster.unclean), (BrokerId(1), 0));
}

#[test]
fn two_brokers_that_stop_at_once_hand_over_to_the_third() {
    let mut cluster = Cluster::new(3);
    cluster.create(&[&[1, 2, 3], &[1, 2]], &[]);
    cluster.stop(1);
    cluster.check(2, &[2, 3]);
    cluster.stop(2);
    cluster.check(3, &[3]);
    assert_eq!(cluster.partition(1).leader, BrokerId(2), "the last one in sync keeps it");
    cluster.die(2);
    assert_eq!((cluster.partition(1).leader, &cluster.partition(1).isr), (BrokerId::NONE, &ids(&[2])));
    cluster.die(1);
    cluster.start(2, Start::AfterKill);
    assert_eq!(cluster.partition(1).leader, BrokerId(2));
}

#[test]
fn a_silent_broker_is_fenced_and_returns_without_registering_again() {
    let mut cluster = Cluster::new(2);
    cluster.create(&[&[1, 2]], &[]);
    cluster.state.connected.remove(&BrokerId(1));
    cluster.commit(fence_broker(&cluster.state, BrokerId(1)));
    cluster.check(2, &[2]);
    assert!(!cluster.state.image.is_live(BrokerId(1)));
    assert!(cluster.state.image.brokers.contains_key(&BrokerId(1)));
    assert!(fence_broker(&cluster.state, BrokerId(1)).is_empty(), "once is enough");
}

#[test]
fn an_offline_replica_hands_over_and_comes_back_only_when_it_is_fine() {
    let mut cluster = Cluster::new(2);
    cluster.create(&[&[1, 2], &[1, 2]], &[("min.insync.replicas", "2")]);
    cluster.fail(1, &[0]);
    cluster.check(2, &[2]);
    assert_eq!(cluster.partition(0).elr, ids(&[]), "its log may lack what it had acknowledged");
    assert_eq!(cluster.partition(1).leader, BrokerId(1), "its other directories are fine");
    assert_eq!(cluster.propose(2, &[2, 1]), ErrorCode::IneligibleReplica);
    cluster.die(2);
    cluster.check(-1, &[2]);
    cluster.start(2, Start::AfterKill);
    cluster.check(2, &[2]);
    cluster.fail(1, &[]);
    assert_eq!(cluster.propose(2, &[2, 1]), ErrorCode::None);
    assert_eq!(cluster.unclean, 0);
}

#[test]
fn a_lone_replica_that_goes_offline_is_remembered_and_returns_uncleanly() {
    let mut cluster = Cluster::new(1);
    cluster.create(&[&[1], &[1]], &[]);
    cluster.fail(1, &[0]);
    cluster.check(-1, &[]);
    assert_eq!(cluster.partition(0).last_known_elr, ids(&[1]));
    cluster.commit(elect_missing_leaders(&cluster.state));
    cluster.check(-1, &[]);
    cluster.fail(1, &[]);
    cluster.check(1, &[1]);
    assert_eq!(cluster.unclean, 1);
}

#[test]
fn another_min_isr_clears_the_elr_before_it_is_told() {
    let mut cluster = Cluster::new(2);
    cluster.create(&[&[1, 2]], &[("min.insync.replicas", "2")]);
    cluster.die(2);
    assert_eq!(cluster.partition(0).elr, ids(&[2]));
    let values = Values::from([("min.insync.replicas".to_owned(), "1".to_owned())]);
    let new = NewValues { resource: ConfigResource::Topic("orders".into()), values };
    let plan = alter_configs(&cluster.state, vec![new]);
    let clearing = plan.steps.iter().position(|step| step.changes.iter().any(is_without_elr));
    let telling =
        plan.steps.iter().position(|step| step.changes.iter().any(|change| tells_min_isr(change, 1)));
    assert!(clearing.unwrap() < telling.unwrap());
    cluster.commit(plan);
    assert_eq!((cluster.partition(0).min_isr, &cluster.partition(0).elr), (1, &ids(&[])));
    cluster.die(1);
    cluster.start(2, Start::AfterKill);
    cluster.check(-1, &[1]);
}

fn is_without_elr(change: &Change) -> bool {
    matches!(change, Change::PartitionChanged { state, .. } if state.elr.is_empty())
}

fn tells_min_isr(change: &Change, min_isr: i32) -> bool {
    matches!(change, Change::PartitionChanged { state, .. } if state.min_isr == min_isr)
}

#[test]
fn an_unclean_election_comes_as_soon_as_the_topic_allows_it() {
    let mut cluster = Cluster::new(2);
    cluster.create(&[&[1, 2]], &[]);
    assert_eq!(cluster.propose(1, &[1]), ErrorCode::None);
    cluster.die(1);
    cluster.check(-1, &[1]);
    cluster.set(&[("unclean.leader.election.enable", "true")]);
    cluster.check(2, &[2]);
    assert_eq!(cluster.unclean, 1);
}

#[test]
fn leadership_goes_back_to_preferred_replicas_that_are_in_sync() {
    let mut cluster = Cluster::new(2);
    cluster.create(&[&[1, 2], &[1, 2], &[2, 1]], &[]);
    cluster.die(1);
    cluster.start(1, Start::AfterKill);
    assert!(balance_leaders(&cluster.state).is_empty(), "it is not in sync yet");
    assert_eq!(cluster.propose(2, &[2, 1]), ErrorCode::None);
    cluster.commit(balance_leaders(&cluster.state));
    cluster.check(1, &[2, 1]);
    assert_eq!(cluster.partition(1).leader, BrokerId(2), "this one is not in sync yet");
    assert_eq!(cluster.unclean, 0);
}

#[test]
fn a_stale_proposal_changes_nothing() {
    let mut cluster = Cluster::new(3);
    cluster.create(&[&[1, 2, 3]], &[]);
    let proposal = |leader_epoch, partition_epoch, isr: &[(i32, i64)]| Proposal {
        topic_id: TOPIC,
        partition: 0,
        leader_epoch: LeaderEpoch(leader_epoch),
        partition_epoch,
        isr: isr.iter().map(|(id, epoch)| (BrokerId(*id), *epoch)).collect(),
    };
    let check = |broker: i32, proposal: Proposal, expected| {
        let (plan, errors) = alter_isr(&cluster.state, BrokerId(broker), &[proposal]);
        assert_eq!((plan.is_empty(), errors), (true, vec![expected]));
    };
    let one: &[(i32, i64)] = &[(1, -1)];
    check(1, proposal(1, 0, one), ErrorCode::NotController);
    check(1, proposal(0, 1, one), ErrorCode::NotController);
    check(2, proposal(0, 0, &[(2, -1)]), ErrorCode::InvalidRequest);
    check(1, proposal(0, 0, &[(2, -1)]), ErrorCode::InvalidRequest);
    check(1, proposal(0, 0, &[(1, -1), (1, -1)]), ErrorCode::InvalidRequest);
    check(1, proposal(0, 0, &[(1, -1), (4, -1)]), ErrorCode::InvalidRequest);
    check(1, proposal(0, 0, &[(1, -1), (2, 1)]), ErrorCode::IneligibleReplica);
    check(1, Proposal { topic_id: Uuid([1; 16]), ..proposal(0, 0, one) }, ErrorCode::UnknownTopicId);
    check(1, Proposal { partition: 7, ..proposal(0, 0, one) }, ErrorCode::UnknownTopicOrPartition);
    assert_eq!(cluster.propose(1, &[1, 2]), ErrorCode::None);
    let (plan, errors) = alter_isr(&cluster.state, BrokerId(1), &[proposal(0, 0, one)]);
    assert_eq!((plan.is_empty(), errors), (true, vec![ErrorCode::InvalidUpdateVersion]));
}

#[test]
fn a_large_topic_is_seen_whole_or_not_at_all() {
    let mut cluster = Cluster::new(3);
    let assignment: Vec<&[i32]> = (0..300).map(|_| &[1, 2, 3][..]).collect();
    let topic = NewTopic {
        name: "orders".into(),
        id: TOPIC,
        assignment: assignment.iter().map(|replicas| ids(replicas)).collect(),
        configs: Values::new(),
    };
    let steps = create_topic(&cluster.state, topic);
    assert_eq!(steps.len(), 3);
    assert!(steps[..2].iter().all(|step| step.changes.is_empty()));
    cluster.commit(Plan { steps, ..Plan::default() });
    assert_eq!(cluster.state.image.topic("orders").unwrap().partitions.len(), 300);
    let topic = Arc::clone(cluster.state.image.topic("orders").unwrap());
    let steps = create_partitions(&cluster.state, &topic, vec![ids(&[3]), ids(&[2])]);
    cluster.commit(Plan { steps, ..Plan::default() });
    assert_eq!(cluster.partition(301).leader, BrokerId(2));
    let topic = Arc::clone(cluster.state.image.topic("orders").unwrap());
    let steps = delete_topic(&cluster.state, &topic);
    assert!(!steps[0].changes.is_empty() && steps[1..].iter().all(|step| step.changes.is_empty()));
    cluster.commit(Plan { steps, ..Plan::default() });
    assert!(cluster.state.image.topics.is_empty());
    assert!(!cluster.state.key_revisions.keys().any(|key| matches!(key, metadata::keys::Key::Partition(..))));
}

fn assert_offline_lead_nothing(cluster: &Cluster, id: i32, offline: &[i32]) {
    for index in offline {
        let partition = cluster.partition(*index);
        assert!(!partition.isr.contains(&BrokerId(id)) && !partition.elr.contains(&BrokerId(id)));
    }
}

#[test]
fn random_deaths_and_returns_never_break_an_invariant() {
    for seed in 0..100 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut cluster = Cluster::new(3);
        let min_isr = if rng.bool() { "1" } else { "2" };
        cluster.create(&[&[1, 2, 3], &[2, 3], &[3]], &[("min.insync.replicas", min_isr)]);
        for _ in 0..60 {
            let id = rng.i32(1..=3);
            match (cluster.state.image.is_live(BrokerId(id)), rng.u8(..8)) {
                (true, 0) => cluster.die(id),
                (true, 2) => cluster.stop(id),
                (true, 3) => cluster.set(&[("min.insync.replicas", if rng.bool() { "1" } else { "2" })]),
                (true, 4) => cluster.commit(balance_leaders(&cluster.state)),
                (true, 1) => {
                    let offline: Vec<i32> = (0..3).filter(|_| rng.u8(..3) == 0).collect();
                    cluster.fail(id, &offline);
                    assert_offline_lead_nothing(&cluster, id, &offline);
                }
                (true, _) => {
                    cluster.propose(
                        id,
                        &(1..=3).filter(|member| *member == id || rng.bool()).collect::<Vec<_>>(),
                    );
                }
                (false, 0) => {
                    cluster.start(id, Start::AfterPowerLoss);
                }
                (false, _) => {
                    cluster.start(id, Start::AfterKill);
                }
            }
        }
        (1..=3).for_each(|id| {
            cluster.start(id, Start::AfterKill);
        });
        for index in 0..3 {
            assert!(
                cluster.partition(index).has_leader(),
                "seed {seed}: all live, yet {:?}",
                cluster.partition(index)
            );
        }
    }
}
