//! What a fetcher has done on threads that may wait for a disk: cuts, and handing to the disk what was caught up with.

use std::sync::Arc;

use protocol::types::LeaderEpoch;
use storage::log::{LogError, Writeback};
use tokio::task::{JoinError, spawn_blocking};

use super::apply::{FollowError, Taken};
use super::ask::{Ask, PartitionKey};
use super::followed::Followed;
use super::reaction::{Answer, Bounds};
use crate::api::wall_clock_ms;
use crate::replica::Replicas;
use crate::replica::errors::PartitionError;
use crate::replica::partition::Partition;

/// Why a log is to be cut.
pub enum Cut {
    Diverging(Ask, Answer),
    Bounds(Ask, Bounds),
    /// Offsets are missing.
    Gap(LeaderEpoch),
}

/// A log to be cut.
pub type ToCut = (PartitionKey, Arc<Followed>, Cut);

/// What came of it.
pub type WasCut = (PartitionKey, Arc<Followed>, Result<Taken, FollowError>);

impl Cut {
    fn carry_out(&self, partition: &Partition) -> Result<Taken, FollowError> {
        match self {
            Cut::Diverging(ask, answer) => partition.take_answer(ask, answer, wall_clock_ms()),
            Cut::Bounds(ask, bounds) => partition.take_bounds(ask, *bounds, wall_clock_ms()),
            Cut::Gap(leader_epoch) => partition.position(*leader_epoch).map(Taken::Cut),
        }
    }
}

/// Cuts logs, which may read much, and has their recovery points on the disk before anything is appended to them.
pub async fn cut(replicas: &Arc<Replicas>, cuts: Vec<ToCut>) -> Result<Vec<WasCut>, JoinError> {
    if cuts.is_empty() {
        return Ok(Vec::new());
    }
    let replicas = replicas.clone();
    let cutting = move || {
        let cut = |(key, followed, cut): ToCut| {
            let taken = cut.carry_out(&followed.partition);
            (key, followed, taken)
        };
        let taken: Vec<WasCut> = cuts.into_iter().map(cut).collect();
        if taken.iter().any(|(_, _, taken)| matches!(taken, Ok(Taken::Cut(_)))) {
            replicas.save_recovery_points();
        }
        taken
    };
    spawn_blocking(cutting).await
}

/// Lets the disk take what was caught up with before more is fetched: gigabytes that wait in the page cache would make every
/// other write wait, this broker's own appends as leader among them.
pub async fn write_back(
    replicas: &Replicas,
    writebacks: Vec<(Arc<Followed>, Writeback)>,
) -> Result<(), JoinError> {
    if writebacks.is_empty() {
        return Ok(());
    }
    let writing = spawn_blocking(move || {
        let run = |(followed, writeback): (Arc<Followed>, Writeback)| (followed, writeback.run());
        writebacks.into_iter().map(run).collect::<Vec<_>>()
    });
    for (followed, written) in writing.await? {
        if let Err(failure) = written {
            replicas.note_failure(&followed.partition, &PartitionError::Log(LogError::Io(failure)));
        }
    }
    Ok(())
}
