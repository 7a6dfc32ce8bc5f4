//! What leads an image from one revision to another: made by comparing images, taken by whoever has the earlier one.
//!
//! Invariant: an image never takes a delta of an older timeline or, on its own, of an older controller epoch, nor one that starts elsewhere than it stands
//! (safety rule 3 at the receiver; design §2, push).

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::change::{Change, ChangeError};
use crate::image::{ClusterImage, TopicImage};

/// The changes between two revisions, or, where it starts from nothing, a whole image.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Delta {
    pub timeline: i64,
    pub controller_epoch: i32,
    pub controller_fence: i64,
    pub controller_id: i32,
    pub cluster_id: String,
    /// `None`: the changes start from nothing.
    pub from_revision: Option<i64>,
    pub to_revision: i64,
    pub changes: Vec<Change>,
}

/// Why a delta was not taken. The image stands as it was.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeltaError {
    /// Its sender does not know that the cluster was recovered: hang up.
    #[error("a push of timeline {got} came after one of timeline {known}")]
    StaleTimeline { got: i64, known: i64 },
    /// Its sender is deposed: hang up.
    #[error("a push of controller epoch {got} came after one of epoch {known}")]
    StaleController { got: i32, known: i32 },
    /// Something was missed: ask for the whole image.
    #[error("a push starts at revision {from}, but the image stands at {at}")]
    Gap { from: i64, at: i64 },
    /// Ask for the whole image.
    #[error(transparent)]
    Change(#[from] ChangeError),
}

impl Delta {
    /// The whole of `image`, for one that has nothing or too little.
    pub fn whole(image: &ClusterImage, controller_id: i32) -> Delta {
        Delta {
            timeline: image.timeline,
            controller_epoch: image.controller_epoch,
            controller_fence: image.controller_fence,
            controller_id,
            cluster_id: image.cluster_id.clone(),
            from_revision: None,
            to_revision: image.revision,
            changes: changes_between(&ClusterImage::default(), image),
        }
    }
}

impl ClusterImage {
    /// The image after `delta`.
    pub fn advanced_by(&self, delta: &Delta) -> Result<ClusterImage, DeltaError> {
        if delta.timeline < self.timeline {
            return Err(DeltaError::StaleTimeline { got: delta.timeline, known: self.timeline });
        }
        let same_timeline = delta.timeline == self.timeline;
        if same_timeline && delta.controller_epoch < self.controller_epoch {
            let (got, known) = (delta.controller_epoch, self.controller_epoch);
            return Err(DeltaError::StaleController { got, known });
        }
        let mut next = match delta.from_revision {
            None => ClusterImage::default(),
            Some(from) if same_timeline && from == self.revision => self.clone(),
            Some(from) => return Err(DeltaError::Gap { from, at: self.revision }),
        };
        next.apply(&delta.changes)?;
        next.cluster_id.clone_from(&delta.cluster_id);
        next.timeline = delta.timeline;
        next.controller_epoch = delta.controller_epoch;
        next.controller_fence = delta.controller_fence;
        next.revision = delta.to_revision;
        Ok(next)
    }
}

/// The changes that lead from `earlier` to `later`, in an order that [`ClusterImage::apply`] takes.
pub fn changes_between(earlier: &ClusterImage, later: &ClusterImage) -> Vec<Change> {
    let mut changes = Vec::new();
    compare_brokers(earlier, later, &mut changes);
    compare_configs(earlier, later, &mut changes);
    compare_topics(earlier, later, &mut changes);
    changes
}

fn compare_brokers(earlier: &ClusterImage, later: &ClusterImage, changes: &mut Vec<Change>) {
    let gone = earlier.brokers.keys().filter(|id| !later.brokers.contains_key(id));
    changes.extend(gone.map(|id| Change::BrokerGone(*id)));
    let changed = later.brokers.iter().filter(|(id, broker)| earlier.brokers.get(id) != Some(broker));
    changes.extend(changed.map(|(_, broker)| Change::BrokerChanged(Arc::clone(broker))));
}

