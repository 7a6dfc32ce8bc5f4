//! Which fetcher has which partition. Pure.
//!
//! A leader's partitions in sync are spread over `num.replica.fetchers`; those that catch up share one more. Whoever has caught up
//! leaves that one at once: the leader's acknowledgements wait for it from its next fetch on, before any image says that it is in
//! sync, and among those that catch up each has to wait for the pieces of all others.

use std::collections::HashMap;

use protocol::types::{BrokerId, LeaderEpoch};

use super::ask::PartitionKey;
use super::assignment::Lane;

/// One of the fetchers of a leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub leader: BrokerId,
    pub lane: Lane,
    pub index: usize,
}

/// Where a partition is fetched, and by which epoch of its leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    pub place: Place,
    pub leader_epoch: LeaderEpoch,
}

/// A partition that came to the high watermark of its leader in this epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaughtUp {
    pub key: PartitionKey,
    pub leader_epoch: LeaderEpoch,
}

#[derive(Debug)]
pub struct Places {
    placed: HashMap<PartitionKey, Placed>,
    /// `num.replica.fetchers`, as it is now.
    per_leader: usize,
}

impl Places {
    pub fn new(per_leader: usize) -> Places {
        Places { placed: HashMap::new(), per_leader }
    }

    pub fn per_leader(&self) -> usize {
        self.per_leader
    }

    /// Where a partition belongs.
    pub fn place(&self, key: &PartitionKey, leader: BrokerId, lane: Lane) -> Place {
        let index = match lane {
            Lane::InSync => fetcher_index(key, self.per_leader),
            Lane::CatchingUp => self.per_leader,
        };
        Place { leader, lane, index }
    }

    /// Where it is.
    pub fn get(&self, key: &PartitionKey) -> Option<Placed> {
        self.placed.get(key).copied()
    }

    pub fn set(&mut self, key: PartitionKey, placed: Placed) {
        self.placed.insert(key, placed);
    }

    pub fn remove(&mut self, key: &PartitionKey) -> Option<Placed> {
        self.placed.remove(key)
    }

    /// From now on each leader has so many fetchers: where every partition belongs then.
    pub fn spread_over(&mut self, per_leader: usize) -> Vec<(PartitionKey, Placed)> {
        self.per_leader = per_leader;
        let anew = |(key, placed): (&PartitionKey, &Placed)| {
            let place = self.place(key, placed.place.leader, placed.place.lane);
            (*key, Placed { place, ..*placed })
        };
        self.placed.iter().map(anew).collect()
    }

    /// Where it belongs who has caught up, if it is still among those that catch up, by the same epoch.
    pub fn of_caught_up(&self, caught_up: &CaughtUp) -> Option<Placed> {
        let CaughtUp { key, leader_epoch } = caught_up;
        let Placed { place, .. } = self.get(key).filter(|placed| placed.leader_epoch == *leader_epoch)?;
        let arrived =
            Placed { place: self.place(key, place.leader, Lane::InSync), leader_epoch: *leader_epoch };
        (place.lane == Lane::CatchingUp).then_some(arrived)
    }
}

/// Spreads the partitions of a leader over its fetchers; neighbours of one topic go to different ones.
fn fetcher_index(key: &PartitionKey, fetchers: usize) -> usize {
    let topic: usize = key.topic.0.iter().map(|&byte| usize::from(byte)).sum();
    topic.wrapping_add(key.index.unsigned_abs() as usize) % fetchers.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::types::Uuid;

    const LEADER: BrokerId = BrokerId(3);
    const EPOCH: LeaderEpoch = LeaderEpoch(7);

    fn key(index: i32) -> PartitionKey {
        PartitionKey { topic: Uuid([0; 16]), index }
    }

    fn places(lane: Lane) -> Places {
        let mut places = Places::new(2);
        for index in 0..4 {
            let place = places.place(&key(index), LEADER, lane);
            places.set(key(index), Placed { place, leader_epoch: EPOCH });
        }
        places
    }

    #[test]
    fn who_is_in_sync_is_spread_and_who_catches_up_is_beside_them() {
        let index = |lane, partition| places(lane).get(&key(partition)).expect("it is there").place.index;
        assert_eq!([0, 1, 2, 3].map(|partition| index(Lane::InSync, partition)), [0, 1, 0, 1]);
        assert_eq!([0, 1, 2, 3].map(|partition| index(Lane::CatchingUp, partition)), [2; 4]);
    }

    #[test]
    fn who_has_caught_up_goes_to_those_in_sync_once() {
        let mut places = places(Lane::CatchingUp);
        let caught_up = CaughtUp { key: key(1), leader_epoch: EPOCH };
        let arrived = places.of_caught_up(&caught_up).expect("it moves");
        assert_eq!(arrived.place, Place { leader: LEADER, lane: Lane::InSync, index: 1 });
        places.set(key(1), arrived);
        assert_eq!(places.of_caught_up(&caught_up), None);
    }

    #[test]
    fn an_arrival_of_another_epoch_or_of_nobody_moves_nothing() {
        let places = places(Lane::CatchingUp);
        let late = CaughtUp { key: key(1), leader_epoch: LeaderEpoch(6) };
        let unknown = CaughtUp { key: key(9), leader_epoch: EPOCH };
        assert_eq!([late, unknown].map(|caught_up| places.of_caught_up(&caught_up)), [None; 2]);
    }

    #[test]
    fn with_other_numbers_of_fetchers_all_belong_elsewhere() {
        let mut places = places(Lane::InSync);
        let mut spread = places.spread_over(3);
        spread.sort_by_key(|(key, _)| key.index);
        let indexes: Vec<_> = spread.iter().map(|(_, placed)| placed.place.index).collect();
        assert_eq!(indexes, [0, 1, 2, 0]);
        assert_eq!(places.per_leader(), 3);
    }
}
