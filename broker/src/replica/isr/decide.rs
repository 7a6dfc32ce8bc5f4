//! Who leaves the ISR and who returns to it: pure.

use std::time::{Duration, Instant};

use protocol::types::{BrokerId, Offset};

use super::proposals::Member;
use crate::replica::followers::Followers;

/// What a leader sees when it decides.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The leader itself.
    pub leader: Member,
    pub replicas: &'a [BrokerId],
    /// As committed.
    pub isr: &'a [BrokerId],
    pub high_watermark: Offset,
    pub log_end: Offset,
    /// Where the log ended when the leader epoch began.
    pub epoch_start: Offset,
    pub followers: &'a Followers,
    /// `replica.lag.time.max.ms`
    pub lag_time_max: Duration,
    pub now: Instant,
}

/// Why a replica is not in sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lag {
    /// It has not fetched for the time that it may lag.
    Stuck,
    /// It fetches, and has not reached the end for the time that it may lag.
    Slow,
}

/// An ISR to propose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IsrChange {
    pub isr: Vec<Member>,
    pub leaving: Vec<(BrokerId, Lag)>,
    pub returning: Vec<BrokerId>,
}

/// The ISR that should be, if it is not the one that is. `registered` tells the broker epoch of whoever may be a member:
/// registered and not fenced.
pub fn wanted(view: &View, registered: impl Fn(BrokerId) -> Option<i64>) -> Option<IsrChange> {
    let leaving: Vec<_> = out_of_sync(view).collect();
    let returning = returning(view, registered);
    if leaving.is_empty() && returning.is_empty() {
        return None;
    }
    let stays = |id: &&BrokerId| leaving.iter().all(|(leaver, _)| leaver != *id);
    let isr = view.isr.iter().filter(stays).chain(&returning).map(|&id| member(view, id)).collect();
    Some(IsrChange { isr, leaving, returning })
}

/// The members of the ISR that lag, each with the cause.
fn out_of_sync<'a>(view: &'a View) -> impl Iterator<Item = (BrokerId, Lag)> + 'a {
    let followers = view.isr.iter().copied().filter(|&id| id != view.leader.id);
    followers.filter_map(|id| Some((id, lag(view, id)?)))
}

fn lag(view: &View, id: BrokerId) -> Option<Lag> {
    let View { followers, log_end, lag_time_max, now, .. } = view;
    let is_recent = |at: Instant| now.saturating_duration_since(at) <= *lag_time_max;
    if followers.log_end(id) == Some(*log_end) || is_recent(followers.in_sync_at(id)) {
        None
    } else if is_recent(followers.fetched_at(id)) {
        Some(Lag::Slow)
    } else {
        Some(Lag::Stuck)
    }
}

/// Whether a replica has all that is committed, and a record of this epoch's start: what the leader holds beyond its high
/// watermark may be committed already.
pub fn has_what_is_committed(log_end: Offset, high_watermark: Offset, epoch_start: Offset) -> bool {
    log_end >= high_watermark && log_end >= epoch_start
}

/// Those who are to return. One that the controller refused before is proposed alone, so that it keeps out no others.
fn returning(view: &View, registered: impl Fn(BrokerId) -> Option<i64>) -> Vec<BrokerId> {
    let candidates = view.replicas.iter().copied().filter(|&id| may_return(view, id, &registered));
    let (refused, mut returning): (Vec<_>, Vec<_>) =
        candidates.partition(|&id| view.followers.was_refused(id));
    if returning.is_empty() {
        returning.extend(refused.first());
    }
    returning
}

fn may_return(view: &View, id: BrokerId, registered: impl Fn(BrokerId) -> Option<i64>) -> bool {
    // Who is known has said its registration.
    let Some(log_end) = view.followers.log_end(id).filter(|_| !view.isr.contains(&id)) else { return false };
    view.followers.broker_epoch(id) == registered(id)
        && !view.followers.rests(id)
        && has_what_is_committed(log_end, view.high_watermark, view.epoch_start)
}

