//! One key of the table.

use super::allowed::Allowed;
use super::effect::{Effect, Told, When, is_as_good_as_default};
use super::error::InvalidValue;
use super::kind::Kind;
use super::value::Value;

/// A configuration key: its name, its type, what it allows and what it means.
#[derive(Clone, Debug)]
pub struct ConfigKey {
    pub name: &'static str,
    pub kind: Kind,
    default: Fallback,
    allowed: Allowed,
    pub dynamic: Dynamic,
    pub effect: Effect,
    /// Kafka's own tests and internals set it; it is described only where it is set.
    pub internal: bool,
    /// Of a topic's or group's key: the broker keys whose values hold where it is not set, the first that is set first.
    pub inherits: &'static [Inherited],
    /// One sentence, with the unit where the name does not say it.
    pub documentation: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fallback {
    Value(&'static str),
    /// Nothing: Kafka's null.
    Unset,
    /// The start fails where nothing is set.
    Required,
}

/// Whether a broker key can change while the broker runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dynamic {
    ReadOnly,
    /// For one broker.
    PerBroker,
    /// For one broker or for all.
    ClusterWide,
}

/// A broker key that another key inherits from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inherited {
    pub name: &'static str,
    /// Its value times this is the value of the heir.
    pub factor: i64,
}

pub(super) const fn key(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    allowed: Allowed,
    documentation: &'static str,
) -> ConfigKey {
    described(name, kind, Fallback::Value(default), allowed, documentation)
}

/// A key without a default.
pub(super) const fn unset(
    name: &'static str,
    kind: Kind,
    allowed: Allowed,
    documentation: &'static str,
) -> ConfigKey {
    described(name, kind, Fallback::Unset, allowed, documentation)
}

/// A key that must be set.
pub(super) const fn required(
    name: &'static str,
    kind: Kind,
    allowed: Allowed,
    documentation: &'static str,
) -> ConfigKey {
    described(name, kind, Fallback::Required, allowed, documentation)
}

const fn described(
    name: &'static str,
    kind: Kind,
    default: Fallback,
    allowed: Allowed,
    documentation: &'static str,
) -> ConfigKey {
    let (dynamic, effect, internal, inherits) = (Dynamic::ReadOnly, Effect::Full, false, &[]);
    ConfigKey { name, kind, default, allowed, dynamic, effect, internal, inherits, documentation }
}

/// All of these do nothing, but for those of which something else is said.
pub(super) const fn idle<const N: usize>(mut keys: [ConfigKey; N], why: &'static str) -> [ConfigKey; N] {
    let mut at = 0;
    while at < N {
        if matches!(keys[at].effect, Effect::Full) {
            keys[at].effect = Effect::None { why };
        }
        at += 1;
    }
    keys
}

pub(super) const fn same(name: &'static str) -> Inherited {
    Inherited { name, factor: 1 }
}

pub(super) const fn minutes(name: &'static str) -> Inherited {
    Inherited { name, factor: 60_000 }
}

pub(super) const fn hours(name: &'static str) -> Inherited {
    Inherited { name, factor: 3_600_000 }
}

impl ConfigKey {
    pub(super) const fn per_broker(self) -> ConfigKey {
        ConfigKey { dynamic: Dynamic::PerBroker, ..self }
    }

    pub(super) const fn cluster_wide(self) -> ConfigKey {
        ConfigKey { dynamic: Dynamic::ClusterWide, ..self }
    }

    pub(super) const fn internal(self) -> ConfigKey {
        ConfigKey { internal: true, ..self }
    }

    pub(super) const fn inherits(self, inherits: &'static [Inherited]) -> ConfigKey {
        ConfigKey { inherits, ..self }
    }

    /// It is known, and does nothing.
    pub(super) const fn idle(self, why: &'static str) -> ConfigKey {
        self.effect(Effect::None { why })
    }

    pub(super) const fn effect(self, effect: Effect) -> ConfigKey {
        ConfigKey { effect, ..self }
    }

    /// The default as Kafka writes it; `None` where there is none.
    pub fn default(&self) -> Option<&'static str> {
        match self.default {
            Fallback::Value(text) => Some(text),
            Fallback::Unset | Fallback::Required => None,
        }
    }

    /// Whether nothing can start without a value.
    pub fn is_required(&self) -> bool {
        self.default == Fallback::Required
    }

    /// Reads a value, if it is of the key's type and allowed.
    pub fn read(&self, text: &str) -> Result<Value, InvalidValue> {
        let value = self.kind.read(self.name, text)?;
        self.allowed.check(&value).map_err(|wrong| InvalidValue::new(self.name, &value, wrong))?;
        Ok(value)
    }

    /// What those hear who set the key to `text`, beside whether it is allowed.
    pub fn told(&self, text: &str, when: When) -> Told {
        let is_default = is_as_good_as_default(self.kind, text.trim(), self.default());
        self.read(text).map_or(Told::Nothing, |value| self.effect.told(&value, is_default, when))
    }

    /// What it says, and what of that is not so here.
    pub fn explained(&self) -> String {
        match self.effect {
            Effect::Full => self.documentation.to_owned(),
            effect => format!("{} In Milena: {effect}.", self.documentation),
        }
    }

    /// What the key allows, in words: "a number of at least 1", say.
    pub fn allowed(&self) -> String {
        let kind = match self.kind {
            Kind::Boolean => return "true or false".to_owned(),
            Kind::Short => "a whole number of 16 bits",
            Kind::Int => "a whole number of 32 bits",
            Kind::Long => "a whole number",
            Kind::Double => "a number",
            Kind::List => "a list with commas",
            Kind::Class => "the name of a class",
            Kind::Text | Kind::Password => "a text",
        };
        match self.allowed {
            Allowed::Any => kind.to_owned(),
            allowed => format!("{kind}, {allowed}"),
        }
    }
}
