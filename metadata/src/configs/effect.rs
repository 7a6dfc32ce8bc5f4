//! What a key does in Milena, as far as that is not all that it does in Apache Kafka, and why.
//!
//! Whoever sets it hears of it: at the start in the broker's log, at a call in the answer or in the log.

use std::fmt;

use super::kind::Kind;
use super::value::Value;

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// All that it does in Apache Kafka.
    Full,
    /// Not with this value, nor with this entry of a list.
    Except { value: &'static str, why: &'static str },
    /// Less than in Apache Kafka, as is said here.
    Partial { how: &'static str },
    /// What the file says holds from the start on; a change while the broker runs is taken and counts for nothing.
    AtStart { why: &'static str },
    /// What the file says holds; a change while the broker runs is refused.
    Fixed { why: &'static str },
    /// It is known, checked and described, and no more.
    None { why: &'static str },
    /// Going on without it would be unsafe: a value but the default stops the start, and the call.
    Refused { why: &'static str },
}

/// When a key is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// In the file, the environment or on the command line.
    Start,
    /// By AlterConfigs and its like.
    Running,
}

/// What to tell those who set a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    Nothing,
    /// It is set, but…
    Warning(&'static str),
    /// It cannot be set.
    Refusal(&'static str),
}

impl Effect {
    /// What those hear who set the key to `value`, which its type and bounds allow.
    pub(super) fn told(self, value: &Value, is_default: bool, when: When) -> Told {
        match self {
            Effect::Full | Effect::Partial { .. } => Told::Nothing,
            Effect::Except { value: idle, why } if has(value, idle) => Told::Warning(why),
            Effect::Except { .. } => Told::Nothing,
            Effect::AtStart { why } if when == When::Running => Told::Warning(why),
            Effect::Fixed { why } if when == When::Running => Told::Refusal(why),
            Effect::AtStart { .. } | Effect::Fixed { .. } => Told::Nothing,
            Effect::None { why } => Told::Warning(why),
            Effect::Refused { .. } if is_default => Told::Nothing,
            Effect::Refused { why } => Told::Refusal(why),
        }
    }
}

/// In a few words.
impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Effect::Full => f.write_str("works"),
            Effect::Except { value, why } => write!(f, "works, but for {value}: {why}"),
            Effect::Partial { how } => write!(f, "works; {how}"),
            Effect::AtStart { why } => {
                write!(f, "works from the start on; a later change does nothing: {why}")
            }
            Effect::Fixed { why } => write!(f, "works; a change while the broker runs is refused: {why}"),
            Effect::None { why } => write!(f, "does nothing: {why}"),
            Effect::Refused { why } => write!(f, "refused: {why}"),
        }
    }
}

fn has(value: &Value, idle: &str) -> bool {
    match value {
        Value::List(entries) => entries.iter().any(|entry| entry == idle),
        other => other.to_string() == idle,
    }
}

/// What is set of a class: nothing, if it is empty.
pub(super) fn is_as_good_as_default(kind: Kind, text: &str, default: Option<&str>) -> bool {
    let names_nothing = text.is_empty() && matches!(kind, Kind::Class | Kind::List | Kind::Text);
    names_nothing || default == Some(text)
}