fn member(view: &View, id: BrokerId) -> Member {
    if id == view.leader.id {
        return view.leader;
    }
    Member { id, broker_epoch: view.followers.broker_epoch(id).unwrap_or(-1) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replica::followers::FollowerFetch;

    const LAG_MAX: Duration = Duration::from_secs(30);

    /// A leader 1 of replicas 1 to 3, whose log ends at 100.
    struct Scene {
        begun: Instant,
        followers: Followers,
        isr: Vec<BrokerId>,
        high_watermark: i64,
        fenced: Vec<i32>,
    }

    impl Scene {
        fn with_isr(isr: &[i32]) -> Scene {
            let begun = Instant::now();
            let isr = isr.iter().copied().map(BrokerId).collect();
            Scene { begun, followers: Followers::new(begun), isr, high_watermark: 80, fenced: vec![] }
        }

        /// A fetch of a follower, so many seconds after the epoch began.
        fn fetch(&mut self, id: i32, from: i64, leader_end: i64, second: u64) {
            let fetch = FollowerFetch {
                from: Offset(from),
                log_start: Some(Offset(0)),
                leader_end: Offset(leader_end),
                broker_epoch: 500,
                at: self.begun + Duration::from_secs(second),
            };
            self.followers.fetched(BrokerId(id), fetch).expect("the epoch is not older");
        }

        fn wanted(&self, second: u64) -> Option<IsrChange> {
            let view = View {
                leader: Member { id: BrokerId(1), broker_epoch: 400 },
                replicas: &[BrokerId(1), BrokerId(2), BrokerId(3)],
                isr: &self.isr,
                high_watermark: Offset(self.high_watermark),
                log_end: Offset(100),
                epoch_start: Offset(70),
                followers: &self.followers,
                lag_time_max: LAG_MAX,
                now: self.begun + Duration::from_secs(second),
            };
            wanted(&view, |id| (!self.fenced.contains(&id.0)).then_some(500))
        }

        #[track_caller]
        fn check(&self, second: u64, isr: &[(i32, i64)], leaving: &[(i32, Lag)], returning: &[i32]) {
            let change = self.wanted(second).expect("a change");
            let members: Vec<_> =
                change.isr.iter().map(|member| (member.id.0, member.broker_epoch)).collect();
            let leaving_now: Vec<_> = change.leaving.iter().map(|&(id, lag)| (id.0, lag)).collect();
            let returning_now: Vec<_> = change.returning.iter().map(|id| id.0).collect();
            assert_eq!((&members[..], &leaving_now[..], &returning_now[..]), (isr, leaving, returning));
        }
    }

    #[test]
    fn a_new_leader_gives_its_isr_the_whole_time_to_be_heard_of() {
        let scene = Scene::with_isr(&[1, 2, 3]);
        assert_eq!(scene.wanted(30), None);
        scene.check(31, &[(1, 400)], &[(2, Lag::Stuck), (3, Lag::Stuck)], &[]);
    }

    #[test]
    fn who_fetches_and_never_reaches_the_end_is_slow() {
        let mut scene = Scene::with_isr(&[1, 2, 3]);
        for second in 0..40 {
            scene.fetch(2, 10, 100, second);
            scene.fetch(3, 100, 100, second);
        }
        scene.check(40, &[(1, 400), (3, 500)], &[(2, Lag::Slow)], &[]);
    }

    #[test]
    fn who_reaches_where_the_end_was_at_its_last_fetch_is_in_sync() {
        let mut scene = Scene::with_isr(&[1, 2]);
        for second in 1..40 {
            scene.fetch(2, second as i64 - 1, second as i64, second);
        }
        assert_eq!(scene.wanted(40), None);
    }

    #[test]
    fn who_stands_at_the_end_is_in_sync_however_long_ago_it_fetched() {
        let mut scene = Scene::with_isr(&[1, 2]);
        scene.fetch(2, 100, 100, 0);
        assert_eq!(scene.wanted(1_000), None);
    }

    #[test]
    fn who_has_what_is_committed_returns() {
        let mut scene = Scene::with_isr(&[1, 3]);
        scene.fetch(3, 100, 100, 1);
        scene.fetch(2, 79, 100, 1);
        assert_eq!(scene.wanted(1), None);
        scene.fetch(2, 80, 100, 1);
        scene.check(1, &[(1, 400), (3, 500), (2, 500)], &[], &[2]);
    }

    #[test]
    fn nobody_returns_before_the_start_of_the_epoch() {
        let mut scene = Scene::with_isr(&[1]);
        scene.high_watermark = 60;
        scene.fetch(2, 65, 100, 1);
        assert_eq!(scene.wanted(1), None);
        scene.fetch(2, 70, 100, 1);
        assert!(scene.wanted(1).is_some());
    }

    #[test]
    fn who_was_refused_returns_later_and_alone() {
        let mut scene = Scene::with_isr(&[1]);
        scene.fetch(2, 100, 100, 1);
        scene.followers.refused(BrokerId(2));
        assert_eq!(scene.wanted(1), None);
        scene.fetch(2, 100, 100, 3);
        scene.fetch(3, 100, 100, 3);
        scene.check(3, &[(1, 400), (3, 500)], &[], &[3]);
        scene.isr.push(BrokerId(3));
        scene.check(3, &[(1, 400), (3, 500), (2, 500)], &[], &[2]);
    }

    #[test]
    fn who_is_fenced_or_fetched_by_another_registration_stays_out() {
        let mut scene = Scene::with_isr(&[1]);
        scene.fetch(2, 100, 100, 1);
        scene.fenced = vec![2];
        assert_eq!(scene.wanted(1), None);
        scene.fenced.clear();
        let fetch = |epoch| FollowerFetch {
            from: Offset(100),
            log_start: Some(Offset(0)),
            leader_end: Offset(100),
            broker_epoch: epoch,
            at: scene.begun,
        };
        scene.followers.fetched(BrokerId(2), fetch(501)).expect("a later registration");
        assert_eq!(scene.wanted(1), None);
        assert!(scene.followers.fetched(BrokerId(2), fetch(500)).is_err(), "the earlier one is dead");
    }
}
