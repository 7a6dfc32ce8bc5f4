//! What to say of an error: its causes, and what helps.

use client::ConnectionError;
use node::causes;
use protocol::ErrorCode;

use crate::output::say;

/// Prints an error and its remedy to stderr.
pub fn explain(error: &anyhow::Error) {
    say(format!("error: {}", causes::one_line(error.as_ref())));
    if let Some(remedy) = error.chain().find_map(|cause| cause.downcast_ref()).and_then(remedy) {
        say(format!("help: {remedy}"));
    }
}

fn remedy(error: &client::Error) -> Option<&'static str> {
    use client::Error;
    match error {
        Error::NoBroker { .. } => Some(
            "start a cluster with `milena dev`, or name a broker of yours with --bootstrap-server HOST:PORT",
        ),
        Error::UnknownBroker { .. } | Error::NoLeader { .. } => {
            Some("see which replicas are up with `milena topics describe`, and start their brokers")
        }
        Error::NoPartition { .. } => Some("`milena topics describe` shows the partitions of a topic"),
        Error::Connection(ConnectionError::ApiNotServed { .. } | ConnectionError::Version { .. }) => {
            Some("`milena api-versions` shows what each broker serves")
        }
        Error::Connection(ConnectionError::Decode { .. } | ConnectionError::Disconnected { .. }) => {
            Some("the broker's log may say why; a listener with TLS or SASL cannot be used yet")
        }
        Error::DeliveryTimeout { .. } => Some(
            "records that were not acknowledged may be there or not; `milena topics describe` shows the leaders",
        ),
        Error::Refused { api: "DeleteRecords", code: ErrorCode::OffsetOutOfRange, .. } => {
            Some("only committed records can be deleted; `end` deletes all of them")
        }
        Error::Refused { code, .. } => remedy_of_code(*code),
        _ => None,
    }
}

fn remedy_of_code(code: ErrorCode) -> Option<&'static str> {
    Some(match code {
        ErrorCode::UnknownTopicOrPartition => {
            "`milena topics list` shows the topics, `milena topics create NAME` makes one"
        }
        ErrorCode::TopicAlreadyExists => "with --if-not-exists that is no error",
        ErrorCode::InvalidPartitions => {
            "`milena topics describe` shows how many partitions there are; there can only be more"
        }
        ErrorCode::InvalidReplicationFactor => {
            "ask for as many replicas as there are live brokers at most, or start more brokers"
        }
        ErrorCode::InvalidConfig => "the message names the key and what it allows",
        ErrorCode::MessageTooLarge => "raise max.message.bytes of the topic, or send smaller records",
        ErrorCode::NotEnoughReplicas | ErrorCode::NotEnoughReplicasAfterAppend => {
            "fewer replicas are in sync than min.insync.replicas asks for: start the brokers that are missing"
        }
        ErrorCode::OffsetOutOfRange => "--from earliest begins at the first record that is still there",
        ErrorCode::GroupIdNotFound => "`milena groups list` shows the groups",
        ErrorCode::NonEmptyGroup => {
            "stop its members first; `milena groups describe GROUP --members` shows them"
        }
        ErrorCode::GroupSubscribedToTopic => {
            "its members read the topic; stop them first: `milena groups describe GROUP --members` shows them"
        }
        ErrorCode::UnsupportedVersion => "the broker is too old or too new for this client",
        _ => return None,
    })
}
