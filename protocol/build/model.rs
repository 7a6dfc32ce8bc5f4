//! What a definition says, once read: messages, their structs, their fields. No text, no Rust.
//!
//! Version ranges are already cut to those of what encloses them, so `field.versions ⊆ struct.versions ⊆
//! message.versions` always holds, and no range is empty.

use std::fmt;
use std::path::PathBuf;

/// A definition that cannot be read, with where and why.
#[derive(Debug)]
pub struct Mistake {
    pub file: PathBuf,
    pub line: usize,
    pub why: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file.display(), self.line, self.why)
    }
}

/// An inclusive range of versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    pub first: i16,
    pub last: i16,
}

impl Versions {
    pub fn contains(self, version: i16) -> bool {
        (self.first..=self.last).contains(&version)
    }

    pub fn holds(self, other: Versions) -> bool {
        self.first <= other.first && other.last <= self.last
    }
}

/// One file: an API, a record type, or a message that stands alone.
#[derive(Debug)]
pub struct Definition {
    pub file: PathBuf,
    /// The comment on top of the file.
    pub about: Vec<String>,
    pub name: String,
    pub kind: Kind,
}

#[derive(Debug)]
pub enum Kind {
    Api { key: i16, request: Message, response: Message },
    Record { number: i16, key: Message, value: Message },
    Data(Message),
}

impl Definition {
    pub fn messages(&self) -> Vec<&Message> {
        match &self.kind {
            Kind::Api { request, response, .. } => vec![request, response],
            Kind::Record { key, value, .. } => vec![key, value],
            Kind::Data(message) => vec![message],
        }
    }
}

#[derive(Debug)]
pub struct Message {
    pub name: String,
    pub versions: Versions,
    /// The first version with compact lengths and tag sections.
    pub flexible_from: Option<i16>,
    /// The last version may still change, and is not for everyday use.
    pub latest_unstable: bool,
    /// The message itself comes first.
    pub structs: Vec<Struct>,
}

impl Message {
    pub fn is_flexible(&self, version: i16) -> bool {
        self.flexible_from.is_some_and(|first| version >= first)
    }

    pub fn find(&self, name: &str) -> Option<&Struct> {
        self.structs.iter().find(|found| found.name == name)
    }
}

#[derive(Debug)]
pub struct Struct {
    pub name: String,
    pub line: usize,
    pub versions: Versions,
    pub fields: Vec<Field>,
}

#[derive(Debug)]
pub struct Field {
    pub name: String,
    pub line: usize,
    pub of: Type,
    pub versions: Versions,
    /// Where null may stand; elsewhere it is refused.
    pub nullable: Option<Versions>,
    pub default: Option<String>,
    pub tag: Option<u32>,
    /// Left out in silence where a version lacks it.
    pub ignorable: bool,
    /// Identifies its element in the list.
    pub key: bool,
    /// Never compact, even in flexible versions.
    pub rigid: bool,
}

impl Field {
    pub fn default_is_null(&self) -> bool {
        self.default.as_deref() == Some("null")
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    Scalar(Scalar),
    Struct(String),
    Array(Box<Type>),
}

impl Type {
    /// The struct at the bottom of it, if there is one.
    pub fn struct_name(&self) -> Option<&str> {
        match self {
            Type::Scalar(_) => None,
            Type::Struct(name) => Some(name),
            Type::Array(element) => element.struct_name(),
        }
    }
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

impl Scalar {
    pub fn named(word: &str) -> Option<Scalar> {
        Some(match word {
            "bool" => Scalar::Bool,
            "int8" => Scalar::Int8,
            "int16" => Scalar::Int16,
            "uint16" => Scalar::Uint16,
            "int32" => Scalar::Int32,
            "uint32" => Scalar::Uint32,
            "int64" => Scalar::Int64,
            "float64" => Scalar::Float64,
            "uuid" => Scalar::Uuid,
            "string" => Scalar::Text,
            "bytes" => Scalar::Bytes,
            "records" => Scalar::Records,
            _ => return None,
        })
    }

    pub fn rust(self) -> &'static str {
        match self {
            Scalar::Bool => "bool",
            Scalar::Int8 => "i8",
            Scalar::Int16 => "i16",
            Scalar::Uint16 => "u16",
            Scalar::Int32 => "i32",
            Scalar::Uint32 => "u32",
            Scalar::Int64 => "i64",
            Scalar::Float64 => "f64",
            Scalar::Uuid => "Uuid",
            Scalar::Text => "Str",
            Scalar::Bytes => "Bytes",
            Scalar::Records => "RecordSet",
        }
    }

    /// The fewest bytes that one takes on the wire.
    pub fn least_size(self, flexible: bool) -> usize {
        match self {
            Scalar::Bool | Scalar::Int8 => 1,
            Scalar::Int16 | Scalar::Uint16 => 2,
            Scalar::Int32 | Scalar::Uint32 => 4,
            Scalar::Int64 | Scalar::Float64 => 8,
            Scalar::Uuid => 16,
            Scalar::Text | Scalar::Bytes | Scalar::Records if flexible => 1,
            Scalar::Text => 2,
            Scalar::Bytes | Scalar::Records => 4,
        }
    }

    pub fn may_be_null(self) -> bool {
        matches!(self, Scalar::Text | Scalar::Bytes | Scalar::Records)
    }
}
