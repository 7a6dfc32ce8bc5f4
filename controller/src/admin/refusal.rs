//! An error of one topic of a call: Kafka's code, and its message where it has one of its own.

use protocol::ErrorCode;
use protocol::wire::Str;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub error: ErrorCode,
    pub message: Option<Str>,
}

impl Refusal {
    pub fn new(error: ErrorCode, message: impl Into<String>) -> Refusal {
        Refusal { error, message: Some(Str::from(message.into())) }
    }

    /// With the code's own message.
    pub fn of(error: ErrorCode) -> Refusal {
        Refusal { error, message: Some(Str::from(error.message())) }
    }

    /// Where Kafka sends no message.
    pub fn silent(error: ErrorCode) -> Refusal {
        Refusal { error, message: None }
    }
}
