//! Every key that was set, used by the broker or not: bad values stop the start, and so does what would be unsafe to
//! ignore; of what has no effect it warns.

use metadata::configs::{Kind, Layers, Told, When, broker_key, misplaced_group_bound};
use node::properties::{BadValue, Origin, Properties};

use super::{ConfigError, statics};

/// How the keys of the store before KRaft begin.
const ZOOKEEPER: &str = "zookeeper.";

/// Refuses the first value that its key does not allow, and warns of each key without effect that somebody has set.
pub(super) fn check(properties: &Properties) -> Result<(), ConfigError> {
    for (name, value) in properties.iter() {
        let idle = check_one(properties, name, value.text.trim())?;
        if let Some(why) = idle.filter(|_| value.origin != Origin::Default) {
            tracing::warn!(key = name, "has no effect: {why} (set by {})", value.origin);
        }
    }
    let statics = statics(properties);
    let layers = Layers { dynamic_broker: None, dynamic_default: None, statics: &statics };
    match misplaced_group_bound(layers) {
        Some((key, allowed)) => Err(properties.refuse(&key, allowed).into()),
        None => Ok(()),
    }
}

/// Why a key that was set does nothing, if that is so.
fn check_one(properties: &Properties, name: &str, text: &str) -> Result<Option<&'static str>, BadValue> {
    let Some(key) = broker_key(name) else {
        let gone = name.starts_with(ZOOKEEPER);
        return Ok(Some(if gone { "metadata is kept in metadata.store" } else { "no such key is known" }));
    };
    if key.read(text).is_err() {
        return Err(properties.refuse(name, key.allowed()));
    }
    match key.told(text, When::Start) {
        Told::Refusal(why) => {
            let allowed = format!("nothing ({why}, and to go on without this would be unsafe)");
            Err(properties.refuse(name, allowed))
        }
        Told::Warning(why) => Ok(Some(why)),
        Told::Nothing if key.kind == Kind::Class && !text.is_empty() && key.default() != Some(text) => {
            Ok(Some("Java classes cannot be loaded"))
        }
        Told::Nothing => Ok(None),
    }
}
