//! Carries out, under the partition's lock, what a follower decides to do with its leader's answer.

use bytes::Bytes;
use protocol::ErrorCode;
use protocol::types::{LeaderEpoch, Offset};
use storage::log::Log;

use super::ask::{Ask, Position};
use super::reaction::{Answer, Bounds, Own, Step, react, react_to_bounds};
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
    /// Where the log stands, as long as this replica follows in that epoch.
    pub fn position(&self, leader_epoch: LeaderEpoch) -> Result<Position, FollowError> {
        let mut state = self.lock();
        if state.following() != Some(leader_epoch) {
            return Err(FollowError::NotFollower(leader_epoch));
        }
        Ok(position(state.open_log()?))
    }

    /// Takes in the answer to a fetch.
    pub fn take_answer(&self, ask: &Ask, answer: &Answer, now_ms: i64) -> Result<Taken, FollowError> {
        let mut state = self.lock();
        match react(ask, answer, &state.own()?) {
            Step::Advance => {
                state.append_fetched(&answer.records, ask.leader_epoch, now_ms)?;
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
        log.advance_log_start(log_start, high_watermark.max(self.high_watermark));
        if high_watermark > self.high_watermark {
            self.high_watermark = high_watermark;
            self.fetches.high_watermark_moved();
        }
    }

    fn settle_after_cut(&mut self) -> Result<Position, PartitionError> {
        let log = self.open_log()?;
        let (start, end, position) = (log.log_start_offset(), log.log_end_offset(), position(log));
        self.high_watermark = self.high_watermark.clamp(start, end);
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
