//! What is wrong with bytes that do not decode, or with a message that does not encode, and where.
//!
//! Both errors are one pointer wide, so that results stay small; the path is put together only on the way out.

use std::fmt;

/// Bytes that are not the message they should be.
#[derive(Clone, PartialEq, Eq)]
pub struct DecodeError(Box<Fault<DecodeProblem>>);

/// A message that cannot be written in the version asked for.
#[derive(Clone, PartialEq, Eq)]
pub struct EncodeError(Box<Fault<EncodeProblem>>);

#[derive(Clone, PartialEq, Eq)]
struct Fault<P> {
    /// Like `FetchRequest.topics[2].partitions[0].fetch_offset`.
    path: String,
    position: usize,
    problem: P,
}

/// What was wrong with the bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeProblem {
    #[error("{needed} bytes are needed, {left} are left")]
    Truncated { needed: usize, left: usize },
    #[error("a varint does not end")]
    Varint,
    #[error("null stands where a value must")]
    Null,
    #[error("a string of {0} bytes is longer than any may be")]
    StringTooLong(usize),
    #[error("a string is not UTF-8")]
    NotUtf8,
    #[error("{count} elements cannot lie in the {left} bytes that are left")]
    TooManyElements { count: usize, left: usize },
    #[error("{needed} bytes of memory are needed, the budget has {left} left")]
    OverBudget { needed: usize, left: usize },
    #[error("tag {tag} says it takes {said} bytes, but takes {taken}")]
    TagSize { tag: u32, said: usize, taken: usize },
    #[error("version {0} does not exist")]
    UnknownVersion(i16),
}

/// What does not fit into the version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeProblem {
    #[error("version {0} does not exist")]
    UnknownVersion(i16),
    #[error("version {0} lacks this field, and its value would be lost")]
    NotInVersion(i16),
    #[error("this version has no null here")]
    Null,
    #[error("a length of {0} is more than the wire can say")]
    TooLong(usize),
}

impl<P> Fault<P> {
    fn within(&mut self, name: &str) {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{name}{dot}{}", self.path);
    }
}

impl DecodeError {
    #[cold]
    pub(crate) fn new(problem: DecodeProblem, position: usize) -> DecodeError {
        DecodeError(Box::new(Fault { path: String::new(), position, problem }))
    }

    #[cold]
    pub(crate) fn within(mut self, name: &str) -> DecodeError {
        self.0.within(name);
        self
    }

    #[cold]
    pub(crate) fn in_element(self, index: usize) -> DecodeError {
        self.within(&format!("[{index}]"))
    }

    pub fn problem(&self) -> &DecodeProblem {
        &self.0.problem
    }

    /// The field, from the message's name down.
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// Where reading stopped, in bytes from the start of the buffer.
    pub fn position(&self) -> usize {
        self.0.position
    }
}

impl EncodeError {
    #[cold]
    pub(crate) fn new(problem: EncodeProblem, position: usize) -> EncodeError {
        EncodeError(Box::new(Fault { path: String::new(), position, problem }))
    }

    #[cold]
    pub(crate) fn within(mut self, name: &str) -> EncodeError {
        self.0.within(name);
        self
    }

    #[cold]
    pub(crate) fn in_element(self, index: usize) -> EncodeError {
        self.within(&format!("[{index}]"))
    }

    pub fn problem(&self) -> &EncodeProblem {
        &self.0.problem
    }

    /// The field, from the message's name down.
    pub fn path(&self) -> &str {
        &self.0.path
    }
}

impl<P: fmt::Display> fmt::Display for Fault<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}: {}", self.path, self.position, self.problem)
    }
}

macro_rules! shows_its_fault {
    ($($error:ident),*) => {$(
        impl fmt::Display for $error {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
        impl fmt::Debug for $error {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($error), self.0)
            }
        }
        impl std::error::Error for $error {}
    )*};
}
shows_its_fault!(DecodeError, EncodeError);
