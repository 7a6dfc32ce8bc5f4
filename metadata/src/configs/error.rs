//! How a configuration is refused, in the words of Apache Kafka, since tools and people read them.

use std::fmt;

use super::kind::Kind;

/// A value that its key does not allow.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub struct InvalidValue {
    pub name: String,
    /// As Kafka would print it.
    pub value: String,
    pub(super) wrong: Wrong,
}

/// A set of values that cannot stand on a resource.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ConfigError {
    #[error(transparent)]
    InvalidValue(#[from] InvalidValue),
    #[error("Unknown topic config name: {name}")]
    UnknownTopicKey { name: String },
    #[error("Unknown group config name: {name}")]
    UnknownGroupKey { name: String },
    #[error("Unknown client metrics configuration: {name}")]
    UnknownClientMetricsKey { name: String },
    #[error("Invalid value {value} for interval.ms, interval must be between 100 and 3600000 (1 hour)")]
    PushInterval { value: i64 },
    #[error("Illegal client matching pattern: {pattern}")]
    ClientMatch { pattern: String },
    #[error("Error due to duplicate config keys")]
    DuplicateKeys,
    #[error("Null value not supported for : {names}")]
    NullValues { names: String },
    #[error("Cannot update these configs dynamically: [{names}]")]
    NotDynamic { names: String },
    #[error("Cannot update these configs at default cluster level, broker id must be specified: [{names}]")]
    NotClusterWide { names: String },
    #[error(
        "These security configs can be dynamically updated only per-listener using the listener prefix: [{names}]"
    )]
    NotPerListener { names: String },
    #[error("{name} cannot be set to {value}: {why}")]
    Refused { name: String, value: String, why: &'static str },
    #[error(
        "Dynamic thread count update validation failed for {name}={threads}, value should {allowed} the current value {now}"
    )]
    Threads { name: String, threads: i64, allowed: &'static str, now: i64 },
    #[error("{name} must be greater than or equal to {bound}")]
    GroupBelow { name: String, bound: String },
    #[error("{name} must be less than or equal to {bound}")]
    GroupAbove { name: String, bound: String },
    #[error("{session} must be greater than {heartbeat}")]
    GroupSession { session: String, heartbeat: String },
    #[error("conflict topic config setting min.compaction.lag.ms ({min}) > max.compaction.lag.ms ({max})")]
    CompactionLags { min: i64, max: i64 },
    #[error(
        "Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage."
    )]
    TieredStorage,
}

/// What is wrong with a value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Wrong {
    NotANumber { kind: Kind },
    NotABoolean,
    Below { min: String },
    Above { max: String },
    GzipLevel,
    NotOneOf { values: &'static [&'static str] },
    NotOneOfIgnoringCase { values: &'static [&'static str] },
    Empty,
    EmptyList { values: Option<&'static [&'static str]> },
    EmptyEntry,
    Duplicates,
    EntryNotOneOf { entry: String, values: &'static [&'static str] },
    ThrottledReplicas,
    OffsetReset,
}

impl Wrong {
    pub fn below(min: impl fmt::Display) -> Wrong {
        Wrong::Below { min: min.to_string() }
    }

    pub fn above(max: impl fmt::Display) -> Wrong {
        Wrong::Above { max: max.to_string() }
    }
}

impl InvalidValue {
    pub(super) fn new(name: &str, value: impl fmt::Display, wrong: Wrong) -> InvalidValue {
        InvalidValue { name: name.to_owned(), value: value.to_string(), wrong }
    }
}

impl fmt::Display for InvalidValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let InvalidValue { name, value, wrong } = self;
        let invalid = format!("Invalid value {value} for configuration {name}: ");
        match wrong {
            Wrong::NotANumber { kind } => write!(f, "{invalid}Not a number of type {kind}"),
            Wrong::NotABoolean => write!(f, "{invalid}Expected value to be either true or false"),
            Wrong::Below { min } => write!(f, "{invalid}Value must be at least {min}"),
            Wrong::Above { max } => write!(f, "{invalid}Value must be no more than {max}"),
            Wrong::GzipLevel => write!(f, "{invalid}Value must be between 1 and 9 or equal to -1"),
            Wrong::NotOneOf { values } => write!(f, "{invalid}String must be one of: {}", values.join(", ")),
            Wrong::NotOneOfIgnoringCase { values } => {
                write!(f, "{invalid}String must be one of (case insensitive): {}", values.join(", "))
            }
            Wrong::Empty => write!(f, "{invalid}String must be non-empty"),
            Wrong::EmptyList { values } => {
                let values =
                    values.map_or("any non-empty value".into(), |values| format!("[{}]", values.join(", ")));
                write!(f, "Configuration '{name}' must not be empty. Valid values include: {values}")
            }
            Wrong::EmptyEntry => write!(f, "Configuration '{name}' values must not be empty."),
            Wrong::Duplicates => write!(f, "Configuration '{name}' values must not be duplicated."),
            Wrong::EntryNotOneOf { entry, values } => {
                let values = values.join(", ");
                write!(f, "Invalid value {entry} for configuration {name}: String must be one of: {values}")
            }
            Wrong::ThrottledReplicas => {
                let entries = value.replace(',', ", ");
                write!(
                    f,
                    "Invalid value [{entries}] for configuration {name}: {name} must be the literal '*' or a list of \
                     replicas in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],..."
                )
            }
            Wrong::OffsetReset => write!(
                f,
                "{invalid}Invalid value `{value}` for configuration {name}. The value must be either 'earliest', \
                 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'."
            ),
        }
    }
}
