//! What can be wrong, each with the facts that show it.

use std::fmt;

use crate::history::{Place, Value};

/// One broken promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Anomaly {
    /// Acknowledged, and nowhere in the log, which was read further than where it should lie.
    LostWrite { value: Value, offset: Option<i64> },
    /// Acknowledged, and read by nobody, nor anything behind it.
    Unseen { value: Value, offset: Option<i64> },
    /// Acknowledged at one place and read at another.
    Moved { value: Value, acknowledged: i64, read: Place },
    /// One value at two places.
    Duplicate { value: Value, first: Place, second: Place },
    /// One place, two values.
    InconsistentOffset { place: Place, one: Option<Value>, other: Option<Value> },
    /// Of one producer and partition the later value lies before the earlier.
    Reordered { first: Value, then: Value },
    /// No producer wrote this, or not there.
    NeverSent { place: Place, value: Option<Value> },
    /// Neither acknowledged nor given up, and not in the log, though its producer's later values are.
    Hole { value: Value },
    /// Within one poll a record does not lie behind the one before.
    InternalNonmonotonicPoll { reader: String, before: Place, then: Place },
    /// Between two polls a record does not lie behind the one before.
    ExternalNonmonotonicPoll { reader: String, before: Place, then: Place },
    /// A reader was never given what lies between.
    Skipped { reader: String, from: Place, to: Place },
    /// A partition was taken up before what had been committed.
    LostCommit { committed: Place, started: Place },
    /// A partition was taken up behind all that anyone had tried to commit.
    CommitFromNowhere { tried: Option<i64>, started: Place },
    /// Committed, though no member was given it.
    GroupSkipped { place: Place },
    /// A client met an error that it may not meet, or did not end.
    Client { client: String, error: String },
}

impl Anomaly {
    /// The name of its kind.
    pub fn name(&self) -> &'static str {
        match self {
            Anomaly::LostWrite { .. } => "lost write",
            Anomaly::Unseen { .. } => "unseen",
            Anomaly::Moved { .. } => "acknowledged elsewhere",
            Anomaly::Duplicate { .. } => "duplicate",
            Anomaly::InconsistentOffset { .. } => "inconsistent offset",
            Anomaly::Reordered { .. } => "reordered",
            Anomaly::NeverSent { .. } => "never sent",
            Anomaly::Hole { .. } => "hole",
            Anomaly::InternalNonmonotonicPoll { .. } => "internal nonmonotonic poll",
            Anomaly::ExternalNonmonotonicPoll { .. } => "external nonmonotonic poll",
            Anomaly::Skipped { .. } => "skipped",
            Anomaly::LostCommit { .. } => "lost commit",
            Anomaly::CommitFromNowhere { .. } => "commit from nowhere",
            Anomaly::GroupSkipped { .. } => "skipped by the group",
            Anomaly::Client { .. } => "client error",
        }
    }
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.name())?;
        match self {
            Anomaly::LostWrite { value, offset } | Anomaly::Unseen { value, offset } => {
                write!(f, "{value}, acknowledged at {}", shown(*offset))
            }
            Anomaly::Moved { value, acknowledged, read } => {
                write!(f, "{value}, acknowledged at {acknowledged}, read at {read}")
            }
            Anomaly::Duplicate { value, first, second } => write!(f, "{value} at {first} and {second}"),
            Anomaly::InconsistentOffset { place, one, other } => {
                write!(f, "{place} holds {} and {}", shown(*one), shown(*other))
            }
            Anomaly::Reordered { first, then } => write!(f, "{first} lies before {then}"),
            Anomaly::NeverSent { place, value } => write!(f, "{} at {place}", shown(*value)),
            Anomaly::Hole { value } => write!(f, "{value}"),
            Anomaly::InternalNonmonotonicPoll { reader, before, then }
            | Anomaly::ExternalNonmonotonicPoll { reader, before, then } => {
                write!(f, "{reader} read {before}, then {then}")
            }
            Anomaly::Skipped { reader, from, to } => write!(f, "{reader} read nothing from {from} to {to}"),
            Anomaly::LostCommit { committed, started } => {
                write!(f, "{committed} was committed, but {started} came next")
            }
            Anomaly::CommitFromNowhere { tried, started } => {
                write!(f, "{started} came first, but {} was the most that anyone committed", shown(*tried))
            }
            Anomaly::GroupSkipped { place } => write!(f, "{place}"),
            Anomaly::Client { client, error } => write!(f, "{client}: {error}"),
        }
    }
}

fn shown<T: fmt::Display>(value: Option<T>) -> String {
    value.map_or_else(|| "nothing known".to_owned(), |value| value.to_string())
}
