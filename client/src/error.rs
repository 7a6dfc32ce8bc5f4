//! What can go wrong above a single connection, and what is worth another attempt.

use std::time::Duration;

use protocol::ErrorCode;
use protocol::records::RecordsError;

use crate::TopicPartition;
use crate::connection::ConnectionError;

/// Why an operation on the cluster failed, after its retries.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    #[error("no broker could be reached: {}", list(.attempts))]
    NoBroker { attempts: Vec<ConnectionError> },
    #[error("broker {broker} is not in the cluster's metadata: it is down or was never started")]
    UnknownBroker { broker: i32 },
    #[error("{api} of {subject} was refused: {}{}", code.name(), after_colon(.message))]
    Refused { api: &'static str, subject: String, code: ErrorCode, message: String },
    #[error("{partition} has no leader: none of its in-sync replicas is up")]
    NoLeader { partition: TopicPartition },
    #[error("topic '{topic}' has {partitions} partitions, numbered from 0, and no partition {partition}")]
    NoPartition { topic: String, partition: i32, partitions: usize },
    #[error("the answer to {api} lacks {subject}")]
    Incomplete { api: &'static str, subject: String },
    #[error("the records of {partition} at offset {offset} cannot be read: {source}")]
    Records { partition: TopicPartition, offset: i64, source: RecordsError },
    #[error("the batch for {partition} cannot be built: {source}")]
    Batch { partition: TopicPartition, source: RecordsError },
    #[error("{partition} did not acknowledge within {}: {last}", seconds(.after))]
    DeliveryTimeout { partition: TopicPartition, after: Duration, last: Box<Error> },
    #[error("the producer is closed")]
    ProducerClosed,
    #[error("members of the group do not understand each other: {0}")]
    GroupProtocol(String),
}

impl Error {
    /// `Ok` for [`ErrorCode::None`], a refusal for every other code.
    pub(crate) fn check(
        api: &'static str,
        subject: impl ToString,
        code: i16,
        message: Option<&str>,
    ) -> Result<(), Error> {
        match ErrorCode::from_code(code) {
            ErrorCode::None => Ok(()),
            code => Err(Error::refused(api, subject, code, message)),
        }
    }

    pub(crate) fn refused(
        api: &'static str,
        subject: impl ToString,
        code: ErrorCode,
        message: Option<&str>,
    ) -> Error {
        let message = message.unwrap_or(code.message()).to_owned();
        Error::Refused { api, subject: subject.to_string(), code, message }
    }

    /// The broker's code, where a broker refused.
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Error::Refused { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// Whether the same call may succeed later, on fresher metadata.
    pub fn is_retriable(&self) -> bool {
        match self {
            Error::Connection(error) => error.is_retriable(),
            Error::Refused { code, .. } => code.is_retriable(),
            Error::NoBroker { .. } | Error::UnknownBroker { .. } | Error::NoLeader { .. } => true,
            Error::NoPartition { .. }
            | Error::Incomplete { .. }
            | Error::Records { .. }
            | Error::Batch { .. }
            | Error::DeliveryTimeout { .. }
            | Error::ProducerClosed
            | Error::GroupProtocol(_) => false,
        }
    }
}

fn list(attempts: &[ConnectionError]) -> String {
    let texts: Vec<_> = attempts.iter().map(ConnectionError::to_string).collect();
    texts.join("; ")
}

fn after_colon(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

fn seconds(duration: &Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
