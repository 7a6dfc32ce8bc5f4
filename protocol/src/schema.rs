//! What the definitions under `messages/` say, as tables, for tests that read and write messages field by field without
//! knowing them. Not part of a release.

use std::ops::RangeInclusive;

/// A message; its own struct comes first.
#[derive(Debug)]
pub struct Message {
    pub name: &'static str,
    pub versions: RangeInclusive<i16>,
    /// The first version with compact lengths and tag sections.
    pub flexible_from: i16,
    pub structs: &'static [Struct],
}

#[derive(Debug)]
pub struct Struct {
    pub name: &'static str,
    pub fields: &'static [Field],
}

#[derive(Debug)]
pub struct Field {
    pub name: &'static str,
    pub of: Type,
    pub versions: RangeInclusive<i16>,
    /// Where null may stand.
    pub nullable: Option<RangeInclusive<i16>>,
    /// As it is written; without one it is 0, false or empty.
    pub default: Option<&'static str>,
    pub tag: Option<u32>,
    /// Identifies its element in the list.
    pub key: bool,
    /// Never compact, even in flexible versions.
    pub rigid: bool,
}

#[derive(Debug)]
pub enum Type {
    Scalar(Scalar),
    /// By its name within the message.
    Struct(&'static str),
    Array(&'static Type),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar {
    Bool,
    Int8,
    Int16,
    Uint16,
    Int32,
    Uint32,
    Int64,
    Float64,
    Uuid,
    Text,
    Bytes,
    Records,
}

impl Message {
    /// The message of this name, like `FetchRequest`.
    pub fn named(name: &str) -> Option<&'static Message> {
        MESSAGES.iter().find(|message| message.name == name)
    }

    pub fn find(&self, name: &str) -> Option<&'static Struct> {
        self.structs.iter().find(|found| found.name == name)
    }
}

include!(concat!(env!("OUT_DIR"), "/schema.rs"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_found_with_its_structs_and_their_fields() {
        let message = Message::named("FetchRequest").expect("it is defined");
        assert_eq!((message.versions.clone(), message.flexible_from), (4..=18, 12));
        let topic = message.find("FetchTopic").expect("it is part of it");
        let id = topic.fields.iter().find(|field| field.name == "topic_id").expect("it has one");
        assert!(matches!(id.of, Type::Scalar(Scalar::Uuid)) && id.versions == (13..=18));
    }
}
