//! A partition as a fetcher knows it, and what an answer says of how far it has come.

use std::sync::Arc;

use super::apply::{FollowError, Taken};
use super::reaction::Answer;
use crate::metrics::replication::FetcherLag;
use crate::replica::partition::Partition;

/// A partition that is followed here, and how far it lags.
pub struct Followed {
    pub partition: Arc<Partition>,
    pub lag: FetcherLag,
}

impl Followed {
    pub fn observe(&self, answer: &Answer, taken: &Result<Taken, FollowError>) {
        if let Ok(Taken::At(position)) = taken {
            self.partition.metrics.observe_replication_in(answer.records.len() as u64);
            self.lag.show(answer.high_watermark - position.log_end);
        }
    }
}

/// Whether the log holds all that the leader had acknowledged when it answered. It will be waited for from the next fetch on.
pub fn has_caught_up(answer: &Answer, taken: &Result<Taken, FollowError>) -> bool {
    matches!(taken, Ok(Taken::At(position)) if position.log_end >= answer.high_watermark)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replica::follower::Position;
    use bytes::Bytes;
    use protocol::ErrorCode;
    use protocol::types::Offset;

    #[test]
    fn who_holds_all_that_was_acknowledged_has_caught_up() {
        let answer = Answer {
            error: ErrorCode::None,
            diverging: None,
            high_watermark: Offset(10),
            log_start: Offset(0),
            records: Bytes::new(),
        };
        let at = |log_end| Position { log_start: Offset(0), log_end: Offset(log_end), last_epoch: None };
        assert!([10, 11].iter().all(|end| has_caught_up(&answer, &Ok(Taken::At(at(*end))))));
        assert!(!has_caught_up(&answer, &Ok(Taken::At(at(9)))));
        assert!(!has_caught_up(&answer, &Ok(Taken::PassedOver(at(10)))), "it was of another time");
        assert!(!has_caught_up(&answer, &Err(FollowError::Leader(ErrorCode::NotLeaderOrFollower))));
    }
}
