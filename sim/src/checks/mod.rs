//! What must always hold, whatever happened: the safety rules 1 to 9 and 14, checked from outside.
//!
//! | file | what |
//! |-|-|
//! | `commits` | what is written to the store: rules 3, 4 and 7 |
//! | `copies` | what is in each replica's log, and how its offsets stand: rules 2, 3, 6, 8, 9 and 14 |
//! | `acknowledgements` | what clients were told: rules 1 and 5 |
//!
//! An unclean election is the one excuse for a loss: where nobody is left in ISR and ELR the last leader returns, whatever it
//! has (safety rule 7). What was known of the partition is forgotten then, and everything holds anew from there.

mod acknowledgements;
mod commits;
mod copies;

use std::collections::BTreeMap;

use metadata::image::PartitionImage;
use protocol::types::{BrokerId, LeaderEpoch};

pub use commits::describe;
pub use copies::Copy;

/// A rule that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation(pub String);

pub type Checked<T = ()> = Result<T, Violation>;

/// Names the rule and what is wrong.
pub fn violated<T>(rule: u32, what: String) -> Checked<T> {
    Err(Violation(format!("safety rule {rule}: {what}")))
}

/// All that an observer knows who sees everything.
pub struct Truth {
    pub partitions: Vec<PartitionTruth>,
    /// The broker epochs that were admitted last.
    admitted: BTreeMap<BrokerId, i64>,
    /// Brokers that lost power or a disk since they were admitted last.
    pub lost_pages: BTreeMap<BrokerId, Loss>,
    pub revision: i64,
}

/// A machine lost power, or a disk.
#[derive(Clone, Copy, Debug)]
pub struct Loss {
    /// The store's revision then: later registrations are made without those pages.
    at: i64,
    /// Whether there were pages that the disk did not have.
    is_real: bool,
}

/// One partition.
pub struct PartitionTruth {
    /// As the store has it.
    pub state: PartitionImage,
    /// Who leads, or led, in which epoch.
    leaders: BTreeMap<LeaderEpoch, BrokerId>,
    acknowledged: BTreeMap<i64, u64>,
    /// What somebody may have read.
    visible: Vec<u64>,
    /// What was appended under which epoch at which offset.
    written: BTreeMap<(LeaderEpoch, usize), u64>,
    /// The epoch of the last unclean election.
    pub unclean_since: Option<LeaderEpoch>,
    pub copies: Vec<Copy>,
    min_isr: usize,
}

impl Truth {
    pub fn new(partitions: i32, brokers: usize, min_isr: i32) -> Truth {
        let partition = |_| PartitionTruth {
            state: PartitionImage::default(),
            leaders: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
            visible: Vec::new(),
            written: BTreeMap::new(),
            unclean_since: None,
            copies: (0..brokers).map(|_| Copy::default()).collect(),
            min_isr: min_isr as usize,
        };
        Truth {
            partitions: (0..partitions).map(partition).collect(),
            admitted: BTreeMap::new(),
            lost_pages: BTreeMap::new(),
            revision: 0,
        }
    }

    /// A machine lost power, or a disk.
    pub fn lose_pages(&mut self, id: BrokerId, is_real: bool) {
        let is_real = is_real || self.lost_pages.get(&id).is_some_and(|before| before.is_real);
        self.lost_pages.insert(id, Loss { at: self.revision, is_real });
    }

    pub fn acknowledged(&self) -> usize {
        self.partitions.iter().map(|partition| partition.acknowledged.len()).sum()
    }
}
