//! A topic goes: its key first, by which it vanishes for brokers, then its configuration and its partitions. What is left
//! after an interruption are orphans, swept at the next activation.

use std::sync::Arc;

use metadata::change::Change;
use metadata::image::{ConfigResource, TopicImage};
use metadata::keys::Key;

use super::{Step, Write, in_steps};
use crate::state::State;

/// The steps of one topic.
pub fn delete_topic(state: &State, topic: &TopicImage) -> Vec<Step> {
    let (name, id) = (topic.name.clone(), topic.id);
    let resource = ConfigResource::Topic(name.clone());
    let mut first = Step {
        writes: vec![Write::delete(Key::Topic(name.clone()))],
        changes: vec![Change::TopicDeleted { name, id }],
    };
    if state.image.config(&resource).is_some() {
        first.writes.push(Write::delete(Key::Config(resource.clone())));
        first.changes.push(Change::ConfigChanged { resource, values: Arc::default() });
    }
    let partitions = (0..topic.partitions.len()).map(|index| Step {
        writes: vec![Write::delete(Key::Partition(id, index as i32))],
        changes: Vec::new(),
    });
    in_steps(std::iter::once(first).chain(partitions))
}
