//! The types of configuration values, and how a text is read as one.

use std::fmt;

use super::error::{InvalidValue, Wrong};
use super::value::Value;

/// A type, by the names that Kafka's errors and documentation use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Boolean,
    /// Kafka's STRING.
    Text,
    Short,
    Int,
    Long,
    Double,
    /// Texts with commas between them.
    List,
    /// The name of a Java class.
    Class,
    /// A text that is never shown.
    Password,
}

impl Kind {
    /// The code of `DescribeConfigsResponse.ConfigType`.
    pub fn code(self) -> i8 {
        match self {
            Kind::Boolean => 1,
            Kind::Text => 2,
            Kind::Int => 3,
            Kind::Short => 4,
            Kind::Long => 5,
            Kind::Double => 6,
            Kind::List => 7,
            Kind::Class => 8,
            Kind::Password => 9,
        }
    }

    /// Whether values are withheld from those who ask.
    pub fn is_sensitive(self) -> bool {
        self == Kind::Password
    }

    pub(super) fn read(self, name: &str, text: &str) -> Result<Value, InvalidValue> {
        let trimmed = text.trim();
        let wrong = |wrong| InvalidValue::new(name, text, wrong);
        let number = |value: Option<i64>| {
            value.map(Value::Number).ok_or_else(|| wrong(Wrong::NotANumber { kind: self }))
        };
        match self {
            Kind::Boolean if trimmed.eq_ignore_ascii_case("true") => Ok(Value::Boolean(true)),
            Kind::Boolean if trimmed.eq_ignore_ascii_case("false") => Ok(Value::Boolean(false)),
            Kind::Boolean => Err(wrong(Wrong::NotABoolean)),
            Kind::Short => number(trimmed.parse::<i16>().ok().map(i64::from)),
            Kind::Int => number(trimmed.parse::<i32>().ok().map(i64::from)),
            Kind::Long => number(trimmed.parse().ok()),
            Kind::Double => {
                let real = trimmed.parse().map_err(|_| wrong(Wrong::NotANumber { kind: self }))?;
                Ok(Value::Real(real))
            }
            Kind::List => Ok(Value::List(entries(trimmed))),
            Kind::Text | Kind::Class | Kind::Password => Ok(Value::Text(trimmed.to_owned())),
        }
    }
}

fn entries(text: &str) -> Vec<String> {
    match text.is_empty() {
        true => Vec::new(),
        false => text.split(',').map(|entry| entry.trim().to_owned()).collect(),
    }
}

/// Kafka's name of the type.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Boolean => "BOOLEAN",
            Kind::Text => "STRING",
            Kind::Short => "SHORT",
            Kind::Int => "INT",
            Kind::Long => "LONG",
            Kind::Double => "DOUBLE",
            Kind::List => "LIST",
            Kind::Class => "CLASS",
            Kind::Password => "PASSWORD",
        })
    }
}
