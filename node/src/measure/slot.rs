//! The number of a thread among those that live: its part of everything that is [`per_thread`](super::per_thread).
//!
//! Invariant: two threads never have the same number at the same time, but for [`SHARED`]. The number of a thread that has
//! ended goes to the next one that begins, behind a lock, so that what the one wrote the other reads.

use parking_lot::Mutex;

/// Numbers there are.
pub const SLOTS: usize = 64;

/// The number of all threads for which there is none of their own.
pub const SHARED: usize = SLOTS - 1;

struct Numbers {
    /// Of threads that have ended.
    returned: Vec<usize>,
    /// The least that nobody had yet.
    next: usize,
}

static NUMBERS: Mutex<Numbers> = Mutex::new(Numbers { returned: Vec::new(), next: 0 });

/// A thread's hold on its number.
struct Slot(usize);

thread_local! {
    static MINE: Slot = Slot::take();
}

/// The number of this thread.
pub fn mine() -> usize {
    // A thread that is ending may have given its number back already.
    MINE.try_with(|slot| slot.0).unwrap_or(SHARED)
}

impl Slot {
    fn take() -> Slot {
        let mut numbers = NUMBERS.lock();
        if let Some(returned) = numbers.returned.pop() {
            return Slot(returned);
        }
        let number = numbers.next.min(SHARED);
        numbers.next = (number + 1).min(SHARED);
        Slot(number)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if self.0 != SHARED {
            NUMBERS.lock().returned.push(self.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::{Arc, Barrier};
    use std::thread;

    use super::*;

    #[test]
    fn threads_that_live_together_have_numbers_of_their_own() {
        let all_there = Arc::new(Barrier::new(10));
        let threads = (0..10).map(|_| {
            let all_there = all_there.clone();
            thread::spawn(move || {
                let number = mine();
                all_there.wait();
                number
            })
        });
        let threads: Vec<_> = threads.collect();
        let numbers: HashSet<_> = threads.into_iter().map(|one| one.join().expect("it ends")).collect();
        assert_eq!(numbers.len(), 10);
        assert!(!numbers.contains(&SHARED));
    }

    #[test]
    fn threads_beyond_the_last_number_share_it_and_all_numbers_come_back() {
        let all_there = Arc::new(Barrier::new(SLOTS + 9));
        let threads = (0..SLOTS + 8).map(|_| {
            let all_there = all_there.clone();
            thread::spawn(move || {
                let number = mine();
                all_there.wait();
                number
            })
        });
        let threads: Vec<_> = threads.collect();
        all_there.wait();
        let numbers: Vec<_> = threads.into_iter().map(|one| one.join().expect("it ends")).collect();
        assert!(numbers.iter().filter(|&&number| number == SHARED).count() >= 9);
        assert_ne!(thread::spawn(mine).join().expect("it ends"), SHARED);
    }
}
