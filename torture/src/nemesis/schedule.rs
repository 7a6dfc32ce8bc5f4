//! Which fault comes next: every kind once in a shuffled round before any comes again, some of them two at a time.

use std::time::Duration;

use fastrand::Rng;

use super::{Fault, Kind};

/// One act in so many has a second fault while the first lasts.
const TWO_FAULTS_IN: u32 = 3;
/// How often a partner is looked for that may last beside the first.
const TRIES_MAX: usize = 8;
/// How long the cluster is left in peace before an act.
const PEACE_MS: (u64, u64) = (500, 3_000);

/// One or two faults, and the peace before them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    pub peace: Duration,
    pub first: Fault,
    /// Begins so long after the first.
    pub second: Option<(Duration, Fault)>,
}

/// All acts of a run, from its seed.
#[derive(Clone, Debug)]
pub struct Schedule {
    random: Rng,
    kinds: Vec<Kind>,
    round: Vec<Kind>,
}

impl Schedule {
    pub fn new(seed: u64, kinds: Vec<Kind>) -> Schedule {
        Schedule { random: Rng::with_seed(seed), kinds, round: Vec::new() }
    }

    /// The next act, `active` being the active controller now; `None` if there are no kinds.
    pub fn next(&mut self, active: usize) -> Option<Act> {
        let kind = self.next_kind()?;
        let peace = Duration::from_millis(self.random.u64(PEACE_MS.0..=PEACE_MS.1));
        let first = kind.draw(&mut self.random, active);
        let has_second = self.random.u32(..TWO_FAULTS_IN) == 0;
        let second = if has_second { self.partner(&first, active) } else { None };
        Some(Act { peace, first, second })
    }

    fn next_kind(&mut self) -> Option<Kind> {
        if self.round.is_empty() {
            self.round = self.kinds.clone();
            self.random.shuffle(&mut self.round);
        }
        self.round.pop()
    }

    fn partner(&mut self, first: &Fault, active: usize) -> Option<(Duration, Fault)> {
        for _ in 0..TRIES_MAX {
            let kind = self.random.choice(&self.kinds).copied()?;
            let fault = kind.draw(&mut self.random, active);
            if first.suffers(&fault) {
                let after_ms = self.random.u64(0..=first.lasts.as_millis() as u64);
                return Some((Duration::from_millis(after_ms), fault));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::KINDS;
    use super::*;

    #[test]
    fn a_round_has_every_kind_and_a_seed_repeats_itself() {
        let acts = |seed| {
            let mut schedule = Schedule::new(seed, KINDS.to_vec());
            (0..2 * KINDS.len()).filter_map(|_| schedule.next(0)).collect::<Vec<_>>()
        };
        let kinds: BTreeSet<_> = acts(7)[..KINDS.len()].iter().map(|act| act.first.kind).collect();
        assert_eq!(kinds.len(), KINDS.len());
        assert_eq!(acts(7), acts(7));
        assert_ne!(acts(7), acts(8));
        assert!(acts(7).iter().any(|act| act.second.is_some()));
        assert!(Schedule::new(7, Vec::new()).next(0).is_none());
    }
}
