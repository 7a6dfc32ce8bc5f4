//! The sparse indexes of one segment: offset → position, timestamp → offset, and its aborted transactions.
//!
//! * `entries`: the bytes of an entry, and how entries grow. Pure.
//! * `file`: entries on the disk and in memory, searched.
//! * `transactions`: the aborted transactions.

mod entries;
mod file;
mod transactions;

pub(crate) use entries::{OffsetEntry, TimeEntry};
pub(crate) use file::IndexFile;
pub use transactions::AbortedTransaction;
pub(crate) use transactions::TransactionIndex;
