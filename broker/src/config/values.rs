//! Reads one key at a time: what was set, else what the table of keys has for default, checked against its bounds.

use std::time::Duration;

use metadata::configs;
use node::properties::Properties;

use super::ConfigError;

/// The properties of one broker, over the defaults of the table.
pub(super) struct Values<'a> {
    properties: &'a Properties,
}

impl<'a> Values<'a> {
    pub(super) fn new(properties: &'a Properties) -> Values<'a> {
        Values { properties }
    }

    /// What was set, as it was written.
    pub(super) fn set(&self, key: &str) -> Option<&'a str> {
        self.properties.get(key)
    }

    pub(super) fn is_set(&self, key: &str) -> bool {
        self.set(key).is_some()
    }

    /// The refusal of what `key` was set to.
    pub(super) fn refuse(&self, key: &str, allowed: &str) -> ConfigError {
        self.properties.refuse(key, allowed).into()
    }

    /// What was set or is the default; empty where there is neither.
    pub(super) fn text(&self, key: &str) -> Result<String, ConfigError> {
        debug_assert!(configs::is_broker_key(key), "the table lacks {key}");
        let Some(set) = self.set(key) else { return Ok(configs::broker_default(key).unwrap_or_default()) };
        match configs::check_broker(key, set) {
            Ok(()) => Ok(set.to_owned()),
            Err(allowed) => Err(self.refuse(key, &allowed)),
        }
    }

    /// The entries of a comma-separated list, without the spaces around them.
    pub(super) fn list(&self, key: &str) -> Result<Vec<String>, ConfigError> {
        let text = self.text(key)?;
        Ok(text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(str::to_owned).collect())
    }

    pub(super) fn flag(&self, key: &str) -> Result<bool, ConfigError> {
        Ok(self.text(key)?.eq_ignore_ascii_case("true"))
    }

    /// A number that `T` holds.
    pub(super) fn number<T: TryFrom<i64>>(&self, key: &str) -> Result<T, ConfigError> {
        self.long(key)?.try_into().map_err(|_| self.refuse(key, "a number that fits"))
    }

    /// The number that was set, none where none was.
    pub(super) fn number_if_set<T: TryFrom<i64>>(&self, key: &str) -> Result<Option<T>, ConfigError> {
        if self.is_set(key) { self.number(key).map(Some) } else { Ok(None) }
    }

    /// A number of milliseconds that is not negative.
    pub(super) fn millis(&self, key: &str) -> Result<Duration, ConfigError> {
        self.number(key).map(Duration::from_millis)
    }

    /// A number of milliseconds; none where it means "never": negative, or the greatest there is.
    pub(super) fn time_limit(&self, key: &str) -> Result<Option<Duration>, ConfigError> {
        let millis = u64::try_from(self.long(key)?).ok().filter(|millis| *millis < i64::MAX as u64);
        Ok(millis.map(Duration::from_millis))
    }

    /// A number of bytes; none where it means "without limit": less than 1.
    pub(super) fn size_limit(&self, key: &str) -> Result<Option<u64>, ConfigError> {
        Ok(u64::try_from(self.long(key)?).ok().filter(|bytes| *bytes > 0))
    }

    fn long(&self, key: &str) -> Result<i64, ConfigError> {
        self.text(key)?.parse().map_err(|_| self.refuse(key, "a whole number"))
    }
}

#[cfg(test)]
pub(super) fn with<T>(
    properties: &[(&str, &str)],
    resolve: impl Fn(&Values) -> Result<T, ConfigError>,
) -> Result<T, ConfigError> {
    let mut read = Properties::default();
    for (key, value) in properties {
        read.set(*key, *value, node::properties::Origin::Override);
    }
    resolve(&Values::new(&read))
}
