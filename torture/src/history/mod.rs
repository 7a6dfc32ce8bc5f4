//! What the clients of a run saw: the values sent, acknowledged and read, as plain data that the checker judges.

mod parse;

use std::collections::BTreeMap;
use std::fmt;

pub use parse::{group_member, producing, reading};

/// What a producer writes, once: its own numbers, from 0 on, to each partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Value {
    pub producer: u16,
    pub partition: u16,
    pub number: u32,
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.producer, self.partition, self.number)
    }
}

/// A place in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub partition: u16,
    pub offset: i64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.partition, self.offset)
    }
}

/// An acknowledgement as the producer heard it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ack {
    /// Milliseconds since 1970.
    pub at_ms: u64,
    pub value: Value,
    /// `None` if the broker told none: it knew the batch already, and no longer where it lies.
    pub offset: Option<i64>,
}

/// One producer's part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Producing {
    pub producer: u16,
    /// In the order in which they came.
    pub acks: Vec<Ack>,
    /// Given up: they may be in the log or not.
    pub failed: Vec<Value>,
    /// How many numbers it sent to each partition.
    pub sent: BTreeMap<u16, u32>,
    /// What a producer with default patience may not meet.
    pub errors: Vec<String>,
    /// Whether it ended by itself and told everything.
    pub is_whole: bool,
}

/// One record as one consumer was given it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    /// Which of its polls returned it.
    pub poll: u32,
    pub place: Place,
    /// `None`: it is nothing that a producer writes.
    pub value: Option<Value>,
}

/// One consumer's part: every partition, from the first record on, in one go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    pub reader: String,
    pub reads: Vec<Read>,
    pub errors: Vec<String>,
    pub is_whole: bool,
}

/// What a member of the group did about its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Milliseconds since 1970; of a start: when the partition was assigned.
    pub at_ms: u64,
    pub what: StepKind,
    pub place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// The first record after an assignment lay here.
    Start,
    /// A commit was begun.
    Try,
    /// A commit had succeeded.
    Commit,
}

/// One member's part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupMember {
    pub reading: Reading,
    pub steps: Vec<Step>,
}

/// The whole run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    pub producing: Vec<Producing>,
    pub readings: Vec<Reading>,
    pub group: Vec<GroupMember>,
}

impl History {
    pub fn acks(&self) -> impl Iterator<Item = &Ack> {
        self.producing.iter().flat_map(|producing| &producing.acks)
    }

    /// Every consumer's part, the group's members behind the others.
    pub fn all_readings(&self) -> impl Iterator<Item = &Reading> {
        self.readings.iter().chain(self.group.iter().map(|member| &member.reading))
    }
}
