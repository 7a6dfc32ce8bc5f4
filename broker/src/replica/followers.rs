//! What a leader knows of its followers in the present epoch: how far each has fetched, and when it had all there was.
//!
//! Pure: the time is the caller's.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use protocol::types::{BrokerId, Offset};

use super::approach::{Approach, OutOfSync};

/// How long a follower is not proposed that the controller refused: it stops, its disk is full, or it is new to the
/// controller.
const REFUSED_REST: Duration = Duration::from_secs(1);

/// All followers that have fetched. Nobody has at the start of an epoch (safety rule 6).
#[derive(Clone, Debug)]
pub struct Followers {
    epoch_began_at: Instant,
    known: HashMap<BrokerId, Follower>,
}

#[derive(Clone, Copy, Debug)]
struct Follower {
    log_start: Option<Offset>,
    log_end: Offset,
    fetched_at: Instant,
    /// Where the leader's log ended when it fetched last.
    leader_end: Offset,
    /// When it last had all that the leader had at its fetch before; `None`: not since it came, or left the ISR.
    caught_up_at: Option<Instant>,
    broker_epoch: i64,
    approach: Approach,
    /// When it had fetched last as the controller would not have it in the ISR.
    refused_at: Option<Instant>,
}

/// One fetch: all before `from` is in the follower's log.
#[derive(Clone, Copy, Debug)]
pub struct FollowerFetch {
    pub from: Offset,
    /// Where the follower's log starts, if it said.
    pub log_start: Option<Offset>,
    /// Where the leader's log ended at that time.
    pub leader_end: Offset,
    /// The registration by which it fetched.
    pub broker_epoch: i64,
    pub at: Instant,
}

/// The fetch is of a registration before the one that has fetched already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the follower fetches as broker epoch {got}, and has fetched as {known}")]
pub struct StaleBrokerEpoch {
    pub got: i64,
    pub known: i64,
}

impl Followers {
    /// Nobody has fetched yet.
    pub fn new(epoch_began_at: Instant) -> Followers {
        Followers { epoch_began_at, known: HashMap::new() }
    }

    /// How long ago the epoch began.
    pub fn epoch_age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.epoch_began_at)
    }

    /// How far a follower's log reaches; `None` until it has fetched in this epoch.
    pub fn log_end(&self, follower: BrokerId) -> Option<Offset> {
        self.known.get(&follower).map(|known| known.log_end)
    }

    /// Where a follower's log starts, if it has said in this epoch.
    pub fn log_start(&self, follower: BrokerId) -> Option<Offset> {
        self.known.get(&follower)?.log_start
    }

    /// The registration by which it fetched last.
    pub fn broker_epoch(&self, follower: BrokerId) -> Option<i64> {
        self.known.get(&follower).map(|known| known.broker_epoch)
    }

    /// When it last had all; before that, the epoch's beginning.
    pub fn in_sync_at(&self, follower: BrokerId) -> Instant {
        self.known.get(&follower).and_then(|known| known.caught_up_at).unwrap_or(self.epoch_began_at)
    }

    /// When it last fetched; before that, the epoch's beginning.
    pub fn fetched_at(&self, follower: BrokerId) -> Instant {
        self.known.get(&follower).map_or(self.epoch_began_at, |known| known.fetched_at)
    }

    /// Those who had all a short time ago, with their log ends. The high watermark waits for them though they may not be in
    /// the ISR yet: a busy leader would outrun them for ever.
    pub fn caught_up(&self) -> impl Iterator<Item = (BrokerId, Offset)> + '_ {
        let caught_up = self.known.iter().filter(|(_, known)| known.caught_up_at.is_some());
        caught_up.map(|(&id, known)| (id, known.log_end))
    }

    /// Takes a fetch.
    pub fn fetched(&mut self, follower: BrokerId, fetch: FollowerFetch) -> Result<(), StaleBrokerEpoch> {
        let before = self.known.get(&follower).copied();
        let got = fetch.broker_epoch;
        if let Some(known) = before.map(|before| before.broker_epoch).filter(|known| got < *known) {
            return Err(StaleBrokerEpoch { got, known });
        }
        let caught_up_at = before.and_then(|before| before.caught_up_at);
        let caught_up_now = if fetch.from >= fetch.leader_end {
            Some(fetch.at)
        } else {
            before.filter(|before| fetch.from >= before.leader_end).map(|before| before.fetched_at)
        };
        let FollowerFetch { from: log_end, log_start, leader_end, broker_epoch, at: fetched_at } = fetch;
        let lag = leader_end - log_end;
        let (mut approach, refused_at) = match before.filter(|before| before.broker_epoch == broker_epoch) {
            Some(before) => (before.approach, before.refused_at),
            None => (Approach::begin(lag, fetched_at), None),
        };
        approach.fetched(lag, fetched_at);
        let rests = refused_at.is_some_and(|at| is_rest(at, fetched_at));
        let caught_up_at = caught_up_at.max(caught_up_now).filter(|_| !rests);
        let now = Follower {
            log_start,
            log_end,
            fetched_at,
            leader_end,
            caught_up_at,
            broker_epoch,
            approach,
            refused_at,
        };
        self.known.insert(follower, now);
        Ok(())
    }

    /// It left the ISR, or its broker is gone: it is waited for no more, until it has caught up anew.
    pub fn must_catch_up(&mut self, follower: BrokerId) {
        if let Some(known) = self.known.get_mut(&follower) {
            known.caught_up_at = None;
            // Whatever it reached before does not count for that.
            known.leader_end = Offset(i64::MAX);
        }
    }

    /// The controller would not have it in the ISR.
    pub fn refused(&mut self, follower: BrokerId) {
        if let Some(known) = self.known.get_mut(&follower) {
            known.refused_at = Some(known.fetched_at);
        }
        self.must_catch_up(follower);
    }

    /// Whether the controller would not have it in the ISR, the last time under this registration.
    pub fn was_refused(&self, follower: BrokerId) -> bool {
        self.known.get(&follower).is_some_and(|known| known.refused_at.is_some())
    }

    /// Whether it was refused so short a time ago that there is no use in proposing it again, or in waiting for it.
    pub fn rests(&self, follower: BrokerId) -> bool {
        let Some(known) = self.known.get(&follower) else { return false };
        known.refused_at.is_some_and(|at| is_rest(at, known.fetched_at))
    }

    /// It is in the ISR.
    pub fn accepted(&mut self, follower: BrokerId) {
        if let Some(known) = self.known.get_mut(&follower) {
            known.refused_at = None;
        }
    }

    /// Why a replica is out of sync. One that has yet to fetch is taken for a new one until it has had the time.
    pub fn judge(&mut self, replica: BrokerId, lag_time_max: Duration, now: Instant) -> OutOfSync {
        let began_at = self.epoch_began_at;
        match self.known.get_mut(&replica) {
            Some(known) => known.approach.judge(known.fetched_at, lag_time_max, now),
            None => Approach::begin(i64::MAX, now).judge(began_at, lag_time_max, now),
        }
    }

    /// Those outside of the ISR who have not kept up for so long must catch up anew. Tells whether there were any.
    pub fn expire(&mut self, isr: &[BrokerId], lag_time_max: Duration, now: Instant) -> bool {
        let late =
            |at: Option<Instant>| at.is_some_and(|at| now.saturating_duration_since(at) > lag_time_max);
        let expired: Vec<_> = self
            .known
            .iter()
            .filter(|(id, known)| !isr.contains(id) && late(known.caught_up_at))
            .map(|(id, _)| *id)
            .collect();
        expired.iter().for_each(|&id| self.must_catch_up(id));
        !expired.is_empty()
    }

    /// Forgets whoever is no replica any more.
    pub fn retain(&mut self, replicas: &[BrokerId]) {
        self.known.retain(|id, _| replicas.contains(id));
    }
}

