//! What a key allows beyond its type, checked in Kafka's order and refused in Kafka's words.

use std::fmt;

use super::error::Wrong;
use super::value::Value;

/// A rule for the values of a key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Allowed {
    Any,
    Between {
        min: i64,
        max: i64,
    },
    Real {
        min: f64,
        max: f64,
    },
    /// From 1 to 9, or −1 for the codec's own default.
    GzipLevel,
    OneOf(&'static [&'static str]),
    OneOfIgnoringCase(&'static [&'static str]),
    NonEmpty,
    /// No entry twice and none empty; the list itself may be.
    AnyList,
    /// As `AnyList`, but not empty.
    SomeList,
    AnyOf(&'static [&'static str]),
    SomeOf(&'static [&'static str]),
    /// `partition:broker` each, or `*`.
    ThrottledReplicas,
    /// `latest`, `earliest`, or `by_duration:` and an ISO 8601 duration.
    OffsetReset,
}

pub(super) const fn at_least(min: i64) -> Allowed {
    Allowed::Between { min, max: i64::MAX }
}

pub(super) const fn between(min: i64, max: i64) -> Allowed {
    Allowed::Between { min, max }
}

pub(super) const fn real(min: f64, max: f64) -> Allowed {
    Allowed::Real { min, max }
}

pub(super) const fn one_of(values: &'static [&'static str]) -> Allowed {
    Allowed::OneOf(values)
}

pub(super) const fn one_of_ignoring_case(values: &'static [&'static str]) -> Allowed {
    Allowed::OneOfIgnoringCase(values)
}

pub(super) const fn any_of(values: &'static [&'static str]) -> Allowed {
    Allowed::AnyOf(values)
}

pub(super) const fn some_of(values: &'static [&'static str]) -> Allowed {
    Allowed::SomeOf(values)
}

impl Allowed {
    pub fn check(self, value: &Value) -> Result<(), Wrong> {
        match (self, value) {
            (Allowed::Between { min, .. }, Value::Number(n)) if *n < min => Err(Wrong::below(min)),
            (Allowed::Between { max, .. }, Value::Number(n)) if *n > max => Err(Wrong::above(max)),
            (Allowed::Real { min, .. }, Value::Real(n)) if *n < min => Err(Wrong::below(min)),
            (Allowed::Real { max, .. }, Value::Real(n)) if *n > max => Err(Wrong::above(max)),
            (Allowed::GzipLevel, Value::Number(n)) if *n != -1 && !(1..=9).contains(n) => {
                Err(Wrong::GzipLevel)
            }
            (Allowed::OneOf(values), Value::Text(text)) if !values.contains(&text.as_str()) => {
                Err(Wrong::NotOneOf { values })
            }
            (Allowed::OneOfIgnoringCase(values), Value::Text(text))
                if !contains_ignoring_case(values, text) =>
            {
                Err(Wrong::NotOneOfIgnoringCase { values })
            }
            (Allowed::NonEmpty, Value::Text(text)) if text.is_empty() => Err(Wrong::Empty),
            (Allowed::AnyList, Value::List(entries)) => check_entries(entries, None),
            (Allowed::SomeList, Value::List(entries)) if entries.is_empty() => {
                Err(Wrong::EmptyList { values: None })
            }
            (Allowed::SomeList, Value::List(entries)) => check_entries(entries, None),
            (Allowed::SomeOf(values), Value::List(entries)) if entries.is_empty() => {
                Err(Wrong::EmptyList { values: Some(values) })
            }
            (Allowed::AnyOf(values) | Allowed::SomeOf(values), Value::List(entries)) => {
                check_entries(entries, Some(values))
            }
            (Allowed::ThrottledReplicas, Value::List(entries)) if !throttled_replicas(entries) => {
                Err(Wrong::ThrottledReplicas)
            }
            (Allowed::OffsetReset, Value::Text(text)) if !is_offset_reset(text) => Err(Wrong::OffsetReset),
            _ => Ok(()),
        }
    }
}

fn contains_ignoring_case(values: &[&str], text: &str) -> bool {
    values.iter().any(|value| value.eq_ignore_ascii_case(text))
}

