//! What the controller made of this replica.

use std::time::{Duration, Instant};

use metadata::image::PartitionImage;
use protocol::types::{BrokerId, LeaderEpoch, Offset};

use super::isr::Proposals;

/// How long a leader believes that a later epoch has begun, if no image says so.
pub const UNCONFIRMED_MAX: Duration = Duration::from_secs(30);

/// A replica's role in one leader epoch.
#[derive(Clone, Debug, PartialEq)]
pub enum Role {
    /// No image has named it yet. Exits: leader, follower.
    Unassigned,
    /// Appends, serves, and counts the ISR. Exits: follower; leader of a later epoch.
    Leader(Leader),
    /// Copies from the leader. Exits: leader; follower in a later epoch.
    Follower(Follower),
}

/// A leader's view of its partition.
#[derive(Clone, Debug, PartialEq)]
pub struct Leader {
    pub epoch: LeaderEpoch,
    pub partition_epoch: i32,
    pub replicas: Vec<BrokerId>,
    /// As committed.
    pub isr: Vec<BrokerId>,
    /// No more than there are replicas.
    pub min_isr: usize,
    /// Changes of the ISR that may be committed yet.
    pub proposals: Proposals,
    /// Where the log ended when the epoch began; `None` until the log is open, and while the epoch is older than the newest
    /// of the log, which only a cluster restored from a backup can make so: then nothing is served or appended.
    pub epoch_start: Option<Offset>,
    /// What a follower said, and no image yet.
    pub later: Option<LaterEpoch>,
}

/// A later epoch of which another replica has heard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LaterEpoch {
    pub epoch: LeaderEpoch,
    pub heard_at: Instant,
}

/// A follower's view of its partition.
#[derive(Clone, Debug, PartialEq)]
pub struct Follower {
    pub epoch: LeaderEpoch,
    /// [`BrokerId::NONE`] while there is none.
    pub leader: BrokerId,
    /// The leader's high watermark, as it said last in this epoch; it may lie past the end of the log here.
    pub told_high_watermark: Offset,
    /// In the ISR or the ELR: it is counted on for all that it has.
    pub is_eligible: bool,
}

impl Role {
    pub fn is_leader(&self) -> bool {
        matches!(self, Role::Leader(_))
    }

    /// The epoch of the leader, or −1 before any image.
    pub fn epoch(&self) -> LeaderEpoch {
        match self {
            Role::Unassigned => LeaderEpoch::UNKNOWN,
            Role::Leader(leader) => leader.epoch,
            Role::Follower(follower) => follower.epoch,
        }
    }

    /// Takes what the image says, unless it is older than what is known (safety rule 3), and tells whether a leader epoch
    /// began by it. A change within an epoch only renews the ISR.
    pub fn assume(&mut self, broker: BrokerId, image: &PartitionImage) -> Assumed {
        if image.leader_epoch < self.epoch() {
            return Assumed::Stale;
        }
        let same_epoch = image.leader_epoch == self.epoch();
        match self {
            Role::Leader(leader) if same_epoch && image.leader == broker => {
                return leader.renew(image);
            }
            Role::Follower(follower) if same_epoch && follower.leader == image.leader => {
                follower.is_eligible = is_eligible(broker, image);
                return Assumed::SameEpoch;
            }
            _ => {}
        }
        *self = if image.leader == broker {
            Role::Leader(Leader::new(image))
        } else {
            Role::Follower(Follower::new(broker, image))
        };
        Assumed::NewEpoch
    }
}

/// What became of an image's word on a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assumed {
    /// Older than what is known, and passed over.
    Stale,
    SameEpoch,
    NewEpoch,
}

impl Leader {
    fn new(image: &PartitionImage) -> Leader {
        Leader {
            epoch: image.leader_epoch,
            partition_epoch: image.partition_epoch,
            replicas: image.replicas.clone(),
            isr: image.isr.clone(),
            min_isr: min_isr(image),
            proposals: Proposals::default(),
            epoch_start: None,
            later: None,
        }
    }

    /// Takes a change within the epoch.
    fn renew(&mut self, image: &PartitionImage) -> Assumed {
        if image.partition_epoch < self.partition_epoch {
            return Assumed::Stale;
        }
        if image.partition_epoch > self.partition_epoch {
            self.proposals.settled();
        }
        self.replicas.clone_from(&image.replicas);
        self.isr.clone_from(&image.isr);
        self.min_isr = min_isr(image);
        self.partition_epoch = image.partition_epoch;
        Assumed::SameEpoch
    }

    /// Leads no more until an image of that epoch comes; whether it did until now.
    pub fn stand_down(&mut self, later: LaterEpoch) -> bool {
        let stands = later.epoch > self.epoch && self.later_epoch(later.heard_at).is_none();
        if stands {
            self.later = Some(later);
        }
        stands
    }

    /// The later epoch that another replica knows, as long as that is believed.
    pub fn later_epoch(&self, now: Instant) -> Option<LeaderEpoch> {
        self.later.filter(|later| is_believed(later.heard_at, now)).map(|later| later.epoch)
    }

