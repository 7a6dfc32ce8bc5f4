//! A number that only grows, in a part that one thread writes and all may read.

use std::sync::atomic::{AtomicU64, Ordering};

/// Who else may write to the part that is written just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    Sole,
    OneOfMany,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Tally(AtomicU64);

impl Tally {
    /// A sole writer needs no locked instruction.
    #[inline]
    pub fn add(&self, by: u64, writer: Writer) {
        match writer {
            Writer::Sole => self.0.store(self.get().wrapping_add(by), Ordering::Relaxed),
            Writer::OneOfMany => {
                self.0.fetch_add(by, Ordering::Relaxed);
            }
        }
    }

    #[inline]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
