//! Where the replicas of new partitions go: striped over racks and brokers, as Apache Kafka's striped placer does. Pure; the
//! random numbers come from outside.
//!
//! Leaders go round the racks, and within a rack round its brokers, each beginning at a random place; the other replicas of
//! a partition follow the same ways. After as many partitions as there are live brokers everything is shuffled, so that the
//! same sets of replicas do not come again. Fenced brokers are taken last, and never lead.

use std::collections::BTreeMap;

use fastrand::Rng;
use protocol::types::BrokerId;

/// A broker that replicas may go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsableBroker {
    pub id: BrokerId,
    pub rack: Option<String>,
    pub fenced: bool,
}

/// Why there is no placement.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlacementError {
    #[error("Invalid replication factor {wanted}: the replication factor must be positive.")]
    NotPositive { wanted: i32 },
    #[error(
        "The target replication factor of {wanted} cannot be reached because only {registered} broker(s) are registered."
    )]
    TooFewBrokers { wanted: i32, registered: usize },
    #[error("All brokers are currently fenced.")]
    AllFenced,
}

/// The replicas of `partitions` new partitions, the leader of each first.
pub fn place(
    brokers: &[UsableBroker],
    partitions: usize,
    replication_factor: i32,
    rng: &mut Rng,
) -> Result<Vec<Vec<BrokerId>>, PlacementError> {
    let replicas = match usize::try_from(replication_factor) {
        Ok(replicas) if replicas > 0 => replicas,
        _ => return Err(PlacementError::NotPositive { wanted: replication_factor }),
    };
    if replicas > brokers.len() {
        return Err(PlacementError::TooFewBrokers { wanted: replication_factor, registered: brokers.len() });
    }
    if brokers.iter().all(|broker| broker.fenced) {
        return Err(PlacementError::AllFenced);
    }
    let mut racks = Racks::new(brokers, rng);
    Ok((0..partitions).map(|_| racks.place(replicas, rng)).collect())
}

/// Brokers taken in turn, each at most once a round; every round in which one is taken begins one further.
#[derive(Default)]
struct Ring {
    brokers: Vec<BrokerId>,
    start: usize,
    taken: usize,
    round: usize,
}

impl Ring {
    fn next(&mut self, round: usize) -> Option<BrokerId> {
        if self.round != round {
            (self.round, self.taken) = (round, 0);
            self.start += 1;
        }
        let at = (self.taken < self.brokers.len()).then(|| (self.start + self.taken) % self.brokers.len())?;
        self.taken += 1;
        Some(self.brokers[at])
    }
}

#[derive(Default)]
struct Rack {
    live: Ring,
    fenced: Ring,
}

struct Racks {
    racks: Vec<Rack>,
    live_brokers: usize,
    /// One round is one partition.
    round: usize,
    /// Where the next partition begins.
    start: usize,
}

impl Racks {
    fn new(brokers: &[UsableBroker], rng: &mut Rng) -> Racks {
        let mut by_name: BTreeMap<Option<&str>, Rack> = BTreeMap::new();
        for broker in brokers {
            let rack = by_name.entry(broker.rack.as_deref()).or_default();
            let ring = if broker.fenced { &mut rack.fenced } else { &mut rack.live };
            ring.brokers.push(broker.id);
        }
        let mut racks: Vec<Rack> = by_name.into_values().collect();
        for ring in racks.iter_mut().flat_map(|rack| [&mut rack.live, &mut rack.fenced]) {
            ring.brokers.sort_unstable();
            ring.start = rng.usize(..ring.brokers.len().max(1));
        }
        let start = rng.usize(..racks.len().max(1));
        let live_brokers = brokers.iter().filter(|broker| !broker.fenced).count();
        Racks { racks, live_brokers, round: 0, start }
    }

    fn place(&mut self, replicas: usize, rng: &mut Rng) -> Vec<BrokerId> {
        if self.live_brokers > 1 && self.round > 0 && self.round.is_multiple_of(self.live_brokers) {
            self.shuffle(rng);
        }
        let (round, racks) = (self.round, self.racks.len());
        let leader_rack = self.rack_of_leader();
        let mut placed: Vec<BrokerId> = self.racks[leader_rack].live.next(round).into_iter().collect();
        let mut rack = self.start;
        let mut passed_leader = false;
        while placed.len() < replicas {
            // The leader's rack has had its turn in the first time round.
            if rack != leader_rack || std::mem::replace(&mut passed_leader, true) {
                let Rack { live, fenced } = &mut self.racks[rack];
                placed.extend(live.next(round).or_else(|| fenced.next(round)));
            }
            rack = (rack + 1) % racks;
        }
        self.round += 1;
        self.start = (self.start + 1) % racks;
        placed
    }