    /// Whether fewer than `min.insync.replicas` are left of all that may be in the ISR.
    pub fn is_below_min_isr(&self) -> bool {
        self.maximal_isr().count() < self.min_isr
    }

    /// Everyone whose acknowledgement an append needs: the ISR as committed, and as it may be by what was proposed
    /// (safety rule 5).
    pub fn maximal_isr(&self) -> impl Iterator<Item = BrokerId> + '_ {
        let proposed = self.proposals.members().filter(|id| !self.isr.contains(id));
        self.isr.iter().copied().chain(proposed)
    }
}

impl Follower {
    fn new(broker: BrokerId, image: &PartitionImage) -> Follower {
        Follower {
            epoch: image.leader_epoch,
            leader: image.leader,
            told_high_watermark: Offset(0),
            is_eligible: is_eligible(broker, image),
        }
    }
}

/// Whether what a follower said then is still believed.
pub fn is_believed(heard_at: Instant, now: Instant) -> bool {
    now.saturating_duration_since(heard_at) < UNCONFIRMED_MAX
}

fn is_eligible(broker: BrokerId, image: &PartitionImage) -> bool {
    image.isr.contains(&broker) || image.elr.contains(&broker)
}

fn min_isr(image: &PartitionImage) -> usize {
    usize::try_from(image.min_isr).unwrap_or(1).min(image.replicas.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replica::isr::{Member, Proposal};

    const ME: BrokerId = BrokerId(1);

    fn image(leader: i32, leader_epoch: i32, partition_epoch: i32) -> PartitionImage {
        PartitionImage {
            leader: BrokerId(leader),
            leader_epoch: LeaderEpoch(leader_epoch),
            partition_epoch,
            isr: vec![BrokerId(leader)],
            ..Default::default()
        }
    }

    #[test]
    fn a_role_follows_the_image_and_never_goes_back_in_epochs() {
        let mut role = Role::Unassigned;
        assert_eq!(role.assume(ME, &image(1, 4, 0)), Assumed::NewEpoch);
        assert!(role.is_leader());
        assert_eq!(role.assume(ME, &image(2, 3, 9)), Assumed::Stale);
        assert!(role.is_leader());
        assert_eq!(role.assume(ME, &image(2, 5, 1)), Assumed::NewEpoch);
        assert!(!role.is_leader());
    }

    #[test]
    fn within_an_epoch_only_the_isr_is_renewed() {
        let mut role = Role::Unassigned;
        role.assume(ME, &image(1, 4, 0));
        let mut grown = image(1, 4, 1);
        grown.isr.push(BrokerId(2));
        assert_eq!(role.assume(ME, &grown), Assumed::SameEpoch);
        assert!(matches!(&role, Role::Leader(leader) if leader.isr.len() == 2));
        assert_eq!(role.assume(ME, &image(1, 4, 0)), Assumed::Stale);
    }

    #[test]
    fn a_leader_stands_down_for_a_later_epoch_and_not_for_ever() {
        let mut role = Role::Unassigned;
        role.assume(ME, &image(1, 4, 0));
        let Role::Leader(leader) = &mut role else { panic!("it leads") };
        let heard_at = Instant::now();
        let later = |epoch| LaterEpoch { epoch: LeaderEpoch(epoch), heard_at };
        assert!(!leader.stand_down(later(4)), "its own is not later");
        assert!(leader.stand_down(later(5)) && !leader.stand_down(later(6)));
        assert_eq!(leader.later_epoch(heard_at), Some(LeaderEpoch(5)));
        assert_eq!(leader.later_epoch(heard_at + UNCONFIRMED_MAX), None);
        role.assume(ME, &image(1, 4, 1));
        assert!(matches!(&role, Role::Leader(leader) if leader.later.is_some()), "an image of its own epoch");
        role.assume(ME, &image(1, 5, 2));
        assert!(matches!(&role, Role::Leader(leader) if leader.later.is_none()), "it leads anew");
    }

    #[test]
    fn whoever_was_proposed_counts_until_the_partition_epoch_moves() {
        let mut role = Role::Unassigned;
        role.assume(ME, &image(1, 4, 0));
        let Role::Leader(leader) = &mut role else { panic!("it leads") };
        let isr = [1, 2].map(|id| Member { id: BrokerId(id), broker_epoch: -1 }).to_vec();
        leader.proposals.begin(Proposal { leader_epoch: LeaderEpoch(4), partition_epoch: 0, isr });
        assert!(leader.maximal_isr().eq([BrokerId(1), BrokerId(2)]));
        let maximal = |role: &Role| match role {
            Role::Leader(leader) => leader.maximal_isr().count(),
            _ => 0,
        };
        role.assume(ME, &image(1, 4, 0));
        assert_eq!(maximal(&role), 2, "the same state again settles nothing");
        role.assume(ME, &image(1, 4, 1));
        assert_eq!(maximal(&role), 1);
    }
}
