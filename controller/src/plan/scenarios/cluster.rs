//! The cluster of a scenario: plans are committed to it as the store would, and its invariants are checked after every step.

use std::collections::HashSet;
use std::sync::Arc;

use metadata::image::{ConfigResource, PartitionImage};
use metadata::keys::broker_registration::{BrokerRegistration, NO_CLEAN_SHUTDOWN};
use metadata::store::LeaseId;
use protocol::ErrorCode;
use protocol::types::{BrokerId, Uuid};

use crate::admission::{Trust, judge};
use crate::plan::alter_configs::{NewValues, alter_configs};
use crate::plan::alter_isr::{Proposal, alter_isr};
use crate::plan::broker_back::{admit_broker, distrust_broker};
use crate::plan::broker_gone::{broker_gone, hand_over};
use crate::plan::create_topic::{NewTopic, create_topic};
use crate::plan::elect_leaders::elect_missing_leaders;
use crate::plan::replicas_offline::replicas_offline;
use crate::plan::{Plan, WRITES_MAX};
use crate::state::{OfflineReplicas, Registered, State, Values};

pub(super) const TOPIC: Uuid = Uuid([9; 16]);

/// The cluster of a scenario.
pub(super) struct Cluster {
    pub(super) state: State,
    revision: i64,
    /// How many unclean elections there were.
    pub(super) unclean: usize,
}

impl Cluster {
    pub(super) fn new(brokers: i32) -> Cluster {
        let mut cluster = Cluster { state: State::default(), revision: 10, unclean: 0 };
        for id in 1..=brokers {
            cluster.start(id, Start::Fresh);
        }
        cluster
    }

    pub(super) fn commit(&mut self, plan: Plan) {
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
    pub(super) fn start(&mut self, id: i32, how: Start) -> Trust {
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

    pub(super) fn die(&mut self, id: i32) {
        let id = BrokerId(id);
        self.state.connected.remove(&id);
        self.state.registrations.remove(&id);
        self.commit(broker_gone(&self.state, id));
    }

    /// Log directories of the broker fail, or are fine again: these partitions of it are offline.
    pub(super) fn fail(&mut self, id: i32, partitions: &[i32]) {
        self.tell_offline(id, OfflineReplicas { failed: of_topic(partitions), ..OfflineReplicas::default() });
    }

    /// Disks of the broker are full, or have room again: these followers of it can't append.
    pub(super) fn fill(&mut self, id: i32, partitions: &[i32]) {
        self.tell_offline(id, OfflineReplicas { full: of_topic(partitions), ..OfflineReplicas::default() });
    }

    fn tell_offline(&mut self, id: i32, offline: OfflineReplicas) {
        self.state.offline_replicas.insert(BrokerId(id), offline);
        self.commit(replicas_offline(&self.state, BrokerId(id)));
    }

    /// All that is set on the topic from now on.
    pub(super) fn set(&mut self, configs: &[(&str, &str)]) {
        let values = configs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let resource = ConfigResource::Topic("orders".into());
        self.commit(alter_configs(&self.state, vec![NewValues { resource, values }]));
        self.commit(elect_missing_leaders(&self.state));
    }

    /// Controlled shutdown.
    pub(super) fn stop(&mut self, id: i32) {
        self.state.shutting_down.insert(BrokerId(id));
        self.commit(hand_over(&self.state, BrokerId(id)));
    }

    pub(super) fn create(&mut self, assignment: &[&[i32]], configs: &[(&str, &str)]) {
        let configs: Values =
            configs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let assignment = assignment.iter().map(|replicas| ids(replicas)).collect();
        let topic = NewTopic { name: "orders".into(), id: TOPIC, assignment, configs };
        let steps = create_topic(&self.state, topic);
        self.commit(Plan { steps, ..Plan::default() });
    }

    pub(super) fn partition(&self, index: i32) -> &PartitionImage {
        self.state.partition(TOPIC, index).expect("the partition exists")
    }

    /// Leader and ISR of partition 0.
    pub(super) fn check(&self, leader: i32, isr: &[i32]) {
        let partition = self.partition(0);
        assert_eq!((partition.leader, &partition.isr), (BrokerId(leader), &ids(isr)), "{partition:?}");
    }

    pub(super) fn propose(&mut self, broker: i32, isr: &[i32]) -> ErrorCode {
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
pub(super) enum Start {
    Fresh,
    AfterKill,
    AfterPowerLoss,
}

fn of_topic(partitions: &[i32]) -> HashSet<(Uuid, i32)> {
    partitions.iter().map(|partition| (TOPIC, *partition)).collect()
}

pub(super) fn ids(numbers: &[i32]) -> Vec<BrokerId> {
    numbers.iter().copied().map(BrokerId).collect()
}
