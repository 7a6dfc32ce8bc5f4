//! The follower's end of a fetch session (KIP-227): the leader remembers what is asked for, so that a fetch names only what
//! changed.
//!
//! Pure. Fetches are numbered, and may overtake each other by one: while a fetch is parked at the leader, the next may name
//! what changed since; the leader then answers the parked one at once, with nothing.
//!
//! Invariant: an answer counts for a partition only if its fetch was sent under what is asked now.

use std::collections::HashMap;

use protocol::ErrorCode;

use super::ask::{Ask, PartitionKey};

/// The epoch by which a fetch names everything and asks for a session.
const INITIAL_EPOCH: i32 = 0;

/// What the leader remembers, as far as this end knows.
#[derive(Debug, Default)]
pub struct Session {
    stage: Stage,
    told: HashMap<PartitionKey, Told>,
    /// The number of the newest fetch.
    newest: u64,
    /// The leader had no room for a session when it was last asked for one.
    denied: bool,
}

/// How far a session has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// The next fetch names everything. Exit: opening.
    #[default]
    Closed,
    /// That fetch is on its way; until its answer the session's id is not known. Exits: open, or closed without a session.
    Opening,
    /// Fetches name what changed. Exit: closed, when the leader forgot it or the connection broke.
    Open { id: i32, next_epoch: i32 },
}

#[derive(Debug)]
struct Told {
    ask: Ask,
    /// The fetch that named it.
    since: u64,
}

/// One fetch, as it is sent.
#[derive(Debug, PartialEq)]
pub struct Outgoing {
    pub number: u64,
    pub session_id: i32,
    pub session_epoch: i32,
    pub named: Vec<(PartitionKey, Ask)>,
    pub forgotten: Vec<PartitionKey>,
    /// Whether the leader may hold its answer back until there are records; not that which opens the session.
    pub may_wait: bool,
}

impl Session {
    /// Whether the next fetch must name everything.
    pub fn is_closed(&self) -> bool {
        self.stage == Stage::Closed
    }

    /// Whether a fetch may follow while another is on its way.
    pub fn may_overtake(&self) -> bool {
        matches!(self.stage, Stage::Open { .. })
    }

    /// Whether the leader remembers nothing.
    pub fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// What the leader was told of a partition.
    pub fn told(&self, key: &PartitionKey) -> Option<&Ask> {
        self.told.get(key).map(|told| &told.ask)
    }

    /// Begins anew: whatever the leader remembers, it is told everything again.
    pub fn close(&mut self) {
        self.stage = Stage::Closed;
    }

    /// The next fetch. `wanted` holds every partition that is not asked for as it was told (`None`: not at all any more);
    /// on a closed session simply every partition.
    pub fn next(&mut self, wanted: impl Iterator<Item = (PartitionKey, Option<Ask>)>) -> Outgoing {
        self.newest += 1;
        let (session_id, session_epoch) = self.advance();
        let (mut named, mut forgotten) = (Vec::new(), Vec::new());
        for (key, ask) in wanted {
            match ask {
                Some(ask) if self.told(&key) != Some(&ask) => {
                    self.told.insert(key, Told { ask, since: self.newest });
                    named.push((key, ask));
                }
                Some(_) => {}
                None => forgotten.extend(self.told.remove(&key).map(|_| key)),
            }
        }
        let may_wait = session_epoch != INITIAL_EPOCH || self.denied;
        Outgoing { number: self.newest, session_id, session_epoch, named, forgotten, may_wait }
    }

    fn advance(&mut self) -> (i32, i32) {
        match &mut self.stage {
            Stage::Open { id, next_epoch } => {
                let epoch = *next_epoch;
                *next_epoch = epoch.checked_add(1).unwrap_or(1);
                (*id, epoch)
            }
            Stage::Closed | Stage::Opening => {
                self.told.clear();
                self.stage = Stage::Opening;
                (0, INITIAL_EPOCH)
            }
        }
    }

