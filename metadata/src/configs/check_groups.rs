//! Whether values may be set on a group: within the bounds that its broker keys set, `group.consumer.min.…` and
//! `group.consumer.max.…`, and whether these bounds lie around what they bound. Sessions outlast heartbeats.

use std::collections::BTreeMap;

use super::error::ConfigError;
use super::layers::{Layers, Source};
use super::table::{broker_key, group_key, group_keys};

/// The families of groups whose members have sessions.
const FAMILIES: [&str; 3] = ["consumer", "share", "streams"];
const STANDBYS: &str = "streams.num.standby.replicas";
const STANDBYS_MAX: &str = "group.streams.max.standby.replicas";

type Values = BTreeMap<String, String>;

/// Whether these may be all that is set on a group, where `layers` hold.
pub fn check_group(layers: Layers, values: &Values) -> Result<(), ConfigError> {
    if let Some(name) = values.keys().find(|name| group_key(name).is_none()) {
        return Err(ConfigError::UnknownGroupKey { name: name.clone() });
    }
    for (name, value) in values {
        if let Some(key) = group_key(name) {
            key.read(value)?;
        }
    }
    for key in group_keys().iter().filter(|key| values.contains_key(key.name)) {
        check_bounds(layers, values, key.name)?;
    }
    FAMILIES.into_iter().try_for_each(|family| check_session(layers, values, family))
}

fn check_bounds(layers: Layers, values: &Values, name: &str) -> Result<(), ConfigError> {
    let Some(value) = group_number(layers, values, name) else { return Ok(()) };
    let (min, max) = bounds_of(name);
    let is_beyond = |bound: &String, beyond: fn(&i64, &i64) -> bool| {
        broker_number(layers, bound).is_some_and(|bound| beyond(&value, &bound))
    };
    let name = name.to_owned();
    match (min.filter(|min| is_beyond(min, i64::lt)), max.filter(|max| is_beyond(max, i64::gt))) {
        (Some(bound), _) => Err(ConfigError::GroupBelow { name, bound }),
        (None, Some(bound)) => Err(ConfigError::GroupAbove { name, bound }),
        (None, None) => Ok(()),
    }
}

fn check_session(layers: Layers, values: &Values, family: &str) -> Result<(), ConfigError> {
    let (session, heartbeat) =
        (format!("{family}.session.timeout.ms"), format!("{family}.heartbeat.interval.ms"));
    let is_set = values.contains_key(&session) || values.contains_key(&heartbeat);
    let number = |name| group_number(layers, values, name);
    match (number(&session), number(&heartbeat)) {
        (Some(lasts), Some(beats)) if is_set && lasts <= beats => {
            Err(ConfigError::GroupSession { session, heartbeat })
        }
        _ => Ok(()),
    }
}

/// The first broker key of a group's that is not as its bounds have it, and what it must be.
pub fn misplaced_group_bound(layers: Layers) -> Option<(String, String)> {
    let bounds = group_keys().iter().find_map(|key| misplaced(layers, key.name));
    bounds.or_else(|| FAMILIES.into_iter().find_map(|family| short_session(layers, family)))
}

fn misplaced(layers: Layers, group_key: &str) -> Option<(String, String)> {
    let name = format!("group.{group_key}");
    let (min, max) = bounds_of(group_key);
    let number = |name: &str| broker_number(layers, name);
    let value = number(&name)?;
    if let Some(min) = min.filter(|min| number(min).is_some_and(|min| value < min)) {
        return Some((name, format!("at least {min}")));
    }
    let max = max.filter(|max| number(max).is_some_and(|max| value > max))?;
    Some((name, format!("at most {max}")))
}

fn short_session(layers: Layers, family: &str) -> Option<(String, String)> {
    let session = format!("group.{family}.session.timeout.ms");
    let heartbeat = format!("group.{family}.heartbeat.interval.ms");
    let beats = broker_number(layers, &heartbeat)?;
    (broker_number(layers, &session)? <= beats).then(|| (session, format!("more than {heartbeat}")))
}

/// The broker keys that bound a group's key, where there are any.
fn bounds_of(group_key: &str) -> (Option<String>, Option<String>) {
    match group_key {
        STANDBYS => (None, Some(STANDBYS_MAX.to_owned())),
        _ => (bound_of(group_key, "min"), bound_of(group_key, "max")),
    }
}

/// `consumer.session.timeout.ms` is bounded by `group.consumer.min.session.timeout.ms`.
fn bound_of(group_key: &str, side: &str) -> Option<String> {
    let (family, rest) = group_key.split_once('.')?;
    let name = format!("group.{family}.{side}.{rest}");
    broker_key(&name).map(|key| key.name.to_owned())
}

fn broker_number(layers: Layers, name: &str) -> Option<i64> {
    let key = broker_key(name)?;
    key.read(&layers.resolve_broker(key).value?).ok()?.as_number()
}

fn group_number(layers: Layers, values: &Values, name: &str) -> Option<i64> {
    let key = group_key(name)?;
    key.read(&layers.resolve(key, Some(values), Source::Group).value?).ok()?.as_number()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> Values {
        pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    }

    #[track_caller]
    fn check(statics: &[(&str, &str)], values: &[(&str, &str)], expected: &str) {
        let (none, statics) = (None, map(statics));
        let layers = Layers { dynamic_broker: none, dynamic_default: none, statics: &statics };
        let answer = check_group(layers, &map(values)).map_err(|error| error.to_string());
        assert_eq!(answer.err().unwrap_or_default(), expected);
    }

    #[test]
    fn a_group_stays_within_the_bounds_of_its_broker() {
        let session = "consumer.session.timeout.ms";
        check(&[], &[(session, "50000")], "");
        let (min, max) = ("group.consumer.min.session.timeout.ms", "group.consumer.max.session.timeout.ms");
        check(&[], &[(session, "1000")], &format!("{session} must be greater than or equal to {min}"));
        check(&[], &[(session, "70000")], &format!("{session} must be less than or equal to {max}"));
        check(&[("group.consumer.min.session.timeout.ms", "1000")], &[(session, "6000")], "");
        check(&[], &[("a.b", "1")], "Unknown group config name: a.b");
        check(&[], &[(STANDBYS, "3")], &format!("{STANDBYS} must be less than or equal to {STANDBYS_MAX}"));
        let lower = [("group.consumer.min.session.timeout.ms", "1000")];
        let shorter = "consumer.session.timeout.ms must be greater than consumer.heartbeat.interval.ms";
        check(&lower, &[(session, "5000")], shorter);
    }

    #[test]
    fn bounds_lie_around_what_they_bound() {
        let found = |pairs: &[(&str, &str)]| {
            let (none, statics) = (None, map(pairs));
            misplaced_group_bound(Layers { dynamic_broker: none, dynamic_default: none, statics: &statics })
        };
        assert_eq!(found(&[]), None);
        let session = "group.share.session.timeout.ms".to_owned();
        let at_most = "at most group.share.max.session.timeout.ms".to_owned();
        assert_eq!(found(&[(&session, "70000")]), Some((session, at_most)));
    }
}
