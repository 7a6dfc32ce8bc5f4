//! What is done to one key: set, deleted, appended to, subtracted from.

use metadata::configs::{ConfigKey, Kind, broker_key, client_metrics_key, group_key, topic_key};
use metadata::image::ConfigResource;
use protocol::wire::Str;

use super::super::refusal::Refusal;
use super::{invalid_config, invalid_request};
use crate::state::Values;

const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;

/// One key of a request.
pub(super) struct Operation<'a> {
    pub code: i8,
    pub name: &'a Str,
    pub value: Option<&'a Str>,
}

impl<'a> Operation<'a> {
    pub fn set(name: &'a Str, value: Option<&'a Str>) -> Operation<'a> {
        Operation { code: SET, name, value }
    }

    pub fn lacks_value(&self) -> bool {
        self.code != DELETE && self.value.is_none()
    }
}

/// The key of this name that such a resource may have.
pub(super) fn key_of(resource: &ConfigResource, name: &str) -> Option<&'static ConfigKey> {
    match resource {
        ConfigResource::Topic(_) => topic_key(name),
        ConfigResource::Broker(_) => broker_key(name),
        ConfigResource::Group(_) => group_key(name),
        ConfigResource::ClientMetrics(_) => client_metrics_key(name),
    }
}

/// The values after all operations.
pub(super) fn applied(
    mut values: Values,
    resource: &ConfigResource,
    operations: &[Operation],
) -> Result<Values, Refusal> {
    for Operation { code, name, value } in operations {
        let value = value.map_or("", |value| value);
        match *code {
            SET => drop(values.insert(name.to_string(), value.to_owned())),
            DELETE => drop(values.remove(&***name)),
            APPEND | SUBTRACT => {
                let list = changed_list(*code, resource, name, values.get(&***name), value)?;
                values.insert(name.to_string(), list);
            }
            other => return Err(invalid_request(&format!("Unknown operations type {other}"))),
        }
    }
    Ok(values)
}

/// A list starts from its default where nothing is set.
fn changed_list(
    code: i8,
    resource: &ConfigResource,
    name: &str,
    before: Option<&String>,
    value: &str,
) -> Result<String, Refusal> {
    let key = key_of(resource, name);
    if !key.is_some_and(|key| key.kind == Kind::List) {
        let verb = if code == APPEND { "APPEND" } else { "SUBTRACT" };
        return Err(invalid_config(format!("Can't {verb} to key {name} because its type is not LIST.")));
    }
    let before = before.map(String::as_str).or_else(|| key?.default()).unwrap_or_default();
    let mut entries: Vec<&str> = before.split(',').map(str::trim).filter(|entry| !entry.is_empty()).collect();
    for entry in value.split(',') {
        match code {
            APPEND if !entries.contains(&entry) => entries.push(entry),
            SUBTRACT => entries.retain(|known| *known != entry),
            _ => {}
        }
    }
    Ok(entries.join(","))
}
