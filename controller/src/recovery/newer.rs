//! Whether a broker has seen anything that the store does not hold.
//!
//! A store may have gone on since it went back, so its revision alone says little. Each controller notes at its start up to
//! where the changes of its predecessors reach; whatever a broker was told by a predecessor lies there or before.

use protocol::types::{BrokerId, LeaderEpoch};

use super::Report;
use crate::state::{PartitionRef, State};

/// What was met, in words for the log and for administrators.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Newer {
    #[error("this controller has read metadata revision {seen}, but the store's changes end at {held}")]
    Reading { seen: i64, held: i64 },
    #[error("broker {broker} has seen timeline {seen} of the metadata, the store holds {held}")]
    Timeline { broker: BrokerId, seen: i64, held: i64 },
    #[error("broker {broker} has seen controller epoch {seen}, the store holds {held}")]
    ControllerEpoch { broker: BrokerId, seen: i32, held: i32 },
    #[error("broker {broker} has seen another controller of epoch {epoch} than the store knows")]
    OtherController { broker: BrokerId, epoch: i32 },
    #[error(
        "broker {broker} has seen metadata revision {seen} of controller epoch {epoch}, but the store's changes of then end at \
         {held}"
    )]
    Revision { broker: BrokerId, seen: i64, epoch: i32, held: i64 },
    #[error("broker {broker} has leader epoch {seen} of {topic}-{partition}, the store holds {held}")]
    LeaderEpoch { broker: BrokerId, topic: String, partition: i32, seen: LeaderEpoch, held: LeaderEpoch },
}

/// Whether an earlier reading of the store in this very process held more than the present one.
pub fn newer_reading(earlier: &State, state: &State) -> Option<Newer> {
    let (seen, held) = (earlier.image.revision, state.predecessors_end);
    (seen > held).then_some(Newer::Reading { seen, held })
}

/// The first of what is newer than the state, which is the store's.
pub fn newer(state: &State, broker: BrokerId, report: &Report) -> Option<Newer> {
    let held = state.timeline.timeline;
    if report.timeline > held {
        return Some(Newer::Timeline { broker, seen: report.timeline, held });
    }
    // What was seen on an earlier timeline is given up; leader epochs never are.
    let same = report.timeline == held;
    let seen = if same { newer_seen(state, broker, report) } else { None };
    seen.or_else(|| newer_leader_epoch(state, broker, report))
}

fn newer_seen(state: &State, broker: BrokerId, report: &Report) -> Option<Newer> {
    let (epoch, fence) = (state.image.controller_epoch, state.image.controller_fence);
    let Report { controller_epoch: seen, controller_fence, revision, .. } = *report;
    if seen > epoch {
        return Some(Newer::ControllerEpoch { broker, seen, held: epoch });
    }
    if controller_fence == 0 {
        // An earlier release, whose revisions counted what others wrote into the store.
        return None;
    }
    if seen == epoch && controller_fence != fence {
        return Some(Newer::OtherController { broker, epoch });
    }
    let held = if seen == epoch { state.image.revision } else { state.predecessors_end };
    (revision > held).then_some(Newer::Revision { broker, seen: revision, epoch: seen, held })
}

fn newer_leader_epoch(state: &State, broker: BrokerId, report: &Report) -> Option<Newer> {
    state.partitions().find_map(|PartitionRef { topic, topic_id, partition, state }| {
        let seen = report.replicas.get(&(topic_id, partition))?.leader_epoch;
        let held = state.leader_epoch;
        let topic = topic.to_owned();
        (seen > held).then_some(Newer::LeaderEpoch { broker, topic, partition, seen, held })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recovery::ReplicaReport;
    use metadata::image::{ClusterImage, PartitionImage, TopicImage};
    use protocol::types::Uuid;
    use std::sync::Arc;

    const ID: Uuid = Uuid([9; 16]);
    const BROKER: BrokerId = BrokerId(2);

    /// Timeline 1, controller epoch 5 since revision 90; its predecessors' changes end at 80, its own at 100.
    fn state() -> State {
        let members = vec![BrokerId(1), BROKER];
        let partition = PartitionImage {
            replicas: members.clone(),
            isr: members,
            leader_epoch: LeaderEpoch(7),
            ..PartitionImage::default()
        };
        let topic = TopicImage { name: "orders".into(), id: ID, partitions: vec![Arc::new(partition)] };
        let image = ClusterImage {
            controller_epoch: 5,
            controller_fence: 90,
            revision: 100,
            topics: [("orders".to_owned(), Arc::new(topic))].into(),
            topic_names: [(ID, "orders".to_owned())].into(),
            ..ClusterImage::default()
        };
        let mut state = State { image: Arc::new(image), predecessors_end: 80, ..State::default() };
        state.timeline.timeline = 1;
        state
    }

    fn report(timeline: i64, controller_epoch: i32, controller_fence: i64, revision: i64) -> Report {
        Report { timeline, controller_epoch, controller_fence, revision, ..Report::default() }
    }

    fn check(report: Report, expected: Option<&str>) {
        let met = newer(&state(), BROKER, &report).map(|newer| newer.to_string());
        match expected {
            Some(expected) => assert!(met.as_ref().is_some_and(|met| met.contains(expected)), "{met:?}"),
            None => assert_eq!(met, None),
        }
    }

    #[test]
    fn what_the_store_holds_is_not_newer() {
        check(Report::default(), None);
        check(report(1, 5, 90, 100), None);
        check(report(1, 5, 0, 900), None);
        check(report(1, 4, 70, 80), None);
    }

    #[test]
    fn whatever_the_store_has_forgotten_is_newer() {
        check(report(2, 1, 1, 1), Some("timeline 2"));
        check(report(1, 6, 95, 50), Some("controller epoch 6"));
        check(report(1, 5, 91, 50), Some("another controller of epoch 5"));
        check(report(1, 5, 90, 101), Some("revision 101"));
        check(report(1, 4, 70, 81), Some("end at 80"));
    }

    #[test]
    fn an_earlier_timeline_is_given_up_but_for_its_leader_epochs() {
        check(report(0, 9, 900, 900), None);
        let with = |epoch| {
            let replica = ReplicaReport { leader_epoch: LeaderEpoch(epoch), ..ReplicaReport::EMPTY };
            Report { replicas: [((ID, 0), replica)].into(), ..report(0, 9, 900, 900) }
        };
        check(with(7), None);
        check(with(8), Some("leader epoch 8 of orders-0"));
    }
}
