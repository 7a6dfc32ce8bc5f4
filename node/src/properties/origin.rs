//! Where a value came from, and the refusal of one that will not do.
//!
//! Invariant: the value of a secret key is never printed.

use std::fmt;
use std::path::PathBuf;

/// The layer, and the place in it, that set a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Default,
    /// `line` counts from 1; of a value that runs over several lines it is the first.
    File {
        path: PathBuf,
        line: usize,
    },
    Environment {
        name: String,
    },
    Override,
    /// It was set while the process ran.
    Running,
}

/// One value as it was written, and who wrote it.
#[derive(Clone, PartialEq, Eq)]
pub struct Value {
    pub text: String,
    pub origin: Origin,
}

/// A value that its key does not allow, or the lack of one that it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadValue {
    pub key: String,
    /// `None`: the key is not set and must be.
    pub value: Option<Value>,
    /// "a number from 1", "one of a, b".
    pub allowed: String,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("the defaults"),
            Origin::File { path, line } => write!(f, "{} line {line}", path.display()),
            Origin::Environment { name } => write!(f, "environment variable {name}"),
            Origin::Override => f.write_str("--override"),
            Origin::Running => f.write_str("a call"),
        }
    }
}

/// Only the origin: the text may be a secret.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value from {}", self.origin)
    }
}

impl fmt::Display for BadValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (key, allowed) = (&self.key, &self.allowed);
        match &self.value {
            None => write!(f, "key {key} is not set: {allowed} is needed"),
            Some(Value { text, origin }) => {
                let text = if is_secret(key) { "[hidden]" } else { text.trim() };
                write!(f, "key {key}: value '{text}' from {origin}: {allowed} is allowed")
            }
        }
    }
}

impl std::error::Error for BadValue {}

/// Whether Kafka would type this key a PASSWORD.
fn is_secret(key: &str) -> bool {
    const SECRET_ENDINGS: [&str; 5] =
        ["password", "jaas.config", "secret.key", "keystore.key", "certificate.chain"];
    SECRET_ENDINGS.iter().any(|ending| key.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(key: &str, value: Option<&str>) -> String {
        let value = value.map(|text| Value { text: text.to_owned(), origin: Origin::Override });
        BadValue { key: key.to_owned(), value, allowed: "a path".to_owned() }.to_string()
    }

    #[test]
    fn secrets_stay_hidden() {
        assert_eq!(
            refusal("ssl.keystore.password", Some("hunter2")),
            "key ssl.keystore.password: value '[hidden]' from --override: a path is allowed"
        );
        let value = Value { text: "hunter2".to_owned(), origin: Origin::Override };
        assert_eq!(format!("{value:?}"), "Value from --override");
    }

    #[test]
    fn a_missing_key_is_said_to_be_missing() {
        assert_eq!(refusal("log.dirs", None), "key log.dirs is not set: a path is needed");
    }
}
