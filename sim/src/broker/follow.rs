//! How a follower asks and a leader answers, in the place of `broker::replica::follower::fetcher` and the Fetch API.

use std::os::unix::fs::FileExt;
use std::time::Instant;

use broker::replica::follower::{Answer, Ask, Bounds, Divergence, FollowError, Taken};
use broker::replica::offsets::OffsetQuery;
use broker::replica::partition::Partition;
use broker::replica::read::{Reach, Read};
use broker::replica::role::Role;
use bytes::Bytes;
use protocol::ErrorCode;
use protocol::types::{BrokerId, Offset};
use storage::log::FileRange;

use super::Process;
use crate::bug::Bug;

/// The most of one answer: a few batches.
const ANSWER_BYTES_MAX: usize = 400;

/// What a follower did with an answer.
#[derive(Debug)]
pub enum Reaction {
    Nothing,
    Advanced {
        got_records: bool,
    },
    Cut,
    /// The leader is to be asked where its log begins and ends.
    AsksForBounds,
}

impl Process {
    /// What to ask of whom, if this broker follows here.
    pub fn asks(&self, index: i32) -> Option<(BrokerId, Ask)> {
        let partition = self.partition(index)?;
        let (leader, leader_epoch) = partition.inspect(|seen| match seen.role {
            Role::Follower(follower) => Some((follower.leader.known()?, follower.epoch)),
            Role::Leader(_) | Role::Unassigned => None,
        })??;
        let position = partition.position(leader_epoch).ok()?;
        Some((leader, Ask { leader_epoch, position }))
    }

    /// Takes an answer in.
    pub fn fetched(&self, index: i32, ask: &Ask, answer: &Answer, now_ms: i64) -> Reaction {
        let Some(partition) = self.partition(index) else { return Reaction::Nothing };
        reaction(partition.take_answer(ask, answer, now_ms), !answer.records.is_empty())
    }

    /// Takes in where the leader's log begins and ends.
    pub fn told_bounds(&self, index: i32, ask: &Ask, bounds: Bounds, now_ms: i64) -> Reaction {
        let Some(partition) = self.partition(index) else { return Reaction::Nothing };
        reaction(partition.take_bounds(ask, bounds, now_ms), false)
    }

    /// Where this broker's log begins and ends, for a follower.
    pub fn bounds(&self, index: i32, follower: BrokerId, ask: &Ask) -> Option<Bounds> {
        let partition = self.partition(index)?;
        let find = |query| {
            let found = partition.find_offset(query, Reach::LogEnd(follower), Some(ask.leader_epoch));
            found.ok().flatten().map(|found| found.offset)
        };
        Some(Bounds { start: find(OffsetQuery::Earliest)?, end: find(OffsetQuery::Latest)? })
    }
}

fn reaction(taken: Result<Taken, FollowError>, got_records: bool) -> Reaction {
    match taken {
        Ok(Taken::At(_)) => Reaction::Advanced { got_records },
        Ok(Taken::Cut(_)) => Reaction::Cut,
        Ok(Taken::AskForBounds) => Reaction::AsksForBounds,
        Ok(Taken::PassedOver(_)) | Err(_) => Reaction::Nothing,
    }
}

/// The leader's answer to a fetch.
pub fn fetch(
    partition: &Partition,
    follower: BrokerId,
    broker_epoch: Option<i64>,
    ask: &Ask,
    asked_at: Instant,
    bug: Option<Bug>,
) -> Answer {
    let cuts_blindly = bug == Some(Bug::TruncationToHighWatermark);
    let read = Read {
        from: ask.position.log_end,
        bytes_max: ANSWER_BYTES_MAX,
        at_least_one: true,
        reach: Reach::LogEnd(follower),
        expected_epoch: Some(ask.leader_epoch),
        last_fetched_epoch: ask.position.last_epoch.filter(|_| !cuts_blindly),
        broker_epoch,
        log_start: Some(ask.position.log_start),
        asked_at,
    };
    let nothing = |error| Answer {
        error,
        diverging: None,
        high_watermark: Offset(-1),
        log_start: Offset(-1),
        records: Bytes::new(),
    };
    match partition.read(&read) {
        Ok(answer) => {
            if answer.diverging.is_some() && bug == Some(Bug::DivergingFetchAcknowledges) {
                // Whatever comes of it, it is noted as a fetch from there.
                let _ = partition.read(&Read { last_fetched_epoch: None, ..read });
            }
            Answer {
                diverging: answer.diverging.map(|(epoch, end)| Divergence { epoch, end }),
                high_watermark: answer.high_watermark,
                log_start: answer.log_start_offset,
                records: answer.records.as_ref().map(bytes_of).unwrap_or_default(),
                ..nothing(ErrorCode::None)
            }
        }
        Err(error) => nothing(error.code()),
    }
}

/// What a stretch of a file holds.
pub fn bytes_of(range: &FileRange) -> Bytes {
    let mut bytes = vec![0; range.length as usize];
    let file = range.file.descriptor().expect("a file in memory");
    file.read_exact_at(&mut bytes, range.position).expect("what a log says that it holds");
    bytes.into()
}
