//! How many groups a shard has, state by state, for those who watch.

use super::classic::GroupState;
use super::groups::Groups;

/// The groups of one shard, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Census {
    pub preparing_rebalance: usize,
    pub completing_rebalance: usize,
    pub stable: usize,
    pub dead: usize,
    pub empty: usize,
    /// Committed, of all groups together.
    pub offsets: usize,
}

impl Census {
    pub fn groups(&self) -> usize {
        self.preparing_rebalance + self.completing_rebalance + self.stable + self.dead + self.empty
    }
}

impl Groups {
    /// Goes through all of them.
    pub fn census(&self) -> Census {
        let mut census = Census::default();
        for (_, group) in self.iter() {
            let counted = match group.classic.state() {
                GroupState::PreparingRebalance => &mut census.preparing_rebalance,
                GroupState::CompletingRebalance => &mut census.completing_rebalance,
                GroupState::Stable => &mut census.stable,
                GroupState::Dead => &mut census.dead,
                GroupState::Empty => &mut census.empty,
            };
            *counted += 1;
            census.offsets += group.offsets.topics().map(|(_, partitions)| partitions.len()).sum::<usize>();
        }
        census
    }
}