    /// Takes the head of an answer. An error of the session closes it, and is given back; the next fetch mends it.
    pub fn answered(&mut self, error: ErrorCode, session_id: i32) -> Result<(), ErrorCode> {
        if error != ErrorCode::None {
            self.close();
            return Err(error);
        }
        match self.stage {
            Stage::Opening => {
                self.denied = session_id <= 0;
                self.stage =
                    if self.denied { Stage::Closed } else { Stage::Open { id: session_id, next_epoch: 1 } };
            }
            Stage::Open { id, .. } if id == session_id => {}
            Stage::Open { .. } | Stage::Closed => self.close(),
        }
        Ok(())
    }

    /// What fetch `number` asked of a partition; `None` if something else is asked by now.
    pub fn asked(&self, number: u64, key: &PartitionKey) -> Option<Ask> {
        self.told.get(key).filter(|told| told.since <= number).map(|told| told.ask)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replica::follower::ask::Position;
    use protocol::types::{LeaderEpoch, Offset, Uuid};

    fn key(index: i32) -> PartitionKey {
        PartitionKey { topic: Uuid([7; 16]), index }
    }

    fn ask(log_end: i64) -> Ask {
        let position = Position { log_start: Offset(0), log_end: Offset(log_end), last_epoch: None };
        Ask { leader_epoch: LeaderEpoch(3), position }
    }

    fn send(session: &mut Session, wanted: &[(i32, Option<i64>)]) -> Outgoing {
        session.next(wanted.iter().map(|&(index, end)| (key(index), end.map(ask))))
    }

    fn open() -> Session {
        let mut session = Session::default();
        send(&mut session, &[(0, Some(5)), (1, Some(5))]);
        session.answered(ErrorCode::None, 44).expect("no error");
        session
    }

    #[test]
    fn the_first_fetch_names_everything_and_later_ones_what_changed() {
        let mut session = Session::default();
        let first = send(&mut session, &[(0, Some(5)), (1, Some(5))]);
        assert_eq!((first.session_id, first.session_epoch, first.named.len()), (0, 0, 2));
        assert!(!session.may_overtake(), "its id is not known yet");
        session.answered(ErrorCode::None, 44).expect("no error");
        let second = send(&mut session, &[(0, Some(6)), (1, None)]);
        assert_eq!((second.session_id, second.session_epoch), (44, 1));
        assert_eq!((second.named, second.forgotten), (vec![(key(0), ask(6))], vec![key(1)]));
        assert_eq!(send(&mut session, &[]).session_epoch, 2);
    }

    #[test]
    fn what_is_told_already_is_not_told_again() {
        let mut session = open();
        assert_eq!(send(&mut session, &[(0, Some(5)), (9, None)]).named, []);
    }

    #[test]
    fn a_session_that_the_leader_forgot_or_never_gave_is_begun_anew() {
        let mut session = open();
        let lost = session.answered(ErrorCode::FetchSessionIdNotFound, 0);
        assert_eq!(lost, Err(ErrorCode::FetchSessionIdNotFound));
        assert!(session.is_closed());
        let anew = send(&mut session, &[(0, Some(5))]);
        assert_eq!((anew.session_epoch, anew.named.len(), anew.may_wait), (0, 1, false));
        session.answered(ErrorCode::None, 0).expect("no error");
        assert!(session.is_closed(), "the leader has no room for a session");
        assert_eq!(session.asked(anew.number, &key(0)), Some(ask(5)), "but the answer counts");
        assert!(send(&mut session, &[(0, Some(5))]).may_wait, "or fetches would go round and round");
    }

    #[test]
    fn an_answer_to_what_is_not_asked_any_more_does_not_count() {
        let mut session = open();
        let parked = send(&mut session, &[]);
        let overtaking = send(&mut session, &[(0, Some(9))]);
        assert_eq!(session.asked(parked.number, &key(0)), None);
        assert_eq!(session.asked(parked.number, &key(1)), Some(ask(5)));
        assert_eq!(session.asked(overtaking.number, &key(0)), Some(ask(9)));
    }
}
