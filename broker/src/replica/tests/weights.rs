//! How often each thing happens in one history.

use fastrand::Rng;

/// Against one another, in the order of the arms of `Cluster::step`; each seed has its own mixture, so that rare faults come in heaps.
pub struct Weights {
    weights: [u32; 13],
    /// Messages of a hundred that are lost, and that come twice.
    pub lost: u32,
    pub doubled: u32,
}

impl Weights {
    pub fn some(rng: &mut Rng) -> Weights {
        let mut one_of = |choices: &[u32]| choices[rng.usize(..choices.len())];
        let weights = [
            one_of(&[60, 120, 240]),
            one_of(&[10, 20, 30]),
            one_of(&[5, 15]),
            one_of(&[2, 8, 20]),
            one_of(&[0, 2, 10]),
            one_of(&[0, 3, 10]),
            one_of(&[0, 2, 8]),
            one_of(&[0, 1, 4]),
            one_of(&[0, 0, 3]),
            one_of(&[2, 10]),
            one_of(&[0, 1, 5]),
            one_of(&[0, 1]),
            one_of(&[1, 3]),
        ];
        Weights { weights, lost: one_of(&[0, 5, 30]), doubled: one_of(&[0, 5, 20]) }
    }

    pub fn pick(&self, rng: &mut Rng) -> usize {
        let mut at = rng.u32(..self.weights.iter().sum::<u32>());
        let found = self.weights.iter().position(|&weight| {
            let here = at < weight;
            at = at.saturating_sub(weight);
            here
        });
        found.unwrap_or_default()
    }
}
