//! How far the groups that are coordinated here lie behind: every few seconds what they have committed is held against the
//! high watermarks.
//!
//! * `high_watermarks`: where those come from. What this broker leads or follows it knows; for the rest it asks the leaders.
//!
//! Nothing waits for it, and nothing depends on it but what is shown. What could not be found is shown as unknown.

mod high_watermarks;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use node::shutdown::Shutdown;
use parking_lot::Mutex;
use storage::TopicPartition;
use tokio::time::{MissedTickBehavior, interval};

use self::high_watermarks::HighWatermarks;
use crate::Broker;
use crate::group::{Survey, SurveyedGroup};
use crate::metrics::figures::{CommittedFigures, GroupFigures, GroupMembers};
use crate::metrics::observed::COMMITTED_MAX;

/// Between two looks.
const INTERVAL: Duration = Duration::from_secs(5);

/// What the last look found.
#[derive(Default)]
pub struct Lags(Mutex<GroupFigures>);

impl Lags {
    pub fn figures(&self) -> GroupFigures {
        self.0.lock().clone()
    }
}

/// Looks until shutdown; then there is nothing to show any more.
pub async fn run(broker: Arc<Broker>, shutdown: Shutdown) {
    tokio::select! {
        () = look_again_and_again(&broker) => {}
        () = shutdown.requested() => {}
    }
    *broker.lags.0.lock() = GroupFigures::default();
}

async fn look_again_and_again(broker: &Arc<Broker>) {
    let mut high_watermarks = HighWatermarks::new(broker.clone());
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let survey = broker.groups.survey(COMMITTED_MAX).await;
        // Committed offsets come first: what is produced meanwhile counts as lag, and none is below 0 for it.
        let found = high_watermarks.of(partitions(&survey)).await;
        *broker.lags.0.lock() = figures(&survey, &found);
    }
}

fn partitions(survey: &Survey) -> impl Iterator<Item = TopicPartition> {
    let committed = survey.groups.iter().flat_map(|group| &group.committed);
    committed.map(|(topic, partition, _)| TopicPartition::new(topic.as_str(), *partition))
}

fn figures(survey: &Survey, high_watermarks: &HashMap<TopicPartition, i64>) -> GroupFigures {
    let members =
        |group: &SurveyedGroup| GroupMembers { group: group.group.to_string(), members: group.members };
    let offsets = |group: &SurveyedGroup| {
        let committed = group.committed.iter().map(|(topic, partition, committed)| {
            let at = TopicPartition::new(topic.as_str(), *partition);
            let lag = high_watermarks.get(&at).map(|high_watermark| (high_watermark - committed).max(0));
            CommittedFigures { group: group.group.to_string(), at, committed: *committed, lag }
        });
        committed.collect::<Vec<_>>()
    };
    GroupFigures {
        groups: survey.groups.iter().map(members).collect(),
        offsets: survey.groups.iter().flat_map(offsets).collect(),
        left_out: survey.left_out,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_is_what_lies_between_and_unknown_where_nobody_says() {
        let committed = [("known", 0, 70), ("ahead", 0, 99), ("gone", 0, 5)];
        let committed = committed.map(|(topic, partition, offset)| (topic.into(), partition, offset)).into();
        let group = SurveyedGroup { group: "g".into(), members: 2, committed };
        let survey = Survey { groups: vec![group], left_out: 3 };
        let high_watermarks = [(TopicPartition::new("known", 0), 90), (TopicPartition::new("ahead", 0), 90)];
        let figures = figures(&survey, &high_watermarks.into());
        let lags: Vec<_> = figures.offsets.iter().map(|one| one.lag).collect();
        assert_eq!(lags, [Some(20), Some(0), None]);
        assert_eq!((figures.groups[0].members, figures.left_out), (2, 3));
    }
}
