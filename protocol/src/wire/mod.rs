//! How Kafka's types lie in bytes. Messages themselves are defined under `messages/` and generated.
//!
//! | file | what |
//! |-|-|
//! | `reader` | takes a received buffer apart, within a budget |
//! | `writer` | builds a buffer, with gaps for records that lie in files |
//! | `field` | numbers, strings, bytes, arrays and what may be null |
//! | `structure` | structs with their tag sections |
//! | `message` | whole messages and their versions |
//! | `text`, `record_set` | a string that borrows from its buffer; records here or elsewhere |
//! | `error` | what was wrong, and where |
//!
//! Invariants: a decoder never panics, never allocates before it has checked a length against what is left, and never
//! allocates more than its budget. Nesting is bounded by the definitions, which cannot recurse.

mod error;
mod field;
mod message;
mod reader;
mod record_set;
mod structure;
mod text;
mod varint;
mod writer;

pub use error::{DecodeError, DecodeProblem, EncodeError, EncodeProblem};
pub use field::{Field, Nullable};
pub use message::{Message, RecordKey, Request};
pub use reader::Reader;
pub use record_set::RecordSet;
pub use structure::{Struct, TagSection};
pub use text::Str;
pub use writer::{Encoded, Gap, Writer};

/// In which shape a value lies on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// The version of the message.
    pub version: i16,
    /// Compact lengths and tag sections (KIP-482).
    pub flexible: bool,
}

impl Format {
    /// The same version without compact lengths.
    pub fn rigid(self) -> Format {
        Format { flexible: false, ..self }
    }
}

/// What the generated modules stand on.
pub(crate) mod generated {
    pub use std::ops::RangeInclusive;

    pub use bytes::Bytes;

    pub use super::structure::is_some_default;
    pub use super::{
        DecodeError, EncodeError, Format, Message, Reader, RecordKey, RecordSet, Request, Str, Struct,
        TagSection, Writer,
    };
    pub use crate::types::Uuid;
}
