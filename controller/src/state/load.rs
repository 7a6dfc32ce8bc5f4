//! The state as the store holds it, read at activation, and what does not belong there: partitions of topics whose creation
//! or deletion was cut short.
//!
//! A value that cannot be read stops the activation: electing on half of the truth would lose data.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use metadata::image::{BrokerImage, ClusterImage, ConfigResource, PartitionImage, TopicImage};
use metadata::keys::admitted_broker::AdmittedBroker;
use metadata::keys::broker_registration::BrokerRegistration;
use metadata::keys::producer_ids::ProducerIdBlock;
use metadata::keys::timeline::TimelineRecord;
use metadata::keys::topic::TopicRecord;
use metadata::keys::{Key, KeyError, config, partition};
use metadata::store::{Found, KeyValue, Revision};
use protocol::types::{BrokerId, Uuid};

use super::{Registered, State, Values};
use crate::plan::min_isr_of;

/// Why the store's content makes no state.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("topic {topic} has {expected} partitions, but the key of partition {missing} is gone")]
    MissingPartition { topic: String, expected: i32, missing: i32 },
}

/// What was read.
#[derive(Debug)]
pub struct Loaded {
    pub state: State,
    /// Keys that nothing refers to, to be deleted.
    pub orphans: Vec<Key>,
}

#[derive(Default)]
struct Entries {
    topics: BTreeMap<String, TopicRecord>,
    partitions: HashMap<Uuid, BTreeMap<i32, PartitionImage>>,
    configs: BTreeMap<ConfigResource, Arc<Values>>,
    cluster_id: String,
    controller_fence: Revision,
}

/// Makes a state of everything below the prefix.
pub fn load(
    prefix: &str,
    found: Found,
    controller_id: i32,
    controller_epoch: i32,
    statics: Arc<Values>,
) -> Result<Loaded, LoadError> {
    let mut state = State { controller_id, statics, ..State::default() };
    let mut entries = Entries::default();
    for entry in &found.entries {
        let key = Key::parse(prefix, &entry.key);
        if is_told_of(&key) {
            state.predecessors_end = state.predecessors_end.max(entry.mod_revision);
        }
        if let Some(key) = key {
            read(key, entry, &mut state, &mut entries)?;
        }
    }
    let mut image = ClusterImage {
        cluster_id: std::mem::take(&mut entries.cluster_id),
        revision: found.revision,
        controller_epoch,
        controller_fence: entries.controller_fence,
        timeline: state.timeline.timeline,
        brokers: admitted_brokers(&state),
        configs: std::mem::take(&mut entries.configs),
        ..ClusterImage::default()
    };
    let orphans = place_topics(&mut image, entries, &state)?;
    state.image = Arc::new(image);
    resolve_min_isr(&mut state);
    Ok(Loaded { state, orphans })
}

/// Whether the key is one that controllers write to tell brokers of something; those of newer releases are.
fn is_told_of(key: &Option<Key>) -> bool {
    !matches!(key, Some(Key::Broker(_) | Key::Controller | Key::ControllerEpoch))
}

fn read(key: Key, entry: &KeyValue, state: &mut State, entries: &mut Entries) -> Result<(), KeyError> {
    match &key {
        Key::Broker(id) => {
            let registration = BrokerRegistration::decode(*id, &entry.value)?;
            let (epoch, mod_revision) = (entry.create_revision, entry.mod_revision);
            let registered = Registered { epoch, mod_revision, lease: entry.lease, registration };
            state.registrations.insert(*id, registered);
            return Ok(());
        }
        Key::AdmittedBroker(id) => {
            state.admitted.insert(*id, AdmittedBroker::decode(*id, &entry.value)?);
        }
        Key::Topic(name) => {
            entries.topics.insert(name.clone(), TopicRecord::decode(name, &entry.value)?);
        }
        Key::Partition(topic_id, index) => {
            let state = partition::decode(*topic_id, *index, &entry.value)?;
            entries.partitions.entry(*topic_id).or_default().insert(*index, state);
        }
        Key::Config(resource) => {
            entries.configs.insert(resource.clone(), Arc::new(config::decode(resource, &entry.value)?));
        }
        Key::ProducerIds => state.last_producer_ids = Some(ProducerIdBlock::decode(&entry.value)?),
        Key::ClusterId => entries.cluster_id = String::from_utf8_lossy(&entry.value).into_owned(),
        Key::Timeline => state.timeline = TimelineRecord::decode(&entry.value)?,
        Key::ControllerEpoch => {}
        Key::Controller => {
            entries.controller_fence = entry.create_revision;
            return Ok(());
        }
    }
    state.key_revisions.insert(key, entry.mod_revision);
    Ok(())
}

/// Brokers whose present registration was admitted; the others come in by admission.
fn admitted_brokers(state: &State) -> BTreeMap<BrokerId, Arc<BrokerImage>> {
    let brokers = state.registrations.iter().filter_map(|(id, registered)| {
        let admitted = state.admitted.get(id).filter(|admitted| admitted.epoch == registered.epoch)?;
        Some((*id, Arc::new(broker_image(*id, registered, admitted.fenced))))
    });
    brokers.collect()
}

/// A registered broker, as brokers and clients see it.
pub fn broker_image(id: BrokerId, registered: &Registered, fenced: bool) -> BrokerImage {
    let Registered { epoch, registration, .. } = registered;
    BrokerImage {
        id,
        epoch: *epoch,
        incarnation: registration.incarnation,
        endpoints: registration.parsed_endpoints(),
        rack: registration.rack.clone(),
        fenced,
        log_dirs: registration.log_dirs.clone(),
    }
}

