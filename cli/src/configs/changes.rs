//! What is to be changed, as Kafka's tool takes it: `key=value,key=[value,value]`. Pure.

use client::{ConfigChange, ConfigOperation};

const HELP: &str = "KEY=VALUE is expected, and KEY=[VALUE,VALUE] where a value holds commas";

/// Several changes; a type of its own, since clap takes a bare `Vec` for a repeated argument.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes(pub Vec<ConfigChange>);

/// What `--add` says.
pub fn set(text: &str) -> Result<Changes, String> {
    pairs(text, ConfigOperation::Set)
}

/// What `--append` says.
pub fn append(text: &str) -> Result<Changes, String> {
    pairs(text, ConfigOperation::Append)
}

/// What `--subtract` says.
pub fn subtract(text: &str) -> Result<Changes, String> {
    pairs(text, ConfigOperation::Subtract)
}

/// What `--delete` says: keys alone.
pub fn delete(text: &str) -> Result<Changes, String> {
    let change = |key: &str| {
        let name = key_of(key)?;
        Ok::<_, String>(ConfigChange { name, operation: ConfigOperation::Delete })
    };
    text.split(',').map(change).collect::<Result<_, _>>().map(Changes)
}

fn pairs(text: &str, operation: fn(String) -> ConfigOperation) -> Result<Changes, String> {
    let change = |pair: &str| {
        let (key, value) = pair.split_once('=').ok_or_else(|| format!("'{pair}': {HELP}"))?;
        Ok::<_, String>(ConfigChange { name: key_of(key)?, operation: operation(value_of(value)) })
    };
    split_outside_brackets(text).into_iter().map(change).collect::<Result<_, _>>().map(Changes)
}

/// `$` stands in the names of loggers.
fn key_of(text: &str) -> Result<String, String> {
    let key = text.trim();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"$._-".contains(&byte);
    match !key.is_empty() && key.bytes().all(allowed) {
        true => Ok(key.to_owned()),
        false => Err(format!("'{key}' is no key: letters, digits, '.', '_', '-' and '$' are allowed")),
    }
}

fn value_of(text: &str) -> String {
    let text = text.trim();
    let inside = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    inside.unwrap_or(text).trim().to_owned()
}

fn split_outside_brackets(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut inside) = (0, false);
    for (at, c) in text.char_indices() {
        match c {
            '[' => inside = true,
            ']' => inside = false,
            ',' if !inside => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, operation: ConfigOperation) -> ConfigChange {
        ConfigChange { name: name.into(), operation }
    }

    #[test]
    fn pairs_are_parted_by_commas_that_stand_outside_brackets() {
        let expected = vec![
            of("cleanup.policy", ConfigOperation::Set("compact,delete".into())),
            of("retention.ms", ConfigOperation::Set("1000".into())),
            of("empty", ConfigOperation::Set(String::new())),
            of("jaas", ConfigOperation::Set("a=b".into())),
        ];
        let text = "cleanup.policy=[compact,delete], retention.ms = 1000,empty=,jaas=a=b";
        assert_eq!(set(text), Ok(Changes(expected)));
    }

    #[test]
    fn keys_alone_are_deleted() {
        let expected = vec![of("a", ConfigOperation::Delete), of("b.c$d", ConfigOperation::Delete)];
        assert_eq!(delete("a, b.c$d"), Ok(Changes(expected)));
    }

    #[test]
    fn what_is_no_change_is_refused_with_what_is_expected() {
        assert!(
            set("cleanup.policy=compact,delete").expect_err("a value with a comma").contains("[VALUE,VALUE]")
        );
        for wrong in ["", "=1", "a b=1", ","] {
            assert!(set(wrong).is_err() && delete(wrong).is_err(), "{wrong}");
        }
    }
}