    fn shuffle(&mut self, rng: &mut Rng) {
        rng.shuffle(&mut self.racks);
        for rack in &mut self.racks {
            rng.shuffle(&mut rack.live.brokers);
            rng.shuffle(&mut rack.fenced.brokers);
        }
    }

    /// The first rack from `start` on that has a live broker; there is one.
    fn rack_of_leader(&self) -> usize {
        let racks = self.racks.len();
        let from_start = (0..racks).map(|step| (self.start + step) % racks);
        let mut with_live = from_start.filter(|rack| !self.racks[*rack].live.brokers.is_empty());
        with_live.next().unwrap_or(self.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeSet, HashMap};

    fn brokers(racks: &[(&str, &[i32])]) -> Vec<UsableBroker> {
        let broker = |rack: &str, id: i32| UsableBroker {
            id: BrokerId(id),
            rack: (!rack.is_empty()).then(|| rack.to_owned()),
            fenced: false,
        };
        racks.iter().flat_map(|(rack, ids)| ids.iter().map(|id| broker(rack, *id))).collect()
    }

    fn placed(brokers: &[UsableBroker], partitions: usize, replicas: i32, seed: u64) -> Vec<Vec<BrokerId>> {
        place(brokers, partitions, replicas, &mut Rng::with_seed(seed)).unwrap()
    }

    #[test]
    fn no_partition_has_two_replicas_on_one_broker() {
        let brokers = brokers(&[("a", &[1, 2, 3]), ("b", &[4]), ("", &[5, 6])]);
        for seed in 0..200 {
            for replicas in placed(&brokers, 50, 1 + (seed % 6) as i32, seed) {
                let different: BTreeSet<_> = replicas.iter().collect();
                assert_eq!(different.len(), 1 + (seed % 6) as usize, "seed {seed}: {replicas:?}");
            }
        }
    }

    #[test]
    fn leaders_are_spread_evenly() {
        let brokers = brokers(&[("", &[1, 2, 3])]);
        for seed in 0..50 {
            let mut leaders: HashMap<BrokerId, usize> = HashMap::new();
            for replicas in placed(&brokers, 30, 3, seed) {
                *leaders.entry(replicas[0]).or_default() += 1;
            }
            assert!(leaders.values().all(|count| *count == 10), "seed {seed}: {leaders:?}");
        }
    }

    #[test]
    fn leaders_are_spread_over_the_brokers_of_racks() {
        let brokers = brokers(&[("a", &[1, 2, 3]), ("b", &[4, 5, 6]), ("c", &[7, 8, 9])]);
        for seed in 0..50 {
            let leaders: BTreeSet<_> = placed(&brokers, 9, 1, seed).concat().into_iter().collect();
            assert_eq!(leaders.len(), 9, "seed {seed}");
        }
    }

    #[test]
    fn replicas_are_spread_over_racks() {
        let brokers = brokers(&[("a", &[1, 2]), ("b", &[3, 4]), ("c", &[5, 6])]);
        let rack_of = |id: &BrokerId| brokers.iter().find(|broker| broker.id == *id).unwrap().rack.clone();
        for seed in 0..100 {
            for replicas in placed(&brokers, 20, 3, seed) {
                let racks: BTreeSet<_> = replicas.iter().map(rack_of).collect();
                assert_eq!(racks.len(), 3, "seed {seed}: {replicas:?}");
            }
        }
    }

    #[test]
    fn fenced_brokers_never_lead_and_come_last() {
        let mut brokers = brokers(&[("", &[1, 2, 3, 4])]);
        brokers[0].fenced = true;
        for seed in 0..100 {
            for replicas in placed(&brokers, 10, 3, seed) {
                assert!(!replicas.contains(&BrokerId(1)), "three live brokers are enough");
            }
            for replicas in placed(&brokers, 10, 4, seed) {
                assert_eq!(replicas[3], BrokerId(1));
            }
        }
    }

    #[test]
    fn the_same_seed_places_the_same_way() {
        let brokers = brokers(&[("a", &[1, 2]), ("b", &[3])]);
        assert_eq!(placed(&brokers, 9, 2, 7), placed(&brokers, 9, 2, 7));
    }

    #[test]
    fn what_cannot_be_placed_is_refused_with_the_numbers() {
        let check = |brokers: &[UsableBroker], replicas| {
            place(brokers, 1, replicas, &mut Rng::with_seed(1)).unwrap_err()
        };
        let mut three = brokers(&[("", &[1, 2, 3])]);
        assert_eq!(check(&three, 4), PlacementError::TooFewBrokers { wanted: 4, registered: 3 });
        assert_eq!(check(&three, 0), PlacementError::NotPositive { wanted: 0 });
        three.iter_mut().for_each(|broker| broker.fenced = true);
        assert_eq!(check(&three, 1), PlacementError::AllFenced);
    }
}
