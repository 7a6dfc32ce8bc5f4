//! What a broker has seen of the cluster and holds of it, as its hello says.

use std::collections::BTreeMap;

use metadata::convert::{ConvertError, uuid_from_proto};
use proto::controller::{Hello, SeenEpochs};
use protocol::types::{LeaderEpoch, Offset, Uuid};

/// What one broker reports.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Of everything below.
    pub timeline: i64,
    /// The highest controller epoch that it has seen; 0: none.
    pub controller_epoch: i32,
    /// Create revision of that controller's key; 0: not known.
    pub controller_fence: i64,
    /// The newest metadata that it has seen; 0: none.
    pub revision: i64,
    pub replicas: BTreeMap<(Uuid, i32), ReplicaReport>,
    /// The topics of these replicas, as far as it knows their names.
    pub topics: BTreeMap<Uuid, String>,
}

/// One replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplicaReport {
    /// The newest that it was told or that stands in its log.
    pub leader_epoch: LeaderEpoch,
    /// The newest in its log.
    pub log_epoch: LeaderEpoch,
    /// `None` where the log cannot be read, or not yet.
    pub log_end_offset: Option<Offset>,
    /// Whether it leads, in that leader epoch.
    pub leading: bool,
}

impl ReplicaReport {
    /// A broker that has no such replica.
    pub const EMPTY: ReplicaReport = ReplicaReport {
        leader_epoch: LeaderEpoch::UNKNOWN,
        log_epoch: LeaderEpoch::UNKNOWN,
        log_end_offset: Some(Offset(0)),
        leading: false,
    };
}

impl Report {
    pub fn of(hello: &Hello) -> Result<Report, ConvertError> {
        let mut report = Report {
            timeline: hello.timeline,
            controller_epoch: hello.controller_epoch,
            controller_fence: hello.controller_fence,
            revision: hello.highest_metadata_revision.max(hello.metadata_revision),
            ..Report::default()
        };
        hello.leader_epochs.iter().try_for_each(|topic| report.take(topic))?;
        Ok(report)
    }

    fn take(&mut self, topic: &SeenEpochs) -> Result<(), ConvertError> {
        let id = uuid_from_proto(&topic.topic_id, "a topic id")?;
        if !topic.topic.is_empty() {
            self.topics.insert(id, topic.topic.clone());
        }
        for (at, (partition, epoch)) in topic.partitions.iter().zip(&topic.leader_epochs).enumerate() {
            let end = topic.log_end_offsets.get(at).copied().filter(|end| *end >= 0);
            let replica = ReplicaReport {
                leader_epoch: LeaderEpoch(*epoch),
                log_epoch: topic.log_epochs.get(at).map_or(LeaderEpoch::UNKNOWN, |epoch| LeaderEpoch(*epoch)),
                log_end_offset: end.map(Offset),
                leading: topic.leading.get(at).copied().unwrap_or(false),
            };
            self.replicas.insert((id, *partition), replica);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_that_are_too_short_leave_what_they_lack_unknown() {
        let topic = SeenEpochs {
            topic_id: vec![7; 16].into(),
            topic: "orders".into(),
            partitions: vec![0, 3],
            leader_epochs: vec![4, 5],
            log_epochs: vec![4],
            log_end_offsets: vec![100],
            leading: vec![true],
        };
        let hello = Hello { leader_epochs: vec![topic], highest_metadata_revision: 9, ..Hello::default() };
        let report = Report::of(&hello).unwrap();
        let known = report.replicas[&(Uuid([7; 16]), 0)];
        assert_eq!((known.log_end_offset, known.leading, report.revision), (Some(Offset(100)), true, 9));
        let unknown = report.replicas[&(Uuid([7; 16]), 3)];
        assert_eq!((unknown.leader_epoch, unknown.log_end_offset), (LeaderEpoch(5), None));
        let bad = SeenEpochs { topic_id: vec![7; 3].into(), ..SeenEpochs::default() };
        assert!(Report::of(&Hello { leader_epochs: vec![bad], ..Hello::default() }).is_err());
    }
}
