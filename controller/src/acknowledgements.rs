//! Who has applied what, and the answers that wait for it: a client that is told of a new topic finds its leaders knowing
//! (design §8, trap 11). Pure, but that the answers themselves are opaque.

use std::collections::BTreeMap;
use std::time::Duration;

use metadata::store::Revision;
use protocol::types::BrokerId;

use crate::event::StreamId;

/// How long an answer waits for brokers to apply what it speaks of.
pub const WAIT_MAX: Duration = Duration::from_secs(1);

/// An answer that waits until every broker that had a stream has the revision, has lost its stream, or took too long.
struct Waiting<T, Time> {
    revision: Revision,
    deadline: Time,
    answer: T,
}

/// The acknowledged revision of every broker with a stream, and what waits for them.
pub struct Acknowledgements<T, Time> {
    streams: BTreeMap<BrokerId, (StreamId, Revision)>,
    /// Ordered by deadline, for all wait equally long.
    waiting: Vec<Waiting<T, Time>>,
}

impl<T, Time: Copy + Ord> Acknowledgements<T, Time> {
    pub fn new() -> Self {
        Acknowledgements { streams: BTreeMap::new(), waiting: Vec::new() }
    }

    /// A broker's stream begins; an older one of the same broker counts no more.
    pub fn opened(&mut self, broker: BrokerId, stream: StreamId) {
        self.streams.insert(broker, (stream, 0));
    }

    /// A stream ended: whether it was the broker's present one.
    pub fn closed(&mut self, broker: BrokerId, stream: StreamId) -> bool {
        let present = self.streams.get(&broker).is_some_and(|(id, _)| *id == stream);
        if present {
            self.streams.remove(&broker);
        }
        present
    }

    pub fn acknowledged(&mut self, broker: BrokerId, stream: StreamId, revision: Revision) {
        if let Some((_, known)) = self.streams.get_mut(&broker).filter(|(id, _)| *id == stream) {
            *known = revision.max(*known);
        }
    }

    /// An answer that may leave once `revision` is acknowledged everywhere.
    pub fn wait(&mut self, revision: Revision, deadline: Time, answer: T) {
        self.waiting.push(Waiting { revision, deadline, answer });
    }

    /// The answers that may leave now.
    pub fn ready(&mut self, now: Time) -> Vec<T> {
        let lowest = self.streams.values().map(|(_, revision)| *revision).min().unwrap_or(Revision::MAX);
        let ready = |waiting: &mut Waiting<T, Time>| waiting.revision <= lowest || waiting.deadline <= now;
        self.waiting.extract_if(.., ready).map(|waiting| waiting.answer).collect()
    }

    /// When the next answer has waited long enough.
    pub fn next_deadline(&self) -> Option<Time> {
        self.waiting.first().map(|waiting| waiting.deadline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: BrokerId = BrokerId(1);
    const TWO: BrokerId = BrokerId(2);

    #[test]
    fn an_answer_leaves_when_all_have_applied_it() {
        let mut acknowledgements = Acknowledgements::new();
        acknowledgements.opened(ONE, 1);
        acknowledgements.opened(TWO, 2);
        acknowledgements.wait(10, 100, "answer");
        acknowledgements.acknowledged(ONE, 1, 10);
        acknowledgements.acknowledged(TWO, 1, 10);
        assert!(
            acknowledgements.ready(0).is_empty(),
            "an acknowledgement of another stream counts for nothing"
        );
        acknowledgements.acknowledged(TWO, 2, 12);
        assert_eq!(acknowledgements.ready(0), ["answer"]);
    }

    #[test]
    fn nobody_waits_for_a_stream_that_ended_or_for_ever() {
        let mut acknowledgements = Acknowledgements::new();
        acknowledgements.opened(ONE, 1);
        acknowledgements.wait(10, 100, "first");
        assert!(!acknowledgements.closed(ONE, 7));
        assert!(acknowledgements.ready(99).is_empty());
        assert_eq!(acknowledgements.ready(100), ["first"]);
        acknowledgements.wait(10, 200, "second");
        assert!(acknowledgements.closed(ONE, 1));
        assert_eq!(acknowledgements.ready(101), ["second"]);
    }
}
