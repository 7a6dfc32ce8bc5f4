//! A roster through the days of a follower.

use protocol::types::{Offset, Uuid};

use super::*;

struct Scene {
    roster: Roster<()>,
    now: Instant,
}

fn key(index: i32) -> PartitionKey {
    PartitionKey { topic: Uuid([7; 16]), index }
}

fn at(log_end: i64) -> Position {
    Position { log_start: Offset(0), log_end: Offset(log_end), last_epoch: None }
}

impl Scene {
    /// Follows partitions in these leader epochs, all logs ending at 5, in an open session.
    fn following(epochs: &[(i32, i32)]) -> Scene {
        let mut scene = Scene { roster: Roster::new(Duration::from_secs(1)), now: Instant::now() };
        scene.assign(epochs);
        scene.start(5);
        scene.roster.next_fetch(0).expect("a full fetch");
        scene.roster.answered(ErrorCode::None, 44).expect("no error");
        scene
    }

    fn assign(&mut self, epochs: &[(i32, i32)]) {
        let following = |&(index, epoch): &(i32, i32)| {
            (key(index), Following { leader_epoch: LeaderEpoch(epoch), replica: () })
        };
        self.roster.reconcile(&epochs.iter().map(following).collect());
    }

    fn start(&mut self, log_end: i64) {
        for (key, _) in self.roster.starting() {
            self.roster.stands_at(key, at(log_end));
        }
    }

    /// The partitions and offsets that the next fetch names.
    fn named(&mut self, in_flight: usize) -> Option<Vec<(i32, i64)>> {
        let outgoing = self.roster.next_fetch(in_flight)?;
        Some(outgoing.named.iter().map(|(key, ask)| (key.index, ask.position.log_end.0)).collect())
    }
}

#[test]
fn nothing_new_means_an_empty_fetch_and_no_second_one() {
    let mut scene = Scene::following(&[(0, 1), (1, 1)]);
    assert_eq!(scene.named(0), Some(vec![]));
    assert_eq!(scene.named(1), None);
}

#[test]
fn what_advanced_is_named_again() {
    let mut scene = Scene::following(&[(0, 1), (1, 1)]);
    scene.roster.advanced(key(1), at(9));
    assert_eq!(scene.named(0), Some(vec![(1, 9)]));
}

#[test]
fn a_partition_that_comes_while_a_fetch_is_parked_overtakes_it() {
    let mut scene = Scene::following(&[(0, 1)]);
    assert_eq!(scene.named(0), Some(vec![]));
    scene.assign(&[(0, 1), (1, 4)]);
    scene.start(7);
    assert_eq!(scene.named(1), Some(vec![(1, 7)]));
}

#[test]
fn a_new_leader_epoch_makes_answers_of_the_old_one_void() {
    let mut scene = Scene::following(&[(0, 1)]);
    let parked = scene.roster.next_fetch(0).expect("a fetch").number;
    assert!(scene.roster.asked(parked, &key(0)).is_some());
    scene.assign(&[(0, 2)]);
    assert!(scene.roster.asked(parked, &key(0)).is_none(), "not even before the log was looked at");
    scene.start(5);
    let overtaking = scene.roster.next_fetch(1).expect("a fetch").number;
    assert!(scene.roster.asked(parked, &key(0)).is_none());
    assert!(scene.roster.asked(overtaking, &key(0)).is_some());
}

#[test]
fn a_failed_partition_is_left_out_until_its_delay_is_over_and_each_is_longer() {
    let mut scene = Scene::following(&[(0, 1), (1, 1)]);
    let mut delays = Vec::new();
    for _ in 0..12 {
        scene.roster.failed(key(0), scene.now);
        assert_eq!(scene.roster.next_fetch(0).expect("a fetch").forgotten, [key(0)]);
        let until = scene.roster.next_wake().expect("it is delayed");
        delays.push(until - scene.now);
        scene.now = until;
        scene.roster.wake(scene.now);
        scene.start(5);
        assert_eq!(scene.named(0), Some(vec![(0, 5)]));
    }
    assert!(delays.is_sorted() && delays[0] == DELAY_MIN && delays[11] == Duration::from_secs(1));
    scene.roster.advanced(key(0), at(6));
    scene.roster.failed(key(0), scene.now);
    assert_eq!(scene.roster.next_wake(), Some(scene.now + DELAY_MIN), "success begins the count anew");
}

#[test]
fn a_partition_out_of_range_waits_for_the_leader_s_bounds() {
    let mut scene = Scene::following(&[(0, 1)]);
    scene.roster.is_out_of_range(key(0));
    assert_eq!(scene.roster.out_of_range().len(), 1);
    assert_eq!(scene.roster.next_fetch(0).expect("a fetch").forgotten, [key(0)]);
    scene.roster.advanced(key(0), at(100));
    assert!(scene.roster.out_of_range().is_empty());
    assert_eq!(scene.named(0), Some(vec![(0, 100)]));
}

#[test]
fn what_is_gone_is_forgotten_and_nothing_is_asked_once_all_is_gone() {
    let mut scene = Scene::following(&[(0, 1)]);
    scene.assign(&[]);
    assert_eq!(scene.roster.next_fetch(0).expect("a fetch").forgotten, [key(0)]);
    assert_eq!(scene.roster.next_fetch(0), None);
}

#[test]
fn a_new_connection_is_told_everything() {
    let mut scene = Scene::following(&[(0, 1), (1, 1)]);
    scene.roster.advanced(key(1), at(9));
    scene.roster.reconnected();
    assert_eq!(scene.named(0), Some(vec![(0, 5), (1, 9)]));
}