fn compare_configs(earlier: &ClusterImage, later: &ClusterImage, changes: &mut Vec<Change>) {
    let gone = earlier.configs.keys().filter(|resource| !later.configs.contains_key(resource));
    changes.extend(
        gone.map(|resource| Change::ConfigChanged { resource: resource.clone(), values: Arc::default() }),
    );
    let changed =
        later.configs.iter().filter(|(resource, values)| earlier.configs.get(resource) != Some(values));
    changes.extend(changed.map(|(resource, values)| Change::ConfigChanged {
        resource: resource.clone(),
        values: Arc::clone(values),
    }));
}

fn compare_topics(earlier: &ClusterImage, later: &ClusterImage, changes: &mut Vec<Change>) {
    for name in earlier.topics.keys().collect::<BTreeSet<_>>() {
        let topic = &earlier.topics[name];
        if survivor(topic, later).is_none() {
            changes.push(Change::TopicDeleted { name: name.clone(), id: topic.id });
        }
    }
    for name in later.topics.keys().collect::<BTreeSet<_>>() {
        let topic = &later.topics[name];
        match earlier.topics.get(name).filter(|before| survivor(before, later).is_some()) {
            Some(before) => compare_partitions(before, topic, changes),
            None => {
                changes.push(Change::TopicCreated { name: name.clone(), id: topic.id });
                compare_partitions(&TopicImage::default(), topic, changes);
            }
        }
    }
}

/// The same topic in a later image. Partitions never leave a topic, so one with fewer is another.
fn survivor<'a>(topic: &TopicImage, later: &'a ClusterImage) -> Option<&'a Arc<TopicImage>> {
    later
        .topics
        .get(&topic.name)
        .filter(|now| now.id == topic.id && now.partitions.len() >= topic.partitions.len())
}

fn compare_partitions(before: &TopicImage, now: &TopicImage, changes: &mut Vec<Change>) {
    for (index, state) in now.partitions.iter().enumerate() {
        if before.partitions.get(index) != Some(state) {
            let state = Arc::clone(state);
            changes.push(Change::PartitionChanged { topic_id: now.id, partition: index as i32, state });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn the_changes_between_two_images_lead_from_one_to_the_other() {
        for seed in 0..200 {
            let (earlier, later) = (sample::image(seed), sample::image(seed + 1));
            let mut reached = earlier.clone();
            reached.apply(&changes_between(&earlier, &later)).unwrap();
            assert_eq!(reached.topics, later.topics, "seed {seed}");
            assert_eq!(reached.topic_names, later.topic_names);
            assert_eq!((reached.brokers, reached.configs), (later.brokers.clone(), later.configs.clone()));
            assert_eq!(changes_between(&later, &later), []);
        }
    }

    #[test]
    fn a_whole_image_replaces_whatever_was_there() {
        let (earlier, later) = (sample::image(1), sample::image(2));
        let delta = Delta::whole(&later, 1);
        assert_eq!(earlier.advanced_by(&delta), Ok(later));
    }

    #[test]
    fn a_deposed_controller_and_a_gap_are_refused() {
        let image = ClusterImage { controller_epoch: 5, revision: 10, ..ClusterImage::default() };
        let delta = |epoch, from| Delta {
            controller_epoch: epoch,
            from_revision: from,
            to_revision: 12,
            ..Delta::default()
        };
        let stale = DeltaError::StaleController { got: 4, known: 5 };
        assert_eq!(image.advanced_by(&delta(4, None)), Err(stale));
        assert_eq!(image.advanced_by(&delta(5, Some(11))), Err(DeltaError::Gap { from: 11, at: 10 }));
        assert_eq!(image.advanced_by(&delta(6, Some(10))).map(|image| image.revision), Ok(12));
    }

    #[test]
    fn a_later_timeline_replaces_the_whole_whatever_its_numbers() {
        let image =
            ClusterImage { timeline: 1, controller_epoch: 5, revision: 10, ..ClusterImage::default() };
        let delta =
            |timeline, from| Delta { timeline, from_revision: from, to_revision: 3, ..Delta::default() };
        assert_eq!(image.advanced_by(&delta(2, None)).map(|image| image.revision), Ok(3));
        assert_eq!(image.advanced_by(&delta(2, Some(10))), Err(DeltaError::Gap { from: 10, at: 10 }));
        assert_eq!(image.advanced_by(&delta(0, None)), Err(DeltaError::StaleTimeline { got: 0, known: 1 }));
    }
}
