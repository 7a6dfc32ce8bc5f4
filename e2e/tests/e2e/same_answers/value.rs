//! A tree of named values: what a script says, and what an answer was.

use std::fmt;

use protocol::types::Uuid;

/// One value, or many in a list or by name.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    Uuid(Uuid),
    /// What a script noted of an earlier answer; it is replaced before it is sent.
    Noted(String),
    List(Vec<Value>),
    Struct(Fields),
}

/// Named values in the order in which they stand.
pub type Fields = Vec<(String, Value)>;

impl Value {
    /// The value at a path like `topics[0].partitions[1].leader_id`.
    pub fn at(&self, path: &str) -> Option<&Value> {
        let steps = path.split(['.', '[']).map(|step| step.trim_end_matches(']'));
        steps.filter(|step| !step.is_empty()).try_fold(self, |value, step| value.step(step))
    }

    fn step(&self, step: &str) -> Option<&Value> {
        match self {
            Value::List(elements) => elements.get(step.parse::<usize>().ok()?),
            Value::Struct(fields) => find(fields, step),
            _ => None,
        }
    }
}

pub fn find<'a>(fields: &'a Fields, name: &str) -> Option<&'a Value> {
    fields.iter().find(|(found, _)| found == name).map(|(_, value)| value)
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Bool(value) => write!(f, "{value}"),
            Value::Int(value) => write!(f, "{value}"),
            Value::Float(value) => write!(f, "{value}"),
            Value::Text(text) => write!(f, "{text:?}"),
            Value::Bytes(bytes) => write!(f, "\"{}\"", bytes.escape_ascii()),
            Value::Uuid(uuid) => write!(f, "{uuid}"),
            Value::Noted(name) => write!(f, "${name}"),
            Value::List(elements) => {
                f.write_str("[")?;
                separated(f, elements, |f, element| write!(f, "{element}"))?;
                f.write_str("]")
            }
            Value::Struct(fields) => {
                f.write_str("{")?;
                separated(f, fields, |f, (name, value)| write!(f, "{name}: {value}"))?;
                f.write_str("}")
            }
        }
    }
}

fn separated<T>(
    f: &mut fmt::Formatter<'_>,
    all: &[T],
    one: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (at, element) in all.iter().enumerate() {
        if at > 0 {
            f.write_str(", ")?;
        }
        one(f, element)?;
    }
    Ok(())
}
