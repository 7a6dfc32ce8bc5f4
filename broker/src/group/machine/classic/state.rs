//! The states of a classic group, what each answers, and which may follow which.

/// Where a classic group stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupState {
    /// No members. Its offsets live on until they expire; a group that only ever committed offsets is always here.
    ///
    /// Answers heartbeat, sync and leave with UNKNOWN_MEMBER_ID, takes commits that name no generation.
    /// Left when a member joins ([`GroupState::PreparingRebalance`]), and when the last offset has expired or somebody
    /// deletes the group ([`GroupState::Dead`]).
    Empty,
    /// Members are asked to join anew and are parked until all have, or the rebalance time-out has passed.
    ///
    /// Answers heartbeat and sync with REBALANCE_IN_PROGRESS, takes commits of the generation that ends.
    /// Left when all or some have joined ([`GroupState::CompletingRebalance`]), or when all have left
    /// ([`GroupState::Empty`]).
    PreparingRebalance,
    /// The generation stands; members wait for the leader's assignment, and that for its record.
    ///
    /// Parks sync, answers heartbeats, answers commits with REBALANCE_IN_PROGRESS.
    /// Left when the assignment is stored ([`GroupState::Stable`]), and when a member joins, leaves or is lost
    /// ([`GroupState::PreparingRebalance`]).
    CompletingRebalance,
    /// Every member has its assignment or may fetch it.
    ///
    /// Answers heartbeat and sync, takes commits of this generation.
    /// Left when a member joins, leaves or is lost ([`GroupState::PreparingRebalance`]).
    Stable,
    /// The tombstone of the group is being written.
    ///
    /// Answers everything with COORDINATOR_NOT_AVAILABLE, so that clients ask again.
    /// Ends with the tombstone; left only if that could not be written ([`GroupState::Empty`]).
    Dead,
}

impl GroupState {
    /// Whether `next` may follow.
    pub fn may_become(self, next: GroupState) -> bool {
        use GroupState::*;
        matches!(
            (self, next),
            (Empty | CompletingRebalance | Stable, PreparingRebalance)
                | (PreparingRebalance, CompletingRebalance | Empty)
                | (CompletingRebalance, Stable)
                | (Empty, Dead)
                | (Dead, Empty)
        )
    }

    /// Kafka's name of it, as DescribeGroups and ListGroups show it.
    pub fn name(self) -> &'static str {
        match self {
            GroupState::Empty => "Empty",
            GroupState::PreparingRebalance => "PreparingRebalance",
            GroupState::CompletingRebalance => "CompletingRebalance",
            GroupState::Stable => "Stable",
            GroupState::Dead => "Dead",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::GroupState::*;

    #[test]
    fn a_rebalance_is_entered_from_every_living_state_but_itself() {
        let into_rebalance = [Empty, PreparingRebalance, CompletingRebalance, Stable, Dead]
            .map(|state| state.may_become(PreparingRebalance));
        assert_eq!(into_rebalance, [true, false, true, true, false]);
    }

    #[test]
    fn only_an_empty_group_dies() {
        let dies =
            [Empty, PreparingRebalance, CompletingRebalance, Stable].map(|state| state.may_become(Dead));
        assert_eq!(dies, [true, false, false, false]);
    }
}
