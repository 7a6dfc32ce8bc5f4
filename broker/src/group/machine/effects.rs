//! What a turn of the machine asks for: answers to deliver and records to write. The machine itself performs nothing.
//!
//! An answer that must not be seen before its records are committed travels inside the write, as its [`Then`].

use protocol::ErrorCode;
use protocol::types::Offset;

use super::classic::{AssignmentStored, StaticMemberReplaced};
use super::notice::Notice;
use super::offsets::{FetchCall, OffsetsChanged};
use super::records::CoordinatorRecord;

/// Where the reply to one request goes. An error stands for one that concerns the coordinator as a whole; what concerns
/// the group is told inside the response. Dropped without an answer, it tells the caller that the coordinator has moved.
pub struct Port<T>(Box<dyn FnOnce(Result<T, ErrorCode>) + Send>);

/// A reply on its way: nothing happens before it is delivered.
pub struct Answer(Box<dyn FnOnce() + Send>);

/// A reply that still waits for its records.
pub struct Settlement(Box<dyn FnOnce(Result<(), ErrorCode>) -> Answer + Send>);

/// Everything that one turn asks for, each list in order.
#[derive(Default)]
pub struct Effects {
    pub answers: Vec<Answer>,
    pub writes: Vec<Write>,
    pub notices: Vec<Notice>,
}

/// Records that are appended together or not at all. A write without records is done when the write before it is.
pub struct Write {
    pub records: Vec<CoordinatorRecord>,
    pub then: Then,
}

/// What follows when a write is committed, or has failed.
pub enum Then {
    /// Memory went ahead and stays so, whatever became of the records.
    Nothing,
    AssignmentStored(AssignmentStored),
    StaticMemberReplaced(StaticMemberReplaced),
    OffsetsChanged(OffsetsChanged),
    /// A fetch of stable offsets waited for the writes before it.
    Fetch(FetchCall),
    Settle(Settlement),
}

/// How a write ended: the offset of its first record, or why there is none.
pub type Written = Result<Offset, ErrorCode>;

impl Effects {
    /// What a later turn asks for comes behind.
    pub fn extend(&mut self, later: Effects) {
        self.answers.extend(later.answers);
        self.writes.extend(later.writes);
        self.notices.extend(later.notices);
    }
}

impl<T: Send + 'static> Port<T> {
    pub fn new(deliver: impl FnOnce(Result<T, ErrorCode>) + Send + 'static) -> Port<T> {
        Port(Box::new(deliver))
    }

    pub fn answer(self, reply: T) -> Answer {
        Answer(Box::new(move || (self.0)(Ok(reply))))
    }

    pub fn refuse(self, error: ErrorCode) -> Answer {
        Answer(Box::new(move || (self.0)(Err(error))))
    }

    /// `reply`, unless the records it waits for fail.
    pub fn settle(self, reply: T) -> Settlement {
        Settlement(Box::new(move |written| match written {
            Ok(()) => self.answer(reply),
            Err(error) => self.refuse(error),
        }))
    }
}

impl Settlement {
    pub fn settle(self, written: Result<(), ErrorCode>) -> Answer {
        (self.0)(written)
    }
}

impl Answer {
    pub fn deliver(self) {
        (self.0)()
    }
}
