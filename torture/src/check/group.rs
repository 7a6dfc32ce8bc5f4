//! A group takes each partition up where it was committed, and was given all that it committed.

use std::collections::BTreeSet;

use super::Anomaly;
use crate::history::{GroupMember, Place, Step, StepKind};

pub(super) fn check(members: &[GroupMember]) -> Vec<Anomaly> {
    let steps: Vec<&Step> = members.iter().flat_map(|member| &member.steps).collect();
    let starts = steps.iter().filter(|step| step.what == StepKind::Start);
    let mut found: Vec<Anomaly> = starts.filter_map(|start| check_start(start, &steps)).collect();
    found.extend(never_given(members, &steps));
    found
}

/// A commit that had succeeded before the assignment binds it; one that was only tried may count or not.
fn check_start(start: &Step, steps: &[&Step]) -> Option<Anomaly> {
    let started = start.place;
    let most = |what: StepKind, before_ms: u64| {
        let same = steps.iter().filter(|step| step.what == what && step.place.partition == started.partition);
        same.filter(|step| step.at_ms < before_ms).map(|step| step.place.offset).max()
    };
    let committed = most(StepKind::Commit, start.at_ms);
    if let Some(offset) = committed.filter(|offset| *offset > started.offset) {
        return Some(Anomaly::LostCommit { committed: Place { offset, ..started }, started });
    }
    let tried = most(StepKind::Try, u64::MAX);
    (started.offset > tried.unwrap_or(0)).then_some(Anomaly::CommitFromNowhere { tried, started })
}

/// Places below the highest commit of their partition that no member read.
fn never_given(members: &[GroupMember], steps: &[&Step]) -> Vec<Anomaly> {
    let given: BTreeSet<Place> =
        members.iter().flat_map(|member| &member.reading.reads).map(|read| read.place).collect();
    let commits = || steps.iter().filter(|step| step.what == StepKind::Commit).map(|step| step.place);
    let partitions: BTreeSet<u16> = commits().map(|place| place.partition).collect();
    let mut found = Vec::new();
    for partition in partitions {
        let ends = commits().filter(|place| place.partition == partition).map(|place| place.offset);
        let places = (0..ends.max().unwrap_or(0)).map(|offset| Place { partition, offset });
        found.extend(
            places.filter(|place| !given.contains(place)).map(|place| Anomaly::GroupSkipped { place }),
        );
    }
    found
}
