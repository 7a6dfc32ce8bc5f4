//! The configuration of one process: keys and values, and for each value where it came from.
//!
//! Layers, each over the one before: defaults, the file, the environment, `--override key=value`. What a key means and
//! which values it allows is for those who read it; [`Properties::refuse`] words their refusals.
//!
//! Invariant: a key has one value, the one that was set last.

mod environment;
mod origin;
mod syntax;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

pub use origin::{BadValue, Origin, Value};
pub use syntax::SyntaxError;

/// All keys of one process.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Properties {
    values: BTreeMap<String, Value>,
}

/// Why the layers could not be read.
#[derive(Debug, thiserror::Error)]
pub enum PropertiesError {
    #[error("cannot read {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{} line {}: {}", path.display(), problem.line, problem.what)]
    Syntax { path: PathBuf, problem: SyntaxError },
    #[error("environment variable {name}: its value is no UTF-8")]
    NotUtf8 { name: String },
    #[error("--override {argument}: key=value is expected")]
    Override { argument: String },
}

impl Properties {
    /// Reads every layer in its order. The environment is this process's own.
    pub fn load(
        defaults: &[(&str, &str)],
        file: Option<&Path>,
        overrides: &[String],
    ) -> Result<Properties, PropertiesError> {
        let mut properties = Properties::default();
        for (key, value) in defaults {
            properties.set(*key, *value, Origin::Default);
        }
        if let Some(path) = file {
            properties.read_file(path)?;
        }
        properties.read_environment(std::env::vars_os())?;
        properties.read_overrides(overrides)?;
        Ok(properties)
    }

    /// Gives `key` this value, whatever it had.
    pub fn set(&mut self, key: impl Into<String>, text: impl Into<String>, origin: Origin) {
        self.values.insert(key.into(), Value { text: text.into(), origin });
    }

    /// Reads a Java properties file over what stands.
    pub fn read_file(&mut self, path: &Path) -> Result<(), PropertiesError> {
        let path = path.to_owned();
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(source) => return Err(PropertiesError::Unreadable { path, source }),
        };
        let entries = match syntax::parse(&bytes) {
            Ok(entries) => entries,
            Err(problem) => return Err(PropertiesError::Syntax { path, problem }),
        };
        for entry in entries {
            let origin = Origin::File { path: path.clone(), line: entry.line };
            self.set(entry.key, entry.value, origin);
        }
        Ok(())
    }

    /// Reads `KAFKA_…` and `MILENA_…` variables over what stands, as Apache Kafka's container image names them.
    pub fn read_environment<N, V>(
        &mut self,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Result<(), PropertiesError>
    where
        N: Into<std::ffi::OsString>,
        V: Into<std::ffi::OsString>,
    {
        for variable in environment::properties(variables)? {
            let origin = Origin::Environment { name: variable.name };
            self.set(variable.key, variable.value, origin);
        }
        Ok(())
    }

    /// Reads `key=value` arguments over what stands.
    pub fn read_overrides(&mut self, arguments: &[String]) -> Result<(), PropertiesError> {
        for argument in arguments {
            match argument.split_once('=') {
                Some((key, value)) if !key.trim().is_empty() => self.set(key.trim(), value, Origin::Override),
                _ => return Err(PropertiesError::Override { argument: argument.clone() }),
            }
        }
        Ok(())
    }

    /// The value of `key` without the spaces around it, as Kafka reads every type but passwords.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(|value| value.text.trim())
    }

    /// The value of `key` exactly as it was written, with its origin.
    pub fn value(&self, key: &str) -> Option<&Value> {
        self.values.get(key)
    }

    /// Every key in its order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.values.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The value of `key` as a `T`, `None` if it is not set; `allowed` says in the refusal what would be right.
    pub fn parse<T: FromStr>(&self, key: &str, allowed: &str) -> Result<Option<T>, BadValue> {
        let Some(text) = self.get(key) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| self.refuse(key, allowed))
    }

    /// The refusal of the value that `key` has: it names the key, the value, its origin and what is allowed.
    pub fn refuse(&self, key: &str, allowed: impl Into<String>) -> BadValue {
        BadValue { key: key.to_owned(), value: self.values.get(key).cloned(), allowed: allowed.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file_with(name: &str, text: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("milena-{}-{name}.properties", std::process::id()));
        std::fs::write(&path, text).expect("the temporary directory is writable");
        path
    }

    #[test]
    fn each_layer_lies_over_the_one_before() {
        let path = file_with("layers", "b=file\nc=file\nd=file\n");
        let mut properties = Properties::default();
        for key in ["a", "b", "c", "d"] {
            properties.set(key, "default", Origin::Default);
        }
        properties.read_file(&path).expect("reads");
        properties.read_environment([("KAFKA_C", "environment"), ("KAFKA_D", "environment")]).expect("reads");
        properties.read_overrides(&["d=override".to_owned()]).expect("reads");
        std::fs::remove_file(&path).expect("removes");
        let read: Vec<_> = properties.iter().map(|(key, value)| (key, value.text.as_str())).collect();
        assert_eq!(read, [("a", "default"), ("b", "file"), ("c", "environment"), ("d", "override")]);
    }

    #[test]
    fn a_refusal_names_key_value_origin_and_what_is_allowed() {
        let path = file_with("refusal", "# a comment\nnum.partitions = many\n");
        let mut properties = Properties::default();
        properties.read_file(&path).expect("reads");
        std::fs::remove_file(&path).expect("removes");
        let refusal =
            properties.parse::<u32>("num.partitions", "a number from 1").expect_err("'many' is none");
        let expected = format!(
            "key num.partitions: value 'many' from {} line 2: a number from 1 is allowed",
            path.display()
        );
        assert_eq!(refusal.to_string(), expected);
    }

    #[test]
    fn a_missing_file_and_a_bad_override_are_refused() {
        let mut properties = Properties::default();
        let missing =
            properties.read_file(Path::new("/nowhere/server.properties")).expect_err("no such file");
        assert!(missing.to_string().starts_with("cannot read /nowhere/server.properties: "));
        for argument in ["node.id", "=1", " =1"] {
            let refused = properties.read_overrides(&[argument.to_owned()]);
            assert!(matches!(refused, Err(PropertiesError::Override { .. })), "{argument}");
        }
    }

    #[test]
    fn an_override_keeps_the_equals_signs_of_its_value() {
        let mut properties = Properties::default();
        properties.read_overrides(&["jaas= a=b ".to_owned()]).expect("reads");
        assert_eq!(properties.get("jaas"), Some("a=b"));
        assert_eq!(properties.value("jaas").map(|value| value.text.as_str()), Some(" a=b "));
    }
}