fn check_entries(entries: &[String], values: Option<&'static [&'static str]>) -> Result<(), Wrong> {
    let twice = |(at, entry): (usize, &String)| entries[..at].contains(entry);
    if entries.iter().enumerate().any(twice) {
        return Err(Wrong::Duplicates);
    }
    for entry in entries {
        if entry.is_empty() {
            return Err(Wrong::EmptyEntry);
        }
        if let Some(values) = values.filter(|values| !values.contains(&entry.as_str())) {
            return Err(Wrong::EntryNotOneOf { entry: entry.clone(), values });
        }
    }
    Ok(())
}

fn throttled_replicas(entries: &[String]) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_replica = |entry: &String| {
        entry.split_once(':').is_some_and(|(partition, broker)| is_number(partition) && is_number(broker))
    };
    entries == ["*"] || entries.iter().all(is_replica)
}

fn is_offset_reset(text: &str) -> bool {
    let text = text.to_lowercase();
    match text.strip_prefix("by_duration:") {
        Some(duration) => is_iso_duration(duration),
        None => text == "latest" || text == "earliest",
    }
}

/// `PnDTnHnMn.nS` with at least one part, not negative.
fn is_iso_duration(text: &str) -> bool {
    let Some(text) = text.strip_prefix('p') else { return false };
    let (days, time) = match text.split_once('t') {
        Some((days, time)) if !time.is_empty() => (days, time),
        Some(_) => return false,
        None => (text, ""),
    };
    let parts = parts_in_order(days, "d").and_then(|days| Some(days + parts_in_order(time, "hms")?));
    parts.is_some_and(|parts| parts > 0)
}

/// How many numbers with units there are, if that is all and the units come in order.
fn parts_in_order(mut text: &str, mut units: &str) -> Option<usize> {
    let mut parts = 0;
    while !text.is_empty() {
        let end = text.find(|c: char| c.is_ascii_alphabetic())?;
        let (number, rest) = text.split_at(end);
        let unit = rest.chars().next()?;
        let at = units.find(unit)?;
        number.parse::<f64>().ok().filter(|number| *number >= 0.0)?;
        (text, units) = (&rest[1..], &units[at + 1..]);
        parts += 1;
    }
    Some(parts)
}

/// In words, for those who set something else.
impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Allowed::Any => f.write_str("any"),
            Allowed::Between { min: i64::MIN, max } => write!(f, "at most {max}"),
            Allowed::Between { min, max: i64::MAX } => write!(f, "at least {min}"),
            Allowed::Between { min, max } => write!(f, "from {min} to {max}"),
            Allowed::Real { min, max: f64::INFINITY } => write!(f, "at least {min}"),
            Allowed::Real { min, max } => write!(f, "from {min} to {max}"),
            Allowed::GzipLevel => f.write_str("from 1 to 9, or -1"),
            Allowed::OneOf(values) => write!(f, "one of {}", values.join(", ")),
            Allowed::OneOfIgnoringCase(values) => write!(f, "one of {}, in any case", values.join(", ")),
            Allowed::NonEmpty => f.write_str("not empty"),
            Allowed::AnyList => f.write_str("no entry twice"),
            Allowed::SomeList => f.write_str("at least one entry, none twice"),
            Allowed::AnyOf(values) => write!(f, "of {}", values.join(", ")),
            Allowed::SomeOf(values) => write!(f, "at least one of {}", values.join(", ")),
            Allowed::ThrottledReplicas => f.write_str("of partition:broker, or *"),
            Allowed::OffsetReset => f.write_str("latest, earliest, or by_duration: and an ISO duration"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_at_least_one_part_and_its_units_in_order() {
        for good in ["pt1h", "p1d", "p1dt2h3m4.5s", "pt0.5s"] {
            assert!(is_iso_duration(good), "{good}");
        }
        for bad in ["", "p", "pt", "p1dt", "1h", "pt1m1h", "ptxh", "pt-1h", "p1y"] {
            assert!(!is_iso_duration(bad), "{bad}");
        }
    }
}
