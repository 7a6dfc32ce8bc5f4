//! `kafka_server_delayedoperationpurgatory_*`: requests that wait for something, of this moment.

use node::measure::per_thread::PerThread;
use node::measure::tally::Tally;

/// What waits; Kafka has a purgatory for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delayed {
    /// For the in-sync replicas (`acks=all`).
    Produce,
    /// For records (`fetch.min.bytes`).
    Fetch,
    /// For the logs of followers to start where the leader's does.
    DeleteRecords,
}

impl Delayed {
    pub const ALL: [Delayed; 3] = [Delayed::Produce, Delayed::Fetch, Delayed::DeleteRecords];

    pub fn name(self) -> &'static str {
        match self {
            Delayed::Produce => "Produce",
            Delayed::Fetch => "Fetch",
            Delayed::DeleteRecords => "DeleteRecords",
        }
    }
}

#[derive(Default)]
struct Part {
    begun: [Tally; Delayed::ALL.len()],
    ended: [Tally; Delayed::ALL.len()],
}

static PARTS: PerThread<Part> = PerThread::new();

/// One request that waits; it counts until it is dropped.
#[derive(Debug)]
pub struct Waiting(Delayed);

impl Waiting {
    pub fn begin(what: Delayed) -> Waiting {
        PARTS.with(|part, writer| part.begun[what as usize].add(1, writer));
        Waiting(what)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        PARTS.with(|part, writer| part.ended[self.0 as usize].add(1, writer));
    }
}

/// How many wait now. They may begin on one thread and end on another, so it is the parts' sum that counts.
pub(super) fn waiting(what: Delayed) -> u64 {
    let sum = |of: fn(&Part) -> &[Tally; Delayed::ALL.len()]| {
        PARTS.all().map(|part| of(part)[what as usize].get()).sum::<u64>()
    };
    // Those that ended are read first: one that ends meanwhile is counted as waiting, never below none.
    let ended = sum(|part| &part.ended);
    sum(|part| &part.begun).saturating_sub(ended)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_begins_here_may_end_elsewhere() {
        let before = waiting(Delayed::Produce);
        let many: Vec<_> = (0..1_000).map(|_| Waiting::begin(Delayed::Produce)).collect();
        assert!(waiting(Delayed::Produce) >= before + 900, "others may end meanwhile");
        std::thread::spawn(move || drop(many)).join().expect("it ends");
        assert!(waiting(Delayed::Produce) < before + 900);
    }
}
