//! Who leads a partition: the election, pure.
//!
//! The present leader stays while it may. Else the first replica, in order of preference, that is in the ISR; else the first
//! eligible leader replica (KIP-966): it holds everything below the high watermark, which stood still while the ISR was
//! smaller than `min.insync.replicas` (safety rule 14). Only then, and uncleanly, the last known leader of a partition whose
//! ISR and ELR are empty (safety rule 7), or whoever is there, where the topic allows it.

use metadata::image::PartitionImage;
use protocol::types::BrokerId;

/// What an election decides by.
#[derive(Clone, Copy)]
pub struct Election<'a> {
    /// The state before; its `leader`, `replicas` and `last_known_elr` count.
    pub partition: &'a PartitionImage,
    /// ISR and ELR as they are about to be.
    pub isr: &'a [BrokerId],
    pub elr: &'a [BrokerId],
    pub is_electable: &'a dyn Fn(BrokerId) -> bool,
    /// `unclean.leader.election.enable` of the topic.
    pub unclean_allowed: bool,
    /// Whether the first replica takes over from a leader that could stay.
    pub prefer_first: bool,
}

/// An election's outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elected {
    /// From the ISR.
    InSync(BrokerId),
    /// From the ELR: it becomes the whole ISR.
    Eligible(BrokerId),
    /// It may lack acknowledged records; it becomes the whole ISR.
    Unclean(BrokerId),
    Nobody,
}

impl Election<'_> {
    pub fn decide(self) -> Elected {
        let in_sync = |id: BrokerId| self.isr.contains(&id) && (self.is_electable)(id);
        let eligible = |id: BrokerId| self.elr.contains(&id) && (self.is_electable)(id);
        let leader = self.partition.leader;
        if in_sync(leader) && !self.prefer_first {
            return Elected::InSync(leader);
        }
        let first =
            |suits: &dyn Fn(BrokerId) -> bool| self.partition.replicas.iter().copied().find(|id| suits(*id));
        if let Some(preferred) = self.partition.replicas.first().copied().filter(|id| in_sync(*id)) {
            return Elected::InSync(preferred);
        }
        if in_sync(leader) {
            return Elected::InSync(leader);
        }
        if let Some(id) = first(&in_sync) {
            return Elected::InSync(id);
        }
        if let Some(id) = first(&eligible) {
            return Elected::Eligible(id);
        }
        self.last_known_leader().or_else(|| self.anybody()).map_or(Elected::Nobody, Elected::Unclean)
    }

    fn last_known_leader(&self) -> Option<BrokerId> {
        match self.partition.last_known_elr[..] {
            [last] if self.isr.is_empty() && self.elr.is_empty() => {
                Some(last).filter(|id| (self.is_electable)(*id))
            }
            _ => None,
        }
    }

    fn anybody(&self) -> Option<BrokerId> {
        let mut replicas = self.partition.replicas.iter().copied();
        replicas.find(|id| self.unclean_allowed && (self.is_electable)(*id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Case {
        replicas: &'static [i32],
        isr: &'static [i32],
        elr: &'static [i32],
        last_known: &'static [i32],
        leader: i32,
        live: &'static [i32],
        unclean: bool,
        prefer: bool,
    }

    const CASE: Case = Case {
        replicas: &[1, 2, 3],
        isr: &[1, 2],
        elr: &[],
        last_known: &[],
        leader: 1,
        live: &[1, 2, 3],
        unclean: false,
        prefer: false,
    };

    fn ids(numbers: &[i32]) -> Vec<BrokerId> {
        numbers.iter().copied().map(BrokerId).collect()
    }

    fn check(case: Case, expected: Elected) {
        let partition = PartitionImage {
            replicas: ids(case.replicas),
            leader: BrokerId(case.leader),
            last_known_elr: ids(case.last_known),
            ..PartitionImage::default()
        };
        let election = Election {
            partition: &partition,
            isr: &ids(case.isr),
            elr: &ids(case.elr),
            is_electable: &|id| case.live.contains(&id.0),
            unclean_allowed: case.unclean,
            prefer_first: case.prefer,
        };
        assert_eq!(election.decide(), expected);
    }

    #[test]
    fn a_leader_that_can_stay_stays() {
        check(Case { leader: 2, ..CASE }, Elected::InSync(BrokerId(2)));
    }

    #[test]
    fn a_preferred_leader_takes_over_only_when_asked_and_in_sync() {
        check(Case { leader: 2, prefer: true, ..CASE }, Elected::InSync(BrokerId(1)));
        check(Case { leader: 2, prefer: true, isr: &[2, 3], ..CASE }, Elected::InSync(BrokerId(2)));
    }

    #[test]
    fn the_first_replica_in_sync_follows_a_dead_leader() {
        check(Case { live: &[2, 3], ..CASE }, Elected::InSync(BrokerId(2)));
        check(Case { live: &[3], ..CASE }, Elected::Nobody);
    }

    #[test]
    fn an_eligible_replica_leads_when_nobody_in_sync_lives() {
        check(Case { isr: &[1], elr: &[2], live: &[2, 3], ..CASE }, Elected::Eligible(BrokerId(2)));
        check(Case { isr: &[], elr: &[3], leader: -1, ..CASE }, Elected::Eligible(BrokerId(3)));
    }

    #[test]
    fn the_last_known_leader_returns_only_where_nothing_better_is_known() {
        let lost = Case { isr: &[], elr: &[], last_known: &[2], leader: -1, ..CASE };
        check(lost, Elected::Unclean(BrokerId(2)));
        check(Case { isr: &[1], last_known: &[2], leader: -1, live: &[2], ..CASE }, Elected::Nobody);
    }

    #[test]
    fn an_unclean_leader_is_elected_only_where_the_topic_allows_it() {
        check(Case { live: &[3], unclean: true, ..CASE }, Elected::Unclean(BrokerId(3)));
    }
}
