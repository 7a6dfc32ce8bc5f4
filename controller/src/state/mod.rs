//! All that an active controller knows: the image that it pushes, who is registered and admitted, who has a stream, and at
//! which revision it knows every key that it may write. Pure.
//!
//! It is read whole from the store at activation ([`load`]) and from then on changes only by what was committed
//! ([`State::committed`]) and by what the watch tells of registrations.

mod load;
mod soft;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use metadata::change::ChangeError;
use metadata::configs::{Layers, TopicConfig, broker_key};
use metadata::delta::Delta;
use metadata::image::{BrokerImage, ClusterImage, PartitionImage};
use metadata::keys::admitted_broker::AdmittedBroker;
use metadata::keys::broker_registration::BrokerRegistration;
use metadata::keys::producer_ids::ProducerIdBlock;
use metadata::keys::timeline::TimelineRecord;
use metadata::keys::{Key, KeyError};
use metadata::store::{LeaseId, Revision};
use protocol::types::{BrokerId, Uuid};

use crate::plan::{Step, Write};
use crate::recovery::Report;

pub use load::{LoadError, Loaded, broker_image, load};

/// Values under their keys' names.
pub type Values = BTreeMap<String, String>;

/// A broker that holds its key.
#[derive(Clone, Debug, PartialEq)]
pub struct Registered {
    /// The key's create revision.
    pub epoch: i64,
    /// A registration is never written again, so this is its create revision too, unless someone meddled.
    pub mod_revision: Revision,
    pub lease: LeaseId,
    pub registration: BrokerRegistration,
}

/// The replicas of one broker that can't be used, by topic id and partition.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OfflineReplicas {
    /// In log directories that failed: not elected, nor added to an ISR.
    pub failed: HashSet<(Uuid, i32)>,
    /// On disks that are full: followers that can't append are not added to an ISR. They have what they had, and are elected
    /// where they may be.
    pub full: HashSet<(Uuid, i32)>,
}

/// What the controller knows.
#[derive(Clone, Debug, Default)]
pub struct State {
    pub image: Arc<ClusterImage>,
    pub controller_id: i32,
    pub registrations: BTreeMap<BrokerId, Registered>,
    pub admitted: BTreeMap<BrokerId, AdmittedBroker>,
    /// Brokers with a stream: only they are elected.
    pub connected: BTreeSet<BrokerId>,
    /// Brokers that asked to be relieved before they stop: not elected, nor added to an ISR.
    pub shutting_down: BTreeSet<BrokerId>,
    /// Replicas that can't be used, as their brokers tell after each opened stream.
    pub offline_replicas: BTreeMap<BrokerId, OfflineReplicas>,
    pub last_producer_ids: Option<ProducerIdBlock>,
    /// Which timeline this is, and whether the store is to be trusted.
    pub timeline: TimelineRecord,
    /// Where the changes end that earlier controllers made, or earlier readings of the state.
    pub predecessors_end: Revision,
    /// What brokers said of themselves since the store is not to be trusted.
    pub reports: BTreeMap<BrokerId, Report>,
    /// The controller's own properties, the bottom of every configuration.
    pub statics: Arc<Values>,
    /// The mod revision of every key that is there, registrations aside.
    pub key_revisions: HashMap<Key, Revision>,
}

impl State {
    /// The partition, if both it and its topic exist.
    pub fn partition(&self, topic_id: Uuid, partition: i32) -> Option<&Arc<PartitionImage>> {
        self.image.topic_by_id(topic_id)?.partitions.get(usize::try_from(partition).ok()?)
    }

