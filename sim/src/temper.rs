//! How one seed's world behaves: each has its own mixture, so that rare faults come in heaps.

use std::time::Duration;

use fastrand::Rng;

/// Faults, in the order of [`Temper::strikes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strike {
    KillBroker,
    PowerLoss,
    CleanRestart,
    ReplaceDisk,
    PauseBroker,
    PauseController,
    KillController,
    CutBroker,
    CutFromBrokers,
    CutFromController,
    CutFromStore,
    CutController,
    StoreAway,
    LosesWatches,
    ExpireLease,
    BreakStreams,
    ClockJump,
}

const STRIKES: [(Strike, &[u32]); 17] = [
    (Strike::KillBroker, &[0, 2, 6]),
    (Strike::PowerLoss, &[0, 0, 1, 4]),
    (Strike::CleanRestart, &[0, 2, 4]),
    (Strike::ReplaceDisk, &[0, 0, 0, 1]),
    (Strike::PauseBroker, &[0, 2, 5]),
    (Strike::PauseController, &[0, 2, 5]),
    (Strike::KillController, &[0, 2, 4]),
    (Strike::CutBroker, &[0, 1, 3]),
    (Strike::CutFromBrokers, &[0, 1, 4]),
    (Strike::CutFromController, &[0, 1, 4]),
    (Strike::CutFromStore, &[0, 1, 3]),
    (Strike::CutController, &[0, 1, 3]),
    (Strike::StoreAway, &[0, 1, 2]),
    (Strike::LosesWatches, &[0, 1, 2]),
    (Strike::ExpireLease, &[0, 1, 3]),
    (Strike::BreakStreams, &[0, 1, 3]),
    (Strike::ClockJump, &[0, 1]),
];

/// One seed's mixture.
pub struct Temper {
    strikes: Vec<(Strike, u32)>,
    /// Between two strikes, on average.
    pub strike_every: Duration,
    /// The usual time of a message.
    pub latency: Duration,
    /// Messages of a thousand that take up to `delay` longer, are lost, or come twice.
    pub delayed: u32,
    pub delay: Duration,
    pub lost: u32,
    pub doubled: u32,
    /// Proposals of a thousand whose leader is cut off from the controllers as soon as it has asked.
    pub asks_cut: u32,
    /// Between two fetches of a follower that has all, on average.
    pub poll_every: Duration,
    /// Between two batches of a producer, on average.
    pub produce_every: Duration,
    pub tend_every: Duration,
    pub lag_time_max: Duration,
    pub partitions: i32,
    pub min_isr: i32,
    /// How long the faults last.
    pub storm: Duration,
}

impl Temper {
    pub fn some(rng: &mut Rng) -> Temper {
        let strikes = STRIKES.iter().map(|(strike, weights)| (*strike, one_of(rng, weights)));
        let strikes = strikes.collect();
        let mut ms = |choices: &[u64]| Duration::from_millis(choices[rng.usize(..choices.len())]);
        Temper {
            strikes,
            strike_every: ms(&[200, 500, 1500]),
            latency: ms(&[1, 5, 20]),
            delay: ms(&[100, 1000, 5000]),
            poll_every: ms(&[20, 60, 150]),
            produce_every: ms(&[30, 100, 250]),
            tend_every: ms(&[200, 1000, 5000]),
            lag_time_max: ms(&[300, 1000, 2500]),
            storm: ms(&[4_000, 7_000, 10_000]),
            delayed: one_of(rng, &[0, 10, 100]),
            lost: one_of(rng, &[0, 10, 60]),
            doubled: one_of(rng, &[0, 10, 60]),
            asks_cut: one_of(rng, &[0, 50, 300]),
            partitions: one_of(rng, &[1, 1, 2, 3]) as i32,
            min_isr: one_of(rng, &[1, 2, 2]) as i32,
        }
    }

    /// Which fault comes next.
    pub fn strike(&self, rng: &mut Rng) -> Option<Strike> {
        let total: u32 = self.strikes.iter().map(|(_, weight)| weight).sum();
        let mut at = rng.u32(..total.max(1));
        let struck = self.strikes.iter().find(|(_, weight)| {
            let here = at < *weight;
            at = at.saturating_sub(*weight);
            here
        });
        struck.map(|(strike, _)| *strike)
    }
}

fn one_of(rng: &mut Rng, choices: &[u32]) -> u32 {
    choices[rng.usize(..choices.len())]
}

/// A time that is `mean` on average.
pub fn about(rng: &mut Rng, mean: Duration) -> Duration {
    mean.mul_f64(0.3 + rng.f64() * 1.4)
}