/// Puts every topic with its partitions into the image; what is left over are orphans.
fn place_topics(
    image: &mut ClusterImage,
    mut entries: Entries,
    state: &State,
) -> Result<Vec<Key>, LoadError> {
    let mut orphans = Vec::new();
    for (name, record) in entries.topics {
        let mut found = entries.partitions.remove(&record.topic_id).unwrap_or_default();
        let beyond = found.split_off(&record.partitions);
        orphans.extend(beyond.into_keys().map(|index| Key::Partition(record.topic_id, index)));
        let topic = topic_image(&name, &record, found)?;
        image.topic_names.insert(record.topic_id, name.clone());
        image.topics.insert(name, Arc::new(topic));
    }
    for (topic_id, partitions) in entries.partitions {
        orphans.extend(partitions.into_keys().map(|index| Key::Partition(topic_id, index)));
    }
    orphans.extend(state.key_revisions.keys().filter(|key| is_config_of_no_topic(key, image)).cloned());
    for key in &orphans {
        if let Key::Config(resource) = key {
            image.configs.remove(resource);
        }
    }
    orphans.sort_unstable();
    Ok(orphans)
}

fn topic_image(
    name: &str,
    record: &TopicRecord,
    mut found: BTreeMap<i32, PartitionImage>,
) -> Result<TopicImage, LoadError> {
    let partition = |index| {
        let missing = || LoadError::MissingPartition {
            topic: name.to_owned(),
            expected: record.partitions,
            missing: index,
        };
        found.remove(&index).map(Arc::new).ok_or_else(missing)
    };
    let partitions = (0..record.partitions).map(partition).collect::<Result<_, _>>()?;
    Ok(TopicImage { name: name.to_owned(), id: record.topic_id, partitions })
}

fn is_config_of_no_topic(key: &Key, image: &ClusterImage) -> bool {
    matches!(key, Key::Config(ConfigResource::Topic(name)) if !image.topics.contains_key(name))
}

/// `min_isr` is not in the partitions' keys: it follows from the configuration (safety rule 14).
fn resolve_min_isr(state: &mut State) {
    let mut image = ClusterImage::clone(&state.image);
    for (name, topic) in &mut image.topics {
        let config = state.topic_config_of(name);
        for partition in &mut Arc::make_mut(topic).partitions {
            let min_isr = min_isr_of(config, partition.replicas.len());
            Arc::make_mut(partition).min_isr = min_isr;
        }
    }
    state.image = Arc::new(image);
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use metadata::store::LeaseId;

    const ID: Uuid = Uuid([1; 16]);

    fn entry(key: Key, value: Vec<u8>) -> KeyValue {
        KeyValue {
            key: Bytes::from(key.path("/m")),
            value: value.into(),
            create_revision: 3,
            mod_revision: 4,
            lease: LeaseId::NONE,
        }
    }

    fn partition_entry(topic_id: Uuid, index: i32) -> KeyValue {
        let one = vec![BrokerId(1)];
        let state = PartitionImage {
            replicas: one.clone(),
            isr: one,
            leader: BrokerId(1),
            ..PartitionImage::default()
        };
        entry(Key::Partition(topic_id, index), partition::encode(&state))
    }

    fn topic_entry(partitions: i32) -> KeyValue {
        entry(Key::Topic("orders".into()), TopicRecord { topic_id: ID, partitions }.encode())
    }

    fn loaded(entries: Vec<KeyValue>) -> Result<Loaded, LoadError> {
        load("/m", Found { entries, revision: 9 }, 1, 2, Arc::default())
    }

    #[test]
    fn a_topic_is_there_with_its_key_and_what_has_none_is_an_orphan() {
        let other = Uuid([2; 16]);
        let config = Key::Config(ConfigResource::Topic("gone".into()));
        let loaded = loaded(vec![
            topic_entry(2),
            partition_entry(ID, 0),
            partition_entry(ID, 1),
            partition_entry(ID, 2),
            partition_entry(other, 0),
            entry(config.clone(), config::encode(&Values::new())),
        ])
        .unwrap();
        let image = &loaded.state.image;
        assert_eq!((image.revision, image.controller_epoch), (9, 2));
        assert_eq!(image.topic("orders").unwrap().partitions.len(), 2);
        assert_eq!(image.partition("orders", 1).unwrap().min_isr, 1);
        assert_eq!(loaded.orphans, [Key::Partition(ID, 2), Key::Partition(other, 0), config]);
        assert_eq!(loaded.state.revision_of(&Key::Partition(ID, 2)), 4);
    }

    #[test]
    fn a_missing_partition_stops_the_activation() {
        let error = loaded(vec![topic_entry(2), partition_entry(ID, 1)]).unwrap_err();
        assert!(matches!(error, LoadError::MissingPartition { missing: 0, .. }));
        let broken = loaded(vec![entry(Key::Topic("orders".into()), b"{".to_vec())]);
        assert!(matches!(broken, Err(LoadError::Key(_))));
    }

    #[test]
    fn only_an_admitted_registration_is_in_the_image() {
        let registration = BrokerRegistration::default().encode();
        let admitted = |epoch| AdmittedBroker { epoch, ..AdmittedBroker::default() }.encode();
        let loaded = loaded(vec![
            entry(Key::Broker(BrokerId(1)), registration.clone()),
            entry(Key::AdmittedBroker(BrokerId(1)), admitted(3)),
            entry(Key::Broker(BrokerId(2)), registration),
            entry(Key::AdmittedBroker(BrokerId(2)), admitted(2)),
        ])
        .unwrap();
        assert!(loaded.state.image.is_live(BrokerId(1)));
        assert!(!loaded.state.image.brokers.contains_key(&BrokerId(2)));
        assert_eq!(loaded.state.registrations.len(), 2);
    }
}