    /// Every partition with its topic's name and id; topics in the order of their names.
    pub fn partitions(&self) -> impl Iterator<Item = PartitionRef<'_>> {
        let mut topics: Vec<_> = self.image.topics.values().collect();
        topics.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        topics.into_iter().flat_map(|topic| {
            let numbered = topic.partitions.iter().enumerate();
            numbered.map(|(index, state)| PartitionRef {
                topic: &topic.name,
                topic_id: topic.id,
                partition: index as i32,
                state,
            })
        })
    }

    /// Whether this broker may be given leadership: admitted, with a stream, and not about to stop.
    pub fn is_electable(&self, id: BrokerId) -> bool {
        self.image.is_live(id) && self.connected.contains(&id) && !self.shutting_down.contains(&id)
    }

    /// Whether this broker may be given leadership of this partition.
    pub fn is_electable_for(&self, id: BrokerId, of: PartitionRef) -> bool {
        self.is_electable(id) && !self.is_offline(id, of)
    }

    /// Whether this broker may lead a partition, or go on with it: a live leader stays though its stream is broken.
    pub fn may_lead(&self, id: BrokerId, of: PartitionRef) -> bool {
        let stays = id == of.state.leader && self.is_active(id);
        (stays || self.is_electable(id)) && !self.is_offline(id, of)
    }

    /// Whether this broker's replica is in a log directory that failed.
    pub fn is_offline(&self, id: BrokerId, of: PartitionRef) -> bool {
        let replica = (of.topic_id, of.partition);
        self.offline_replicas.get(&id).is_some_and(|offline| offline.failed.contains(&replica))
    }

    /// Whether this broker's replica follows and has no room for more.
    pub fn is_full(&self, id: BrokerId, of: PartitionRef) -> bool {
        let replica = (of.topic_id, of.partition);
        id != of.state.leader
            && self.offline_replicas.get(&id).is_some_and(|offline| offline.full.contains(&replica))
    }

    /// Whether this broker may be counted on for new replicas: admitted, and not about to stop.
    pub fn is_active(&self, id: BrokerId) -> bool {
        self.image.is_live(id) && !self.shutting_down.contains(&id)
    }

    /// Whether this broker holds its key under this epoch.
    pub fn is_registered(&self, id: BrokerId, epoch: i64) -> bool {
        self.registrations.get(&id).is_some_and(|registered| registered.epoch == epoch)
    }

    /// The broker under this epoch, as the image has it.
    pub fn broker_of_epoch(&self, id: BrokerId, epoch: i64) -> Option<&Arc<BrokerImage>> {
        self.image.brokers.get(&id).filter(|broker| broker.epoch == epoch)
    }

    fn layers(&self) -> Layers<'_> {
        Layers::of(&self.image, None, &self.statics)
    }

    /// What holds for a topic on which `own` is set.
    pub fn topic_config<'a>(&'a self, own: Option<&'a Values>) -> TopicConfig<'a> {
        TopicConfig::new(self.layers(), own)
    }

    /// What holds for a topic that exists.
    pub fn topic_config_of<'a>(&'a self, topic: &str) -> TopicConfig<'a> {
        TopicConfig::of(&self.image, topic, self.layers())
    }

    /// What holds for all brokers: a text, or nothing.
    pub fn cluster_config(&self, name: &str) -> Option<String> {
        self.layers().resolve_broker(broker_key(name)?).value
    }

    /// What holds for all brokers, as a number; 0 for a key that is none.
    pub fn cluster_number(&self, name: &str) -> i64 {
        self.cluster_config(name).and_then(|value| value.parse().ok()).unwrap_or_default()
    }

    /// What holds for all brokers, as a flag.
    pub fn cluster_flag(&self, name: &str) -> bool {
        self.cluster_config(name).is_some_and(|value| value == "true")
    }

    /// Takes a step that the store has applied at this revision. The delta that tells the brokers, if there is anything to
    /// tell.
    pub fn committed(&mut self, step: Step, revision: Revision) -> Result<Option<Delta>, CommittedError> {
        for write in &step.writes {
            self.learn(write, revision)?;
        }
        if step.changes.is_empty() {
            return Ok(None);
        }
        let delta = Delta {
            timeline: self.image.timeline,
            controller_fence: self.image.controller_fence,
            controller_epoch: self.image.controller_epoch,
            controller_id: self.controller_id,
            cluster_id: self.image.cluster_id.clone(),
            from_revision: Some(self.image.revision),
            to_revision: revision,
            changes: step.changes,
        };
        let image = Arc::make_mut(&mut self.image);
        image.apply(&delta.changes)?;
        image.revision = revision;
        Ok(Some(delta))
    }

    /// A step that tells brokers of something leaves a key behind at its revision: by the newest of them a later controller
    /// knows what its predecessors told.
    pub fn marked(&self, mut step: Step) -> Step {
        if !step.changes.is_empty() && step.writes.iter().all(|write| write.value.is_none()) {
            step.writes.push(self.mark());
        }
        step
    }

    /// The timeline's key as it is, written again.
    pub fn mark(&self) -> Write {
        Write::put(Key::Timeline, self.timeline.encode())
    }

    /// The mark of a new controller is written: from this revision on it speaks.
    pub fn began(&mut self, revision: Revision) {
        Arc::make_mut(&mut self.image).revision = revision;
    }

    fn learn(&mut self, write: &Write, revision: Revision) -> Result<(), KeyError> {
        match &write.value {
            Some(_) => self.key_revisions.insert(write.key.clone(), revision),
            None => self.key_revisions.remove(&write.key),
        };
        match (&write.key, &write.value) {
            (Key::AdmittedBroker(id), Some(value)) => {
                self.admitted.insert(*id, AdmittedBroker::decode(*id, value)?);
            }
            (Key::Timeline, Some(value)) => self.timeline = TimelineRecord::decode(value)?,
            (Key::ProducerIds, Some(value)) => self.last_producer_ids = Some(ProducerIdBlock::decode(value)?),
            (Key::Broker(id), None) => {
                self.registrations.remove(id);
            }
            _ => {}
        }
        Ok(())
    }

    /// The revision at which a key that a plan writes is known; 0: it does not exist.
    pub fn revision_of(&self, key: &Key) -> Revision {
        match key {
            Key::Broker(id) => self.registrations.get(id).map_or(0, |registered| registered.mod_revision),
            key => self.key_revisions.get(key).copied().unwrap_or(0),
        }
    }
}

/// A plan of ours was committed and does not fit our own state: a bug, mended by reading everything anew.
#[derive(Debug, thiserror::Error)]
pub enum CommittedError {
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Change(#[from] ChangeError),
}

/// One partition of the image.
#[derive(Clone, Copy, Debug)]
pub struct PartitionRef<'a> {
    pub topic: &'a str,
    pub topic_id: Uuid,
    pub partition: i32,
    pub state: &'a Arc<PartitionImage>,
}
