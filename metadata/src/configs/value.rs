//! A configuration value that was read by its key's type.

use std::fmt;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Boolean(bool),
    /// Of the types SHORT, INT and LONG.
    Number(i64),
    Real(f64),
    Text(String),
    List(Vec<String>),
}

impl Value {
    pub fn as_boolean(&self) -> Option<bool> {
        if let Value::Boolean(value) = self { Some(*value) } else { None }
    }

    pub fn as_number(&self) -> Option<i64> {
        if let Value::Number(value) = self { Some(*value) } else { None }
    }

    pub fn as_real(&self) -> Option<f64> {
        if let Value::Real(value) = self { Some(*value) } else { None }
    }

    pub fn as_list(&self) -> Option<&[String]> {
        if let Value::List(entries) = self { Some(entries) } else { None }
    }
}

/// As Kafka writes it into a description.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Boolean(value) => value.fmt(f),
            Value::Number(value) => value.fmt(f),
            Value::Real(value) => write!(f, "{value:?}"),
            Value::Text(text) => f.write_str(text),
            Value::List(entries) => f.write_str(&entries.join(",")),
        }
    }
}
