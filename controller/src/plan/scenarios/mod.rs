//! Scenarios over all plans, on a small cluster in memory.

mod cluster;
mod random;

use std::sync::Arc;

use metadata::change::Change;
use metadata::image::ConfigResource;
use protocol::ErrorCode;
use protocol::types::{BrokerId, LeaderEpoch, Uuid};

use self::cluster::{Cluster, Start, TOPIC, ids};
use crate::admission::Trust;
use crate::plan::Plan;
use crate::plan::alter_configs::{NewValues, alter_configs};
use crate::plan::alter_isr::{Proposal, alter_isr};
use crate::plan::broker_gone::fence_broker;
use crate::plan::create_partitions::create_partitions;
use crate::plan::create_topic::{NewTopic, create_topic};
use crate::plan::delete_topic::delete_topic;
use crate::plan::elect_leaders::elect_missing_leaders;
use crate::plan::preferred_leaders::balance_leaders;
use crate::plan::replicas_offline::replicas_offline;
use crate::state::Values;

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
fn a_follower_without_room_leaves_the_isr_and_returns_when_it_has_room() {
    let mut cluster = Cluster::new(3);
    cluster.create(&[&[1, 2, 3]], &[("min.insync.replicas", "2")]);
    cluster.fill(3, &[0]);
    cluster.check(1, &[1, 2]);
    assert_eq!(cluster.propose(1, &[1, 2, 3]), ErrorCode::IneligibleReplica);
    assert!(replicas_offline(&cluster.state, BrokerId(3)).is_empty(), "told again, it changes nothing");
    cluster.fill(3, &[]);
    assert_eq!(cluster.propose(1, &[1, 2, 3]), ErrorCode::None);
    cluster.check(1, &[1, 2, 3]);
}

#[test]
fn a_leader_without_room_goes_on_and_alters_its_isr() {
    let mut cluster = Cluster::new(2);
    cluster.create(&[&[1, 2]], &[]);
    cluster.fill(1, &[0]);
    cluster.check(1, &[1, 2]);
    assert_eq!(cluster.propose(1, &[1]), ErrorCode::None);
    assert_eq!(cluster.propose(1, &[1, 2]), ErrorCode::None);
}

#[test]
fn when_all_disks_are_full_the_leader_stays_and_the_others_are_eligible() {
    let mut cluster = Cluster::new(3);
    cluster.create(&[&[1, 2, 3]], &[("min.insync.replicas", "2")]);
    (1..=3).for_each(|id| cluster.fill(id, &[0]));
    cluster.check(1, &[1]);
    assert_eq!(cluster.partition(0).elr, ids(&[3]), "2 left while there were enough");
    cluster.die(1);
    cluster.check(3, &[3]);
    cluster.die(3);
    cluster.check(-1, &[3]);
    cluster.fill(2, &[0]);
    cluster.check(-1, &[3]);
    cluster.start(3, Start::AfterKill);
    cluster.fill(3, &[0]);
    cluster.check(3, &[3]);
    assert_eq!(cluster.unclean, 0);
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
    // Nobody returns without the registration under which it was seen in sync.
    let unregistered = proposal(0, 1, &[(1, -1), (2, -1), (3, -1)]);
    let (plan, errors) = alter_isr(&cluster.state, BrokerId(1), &[unregistered]);
    assert_eq!((plan.is_empty(), errors), (true, vec![ErrorCode::IneligibleReplica]));
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
