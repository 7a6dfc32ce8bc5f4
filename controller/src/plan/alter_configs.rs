//! What is set on resources changes, and with it what partitions take from their topics' configuration.
//!
//! Safety rule 14: where `min.insync.replicas` changes, the ELRs that stood on the old value are cleared before any leader
//! learns the new one. An ELR without any ISR stays: nobody leads there, so nothing was committed past it.

use std::sync::Arc;

use metadata::change::Change;
use metadata::configs::{Layers, TopicConfig};
use metadata::image::{ClusterImage, ConfigResource, PartitionImage};
use metadata::keys::{Key, config};

use super::partition_writes::partition_step;
use super::{Plan, Step, Write, in_steps, min_isr_of};
use crate::state::{PartitionRef, State, Values};

/// All that is to be set on one resource from now on.
#[derive(Clone, Debug, PartialEq)]
pub struct NewValues {
    pub resource: ConfigResource,
    pub values: Values,
}

/// Sets them, each resource once.
pub fn alter_configs(state: &State, new: Vec<NewValues>) -> Plan {
    let later = image_with(&state.image, &new);
    let changed = partitions_of_other_min_isr(state, &later);
    let clearing = changed.iter().filter_map(|(of, _)| without_elr(*of));
    let setting = new.into_iter().filter_map(|new| config_step(state, new));
    let telling = changed.iter().map(|(of, min_isr)| told(*of, *min_isr));
    let mut steps = in_steps(clearing);
    steps.extend(in_steps(setting));
    let telling: Vec<Change> = telling.collect();
    if let Some(last) = steps.last_mut() {
        last.changes.extend(telling);
    }
    Plan { steps, ..Plan::default() }
}

fn image_with(image: &ClusterImage, new: &[NewValues]) -> ClusterImage {
    let mut later = image.clone();
    for NewValues { resource, values } in new {
        later.configs.insert(resource.clone(), Arc::new(values.clone()));
    }
    later
}

/// The partitions whose `min_isr` is another one by the later image, which differs in configurations alone.
fn partitions_of_other_min_isr<'a>(state: &'a State, later: &ClusterImage) -> Vec<(PartitionRef<'a>, i32)> {
    let layers = Layers::of(later, None, &state.statics);
    let other = |of: PartitionRef<'a>| {
        let config = TopicConfig::of(later, of.topic, layers);
        let min_isr = min_isr_of(config, of.state.replicas.len());
        (min_isr != of.state.min_isr).then_some((of, min_isr))
    };
    state.partitions().filter_map(other).collect()
}

fn cleared(before: &PartitionImage) -> Option<PartitionImage> {
    let stands = !before.isr.is_empty() && !before.elr.is_empty();
    let partition_epoch = before.partition_epoch + 1;
    stands.then(|| PartitionImage { elr: Vec::new(), partition_epoch, ..before.clone() })
}

fn without_elr(of: PartitionRef) -> Option<Step> {
    cleared(of.state).map(|state| partition_step(of.topic_id, of.partition, state))
}

/// The partition with its new `min_isr`, which stands in no key of its own.
fn told(of: PartitionRef, min_isr: i32) -> Change {
    let state = cleared(of.state).unwrap_or_else(|| PartitionImage::clone(of.state));
    let state = Arc::new(PartitionImage { min_isr, ..state });
    Change::PartitionChanged { topic_id: of.topic_id, partition: of.partition, state }
}

fn config_step(state: &State, NewValues { resource, values }: NewValues) -> Option<Step> {
    let before = state.image.config(&resource);
    let key = Key::Config(resource.clone());
    let write = match (before, values.is_empty()) {
        (None, true) => return None,
        (Some(before), _) if **before == values => return None,
        (Some(_), true) => Write::delete(key),
        (_, false) => Write::put(key, config::encode(&values)),
    };
    Some(Step {
        writes: vec![write],
        changes: vec![Change::ConfigChanged { resource, values: Arc::new(values) }],
    })
}
