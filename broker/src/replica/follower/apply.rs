//! Carries out, under the partition's lock, what a follower decides to do with its leader's answer.

use std::time::Instant;

use bytes::Bytes;
use protocol::ErrorCode;
use protocol::types::{LeaderEpoch, Offset};
use storage::log::{Log, Writeback};

use super::ask::{Ask, Position};
use super::reaction::{Answer, Bounds, Own, Step, react, react_to_bounds};
use crate::api::wall_clock_ms;
use crate::replica::errors::PartitionError;
use crate::replica::partition::{LogState, Partition, State};
use crate::replica::role::Role;

/// What came of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The log stands here now.
    At(Position),
    /// As [`Taken::At`], by a cut: the recovery point may have moved back, and nothing may be appended before that is on
    /// the disk.
    Cut(Position),
    /// The answer was of another time; the log stands here.
    PassedOver(Position),
    AskForBounds,
}

/// Why an answer was not taken in.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    #[error("the leader answered {0}")]
    Leader(ErrorCode),
    #[error("this replica does not follow in leader epoch {0}")]
    NotFollower(LeaderEpoch),
    #[error(transparent)]
    Own(#[from] PartitionError),
}

impl Partition {
    /// Where the log stands, as long as this replica follows in that epoch. Where recovery found offsets missing it is cut
    /// first, and ends there; see [`Partition::is_to_be_cut`].
    pub fn position(&self, leader_epoch: LeaderEpoch) -> Result<Position, FollowError> {
        let mut state = self.lock();
        if state.following() != Some(leader_epoch) {
            return Err(FollowError::NotFollower(leader_epoch));
        }
        if let Some(gap) = state.gap_to_cut() {
            self.report_gap(&state, gap);
            state.open_log()?.truncate_to(gap, wall_clock_ms()).map_err(PartitionError::from)?;
            return Ok(state.settle_after_cut()?);
        }
        Ok(position(state.open_log()?))
    }

    /// Whether [`Partition::position`] has to cut the log, which may read much.
    pub(in crate::replica) fn is_to_be_cut(&self) -> bool {
        self.lock().gap_to_cut().is_some()
    }

    /// Takes in the answer to a fetch.
    pub fn take_answer(&self, ask: &Ask, answer: &Answer, now_ms: i64) -> Result<Taken, FollowError> {
        let mut state = self.lock();
        match react(ask, answer, &state.own()?) {
            Step::Advance => {
                let began = Instant::now();
                state.append_fetched(&answer.records, ask.leader_epoch, now_ms)?;
                if !answer.records.is_empty() {
                    self.dir.times.observe_append(began.elapsed());
                }
                state.move_after_leader(answer.high_watermark, answer.log_start);
                Ok(Taken::At(position(state.open_log()?)))
            }
            step => self.carry_out(&mut state, step, now_ms),
        }
    }

    /// Takes in where the leader's log begins and ends.
    pub fn take_bounds(&self, ask: &Ask, leader: Bounds, now_ms: i64) -> Result<Taken, FollowError> {
        let mut state = self.lock();
        let step = react_to_bounds(ask, leader, &state.own()?);
        self.carry_out(&mut state, step, now_ms)
    }

    fn carry_out(&self, state: &mut State, step: Step, now_ms: i64) -> Result<Taken, FollowError> {
        match step {
            Step::PassOver | Step::Advance => Ok(Taken::PassedOver(position(state.open_log()?))),
            Step::AskForBounds => Ok(Taken::AskForBounds),
            Step::Retry(error) => Err(FollowError::Leader(error)),
            Step::TruncateTo(offset) => {
                self.report_cut(state, offset);
                state.open_log()?.truncate_to(offset, now_ms).map_err(PartitionError::from)?;
                Ok(Taken::Cut(state.settle_after_cut()?))
            }
            Step::RestartAt(offset) => {
                tracing::info!(partition = %self.at, %offset, "log restarts where the leader's begins");
                state
                    .open_log()?
                    .truncate_fully_and_start_at(offset, now_ms)
                    .map_err(PartitionError::from)?;
                Ok(Taken::Cut(state.settle_after_cut()?))
            }
        }
    }

    /// What the disk is to take of what was caught up with, if that is much by now.
    pub(in crate::replica) fn begin_writeback(&self) -> Option<Writeback> {
        match &mut self.lock().log {
            LogState::Open(log) => log.begin_writeback(),
            _ => None,
        }
    }

    fn report_gap(&self, state: &State, offset: Offset) {
        let (high_watermark, partition) = (state.high_watermark, &self.at);
        tracing::warn!(%partition, %offset, %high_watermark, "log cut where offsets are missing: a power loss took them");
    }

    fn report_cut(&self, state: &State, offset: Offset) {
        let (high_watermark, partition) = (state.high_watermark, &self.at);
        if offset < high_watermark {
            tracing::error!(%partition, %offset, %high_watermark, "log cut below its high watermark: the leader's election was unclean");
        } else {
            tracing::info!(%partition, %offset, "log cut where the leader's parts from it");
        }
    }
}

impl State {
    /// The leader epoch in which this replica follows.
    fn following(&self) -> Option<LeaderEpoch> {
        match &self.role {
            Role::Follower(follower) => Some(follower.epoch),
            Role::Leader(_) | Role::Unassigned => None,
        }
    }

    /// Where offsets are missing in the log, if this replica may cut it there: it follows, and is neither in the ISR nor in
    /// the ELR, where a broker that lost pages is not (safety rule 7). In the log of one that is counted on, compaction made
    /// the gap. A cut there may go below the high watermark: this log does not hold what that promised, and must not be taken
    /// for one that does.
    fn gap_to_cut(&self) -> Option<Offset> {
        match (&self.role, &self.log) {
            (Role::Follower(follower), LogState::Open(log)) if !follower.is_eligible => log.first_gap(),
            _ => None,
        }
    }

    fn own(&mut self) -> Result<Own<'_>, PartitionError> {
        let following = self.following();
        let log = self.open_log()?;
        Ok(Own { following, end: log.log_end_offset(), epochs: log.leader_epochs() })
    }

    fn append_fetched(
        &mut self,
        records: &Bytes,
        epoch: LeaderEpoch,
        now_ms: i64,
    ) -> Result<(), PartitionError> {
        if !records.is_empty() {
            self.open_log()?.append_as_follower(records, epoch, now_ms)?;
            self.mark.note();
        }
        Ok(())
    }

    /// The high watermark is the leader's, as far as this log reaches, and never goes back.
    fn move_after_leader(&mut self, high_watermark: Offset, log_start: Offset) {
        if let Role::Follower(follower) = &mut self.role {
            follower.told_high_watermark = high_watermark;
        }
        let LogState::Open(log) = &mut self.log else { return };
        let high_watermark = high_watermark.min(log.log_end_offset());
        let log_start_before = log.log_start_offset();
        if log.advance_log_start(log_start, high_watermark.max(self.high_watermark)) != log_start_before {
            self.mark.note();
        }
        if high_watermark > self.high_watermark {
            self.high_watermark = high_watermark;
            self.mark.note();
            self.fetches.high_watermark_moved();
        }
    }

    fn settle_after_cut(&mut self) -> Result<Position, PartitionError> {
        let log = self.open_log()?;
        let (start, end, position) = (log.log_start_offset(), log.log_end_offset(), position(log));
        self.high_watermark = self.high_watermark.clamp(start, end);
        self.mark.note();
        Ok(position)
    }
}

fn position(log: &mut Log) -> Position {
    Position {
        log_start: log.log_start_offset(),
        log_end: log.log_end_offset(),
        last_epoch: log.latest_epoch(),
    }
}
