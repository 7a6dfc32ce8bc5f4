//! What may differ between two brokers that answer alike is replaced by what it stands for: ids, times, ports, paths, and
//! the order of what has none.
//!
//! An id that the script noted keeps its name, so that one id in the place of another shows.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use super::value::Value;

/// A time so near is the broker's own.
const NOW_MS: i64 = 10 * 60 * 1000;
const UUID_LENGTH: usize = 36;

/// Numbers that each broker gives in its own way. None (0 or −1) is the same to all.
const OWN_NUMBERS: [&str; 4] = ["session_id", "finalized_features_epoch", "total_bytes", "usable_bytes"];
/// A number of the same kind, of which 0 is one as well.
const PRODUCER_ID: &str = "producer_id";
/// Texts of each broker's own.
const OWN_TEXTS: [&str; 2] = ["cluster_id", "log_dir"];
/// Texts for people, of which only counts whether there is one.
const FOR_PEOPLE: [&str; 3] = ["error_message", "batch_index_error_message", "documentation"];

/// What is known of the broker that answered.
pub struct Normal<'a> {
    pub port: u16,
    pub noted: &'a HashMap<String, Value>,
}

impl Normal<'_> {
    pub fn of(&self, answer: &Value) -> Value {
        self.value("", answer)
    }

    fn value(&self, name: &str, value: &Value) -> Value {
        match value {
            Value::Struct(fields) => {
                Value::Struct(fields.iter().map(|(name, v)| (name.clone(), self.value(name, v))).collect())
            }
            Value::List(elements) => self.list(name, elements),
            Value::Int(number) => self.number(name, *number),
            Value::Text(text) => self.text(name, text),
            Value::Uuid(uuid) if uuid.is_zero() => value.clone(),
            Value::Uuid(_) => self.noted(value).unwrap_or_else(|| own("uuid")),
            other => other.clone(),
        }
    }

    /// Structs come in any order; names and numbers come in theirs.
    fn list(&self, name: &str, elements: &[Value]) -> Value {
        let mut elements: Vec<Value> = elements.iter().map(|element| self.value(name, element)).collect();
        if elements.iter().all(|element| matches!(element, Value::Struct(_))) {
            elements.sort_by_cached_key(Value::to_string);
        }
        Value::List(elements)
    }

    fn number(&self, name: &str, number: i64) -> Value {
        if name == "port" && number == i64::from(self.port) {
            return own("port");
        }
        let is_own = OWN_NUMBERS.contains(&name) && number > 0 || name == PRODUCER_ID && number >= 0;
        if is_own || (now_ms() - number).abs() < NOW_MS {
            return own(name);
        }
        Value::Int(number)
    }

    fn text(&self, name: &str, text: &str) -> Value {
        if OWN_TEXTS.contains(&name) || FOR_PEOPLE.contains(&name) && !text.is_empty() {
            return own(name);
        }
        if let Some(noted) = self.noted(&Value::Text(text.to_owned())) {
            return noted;
        }
        Value::Text(without_uuids(text))
    }

    fn noted(&self, value: &Value) -> Option<Value> {
        let mut names: Vec<&String> =
            self.noted.iter().filter(|(_, noted)| *noted == value).map(|(name, _)| name).collect();
        names.sort();
        names.first().map(|name| Value::Noted((*name).clone()))
    }
}

fn own(what: &str) -> Value {
    Value::Text(format!("<{what}>"))
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as i64)
}

/// Replaces each uuid in Java's notation, of which member ids are made.
fn without_uuids(text: &str) -> String {
    let is_uuid = |part: &str| {
        part.char_indices().all(|(at, c)| match at {
            8 | 13 | 18 | 23 => c == '-',
            _ => c.is_ascii_hexdigit(),
        })
    };
    let found = (0..text.len()).find(|at| text.get(*at..at + UUID_LENGTH).is_some_and(is_uuid));
    match found {
        Some(at) => format!("{}<uuid>{}", &text[..at], without_uuids(&text[at + UUID_LENGTH..])),
        None => text.to_owned(),
    }
}

#[test]
fn what_is_a_brokers_own_becomes_what_it_stands_for() {
    let noted = HashMap::from([("id".to_owned(), Value::Text("e2e-1".to_owned()))]);
    let normal = Normal { port: 9092, noted: &noted };
    let check = |text: &str, expected: &str| {
        let value = super::notation::value(text).expect(text);
        assert_eq!(normal.of(&value).to_string(), expected);
    };
    check(
        "{port: 9092, session_id: 0, producer_id: 12}",
        "{port: \"<port>\", session_id: 0, producer_id: \"<producer_id>\"}",
    );
    check("[{a: 2}, {a: 1}]", "[{a: 1}, {a: 2}]");
    check("[2, 1]", "[2, 1]");
    check("{member_id: \"e2e-1\"}", "{member_id: $id}");
    check("\"x-0f3a56be-0000-4000-8000-1234567890ab\"", "\"x-<uuid>\"");
    check("{error_message: \"no\", other: null}", "{error_message: \"<error_message>\", other: null}");
}
