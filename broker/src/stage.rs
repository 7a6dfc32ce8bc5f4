//! How far a broker is in its life, by Kafka's numbers, and what else of it is looked at from outside.

use std::sync::atomic::{AtomicU8, Ordering};

use storage::TopicPartition;

use crate::Broker;
use crate::metrics::figures::{BrokerState, GroupFigures, LogDirFigures, Observed, ReplicaFigures, Standing};

/// The furthest stage that was reached; nothing goes back.
#[derive(Debug, Default)]
pub struct Stage(AtomicU8);

impl Stage {
    /// The broker is so far now.
    pub fn reached(&self, state: BrokerState) {
        self.0.fetch_max(state as u8, Ordering::Relaxed);
    }

    fn has_reached(&self, state: BrokerState) -> bool {
        self.0.load(Ordering::Relaxed) >= state as u8
    }
}

impl Broker {
    fn state(&self) -> BrokerState {
        let at_work = self.link.readiness().is_ok() && self.replicas.is_recovered();
        if at_work {
            self.stage.reached(BrokerState::Running);
        }
        let furthest_first =
            [BrokerState::ShuttingDown, BrokerState::PendingControlledShutdown, BrokerState::Running];
        match furthest_first.into_iter().find(|&state| self.stage.has_reached(state)) {
            Some(reached) => reached,
            None if !self.replicas.is_recovered() => BrokerState::Recovery,
            None => BrokerState::Starting,
        }
    }
}

impl Observed for Broker {
    fn partitions(&self) -> Vec<(TopicPartition, ReplicaFigures)> {
        self.replicas.figures()
    }

    fn log_dirs(&self) -> Vec<LogDirFigures> {
        self.replicas.log_dir_figures()
    }

    fn standing(&self) -> Standing {
        let sessions = self.fetch_sessions.count();
        Standing {
            state: self.state(),
            metadata_revision: self.image().revision,
            fetch_sessions: sessions.sessions,
            fetch_session_partitions: sessions.partitions,
            fetch_session_evictions: sessions.evictions,
            logs_to_recover: self.replicas.logs_to_recover(),
        }
    }

    fn groups(&self) -> GroupFigures {
        self.lags.figures()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_stage_is_left_for_an_earlier_one() {
        let stage = Stage::default();
        stage.reached(BrokerState::PendingControlledShutdown);
        stage.reached(BrokerState::Running);
        assert!(stage.has_reached(BrokerState::PendingControlledShutdown));
        assert!(!stage.has_reached(BrokerState::ShuttingDown));
    }
}