fn is_rest(refused_at: Instant, now: Instant) -> bool {
    now.saturating_duration_since(refused_at) < REFUSED_REST
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: BrokerId = BrokerId(2);

    fn fetch(followers: &mut Followers, from: i64, leader_end: i64, at: Instant) {
        let (from, leader_end) = (Offset(from), Offset(leader_end));
        followers
            .fetched(TWO, FollowerFetch { from, log_start: None, leader_end, broker_epoch: 1, at })
            .expect("one epoch");
    }

    fn waited_for(followers: &Followers) -> Vec<(i32, i64)> {
        followers.caught_up().map(|(id, end)| (id.0, end.0)).collect()
    }

    #[test]
    fn nobody_is_known_at_the_start_of_an_epoch() {
        let followers = Followers::new(Instant::now());
        assert_eq!(followers.log_end(TWO), None);
        assert_eq!(waited_for(&followers), []);
    }

    #[test]
    fn a_follower_is_waited_for_once_it_had_all_and_until_it_left() {
        let begun = Instant::now();
        let second = |n| begun + Duration::from_secs(n);
        let mut followers = Followers::new(begun);
        fetch(&mut followers, 5, 10, second(1));
        assert_eq!(waited_for(&followers), []);
        fetch(&mut followers, 10, 20, second(2));
        assert_eq!(waited_for(&followers), [(2, 10)], "it has what there was at its fetch before");
        assert_eq!(followers.in_sync_at(TWO), second(1));
        followers.must_catch_up(TWO);
        fetch(&mut followers, 20, 30, second(3));
        assert_eq!(waited_for(&followers), [], "a fetch from before it left does not count");
        fetch(&mut followers, 30, 40, second(4));
        assert_eq!(waited_for(&followers), [(2, 30)]);
    }

    #[test]
    fn who_was_refused_rests_until_it_is_accepted_or_registers_again() {
        let begun = Instant::now();
        let mut followers = Followers::new(begun);
        fetch(&mut followers, 10, 10, begun);
        followers.refused(TWO);
        assert_eq!(waited_for(&followers), []);
        fetch(&mut followers, 10, 10, begun + REFUSED_REST / 2);
        assert!(followers.rests(TWO) && followers.was_refused(TWO));
        assert_eq!(waited_for(&followers), []);
        fetch(&mut followers, 10, 10, begun + REFUSED_REST);
        assert!(!followers.rests(TWO) && followers.was_refused(TWO));
        followers.refused(TWO);
        let (from, at) = (Offset(10), begun + REFUSED_REST);
        let again = FollowerFetch { from, log_start: None, leader_end: from, broker_epoch: 2, at };
        followers.fetched(TWO, again).expect("a later registration");
        assert!(!followers.rests(TWO) && !followers.was_refused(TWO));
        followers.refused(TWO);
        followers.accepted(TWO);
        assert!(!followers.was_refused(TWO));
    }

    #[test]
    fn who_caught_up_and_fell_silent_is_not_waited_for_any_longer_than_it_may_lag() {
        let begun = Instant::now();
        let (lag_max, mut followers) = (Duration::from_secs(30), Followers::new(begun));
        fetch(&mut followers, 10, 10, begun);
        assert!(!followers.expire(&[], lag_max, begun + lag_max));
        assert!(
            !followers.expire(&[TWO], lag_max, begun + lag_max * 2),
            "a member of the ISR leaves it otherwise"
        );
        assert!(followers.expire(&[], lag_max, begun + lag_max * 2));
        assert_eq!(waited_for(&followers), []);
    }
}
