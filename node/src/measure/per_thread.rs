//! One value for each thread that asks for one, made when it first does, and never taken away: what a thread has counted
//! outlives it.

use std::sync::OnceLock;

use super::slot::{self, SHARED, SLOTS};
use super::tally::Writer;

/// See the module.
#[derive(Debug)]
pub struct PerThread<T> {
    parts: [OnceLock<Box<T>>; SLOTS],
}

impl<T: Default> PerThread<T> {
    pub const fn new() -> PerThread<T> {
        PerThread { parts: [const { OnceLock::new() }; SLOTS] }
    }

    /// Gives this thread's part to `act`, which must not come back here.
    #[inline]
    pub fn with<R>(&self, act: impl FnOnce(&T, Writer) -> R) -> R {
        let slot = slot::mine();
        let writer = if slot == SHARED { Writer::OneOfMany } else { Writer::Sole };
        act(self.parts[slot].get_or_init(Box::default), writer)
    }

    /// The parts of all threads that ever asked.
    pub fn all(&self) -> impl Iterator<Item = &T> {
        self.parts.iter().filter_map(|part| part.get().map(Box::as_ref))
    }
}

impl<T: Default> Default for PerThread<T> {
    fn default() -> PerThread<T> {
        PerThread::new()
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::super::tally::Tally;
    use super::*;

    static COUNTED: PerThread<Tally> = PerThread::new();

    #[test]
    fn nothing_is_lost_however_many_threads_count_and_end() {
        for _ in 0..3 {
            let count = || {
                for _ in 0..1_000 {
                    COUNTED.with(|tally, writer| tally.add(1, writer));
                }
            };
            let threads: Vec<_> = (0..SLOTS + 10).map(|_| thread::spawn(count)).collect();
            threads.into_iter().for_each(|one| one.join().expect("it ends"));
        }
        let counted: u64 = COUNTED.all().map(Tally::get).sum();
        assert_eq!(counted, 3 * 1_000 * (SLOTS as u64 + 10));
    }
}
