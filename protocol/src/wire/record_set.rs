//! The records of one partition in a Produce or Fetch: bytes at hand, or a promise of bytes that lie in a file.

use bytes::Bytes;

/// Record batches as they lie in the log, one after another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordSet {
    /// A slice of the receive buffer, or bytes to be copied into the response.
    Bytes(Bytes),
    /// `length` bytes that the network sends in their place, without their passing through memory. The writer leaves
    /// a [`super::Gap`] that bears the `token`.
    Elsewhere { length: u32, token: u32 },
}

impl RecordSet {
    /// How many bytes there are, here or elsewhere.
    pub fn len(&self) -> usize {
        match self {
            RecordSet::Bytes(bytes) => bytes.len(),
            RecordSet::Elsewhere { length, .. } => *length as usize,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes, if they are at hand; a decoded message has them always.
    pub fn bytes(&self) -> Option<&Bytes> {
        match self {
            RecordSet::Bytes(bytes) => Some(bytes),
            RecordSet::Elsewhere { .. } => None,
        }
    }
}

impl Default for RecordSet {
    fn default() -> RecordSet {
        RecordSet::Bytes(Bytes::new())
    }
}

impl From<Bytes> for RecordSet {
    fn from(bytes: Bytes) -> RecordSet {
        RecordSet::Bytes(bytes)
    }
}
