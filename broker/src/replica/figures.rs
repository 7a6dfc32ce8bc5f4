//! Replicas and log directories as they are at the moment, for those who watch them.

use std::path::Path;

use nix::sys::statvfs::statvfs;
use protocol::types::Offset;
use storage::TopicPartition;
use storage::log::Log;

use super::Replicas;
use super::partition::{LogState, Partition, State};
use super::role::{Leader, Role};
use crate::metrics::figures::{LedFigures, LogDirFigures, ReplicaFigures};

impl Replicas {
    /// Every replica whose log is open.
    pub fn figures(&self) -> Vec<(TopicPartition, ReplicaFigures)> {
        let figures = |partition: &Partition| Some((partition.at.clone(), partition.figures()?));
        self.all().iter().filter_map(|partition| figures(partition)).collect()
    }

    /// The file systems under the log directories that are in service.
    pub fn log_dir_figures(&self) -> Vec<LogDirFigures> {
        let online = self.dirs.iter().filter(|dir| dir.is_online());
        online.filter_map(|dir| file_system(dir.path())).collect()
    }
}

impl Partition {
    /// The high watermark, as the leader has it or said it last; none where nobody knows it here.
    pub fn told_high_watermark(&self) -> Option<Offset> {
        let state = self.lock();
        match &state.role {
            Role::Leader(leader) => leader.epoch_start.is_some().then_some(state.high_watermark),
            Role::Follower(follower) => Some(follower.told_high_watermark.max(state.high_watermark)),
            Role::Unassigned => None,
        }
    }

    /// None while the log can't be used.
    fn figures(&self) -> Option<ReplicaFigures> {
        let state = self.lock();
        let LogState::Open(log) = &state.log else { return None };
        let led = match &state.role {
            Role::Leader(leader) => Some(led(&state, log, leader)),
            Role::Follower(_) | Role::Unassigned => None,
        };
        Some(ReplicaFigures {
            bytes: log.size_in_bytes(),
            segments: log.segments_count(),
            log_start_offset: log.log_start_offset().0,
            log_end_offset: log.log_end_offset().0,
            producers: log.producers().producers().len(),
            led,
        })
    }
}

fn led(state: &State, log: &Log, leader: &Leader) -> LedFigures {
    LedFigures {
        in_sync_replicas: leader.isr.len(),
        replicas: leader.replicas.len(),
        min_isr: leader.min_isr,
        high_watermark: state.high_watermark.0,
        last_stable_offset: log.last_stable_offset(state.high_watermark).0,
    }
}

fn file_system(path: &Path) -> Option<LogDirFigures> {
    let facts = statvfs(path).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(facts.fragment_size());
    Some(LogDirFigures {
        path: path.display().to_string(),
        size_bytes: bytes(facts.blocks()),
        free_bytes: bytes(facts.blocks_available()),
    })
}
