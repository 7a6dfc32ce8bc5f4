//! Committed offsets: what they are, who changes them, who reads them, and when they expire.
//!
//! Invariant: the offsets in memory are exactly what a reader of the log's committed part would have, because a change is
//! applied when its record is committed and by the same code that replays the log. What is on its way is known only by
//! its keys (`in_flight`), so that a deletion does not overlook it.

mod commit;
mod committed;
mod delete;
mod expire;
mod fetch;
mod in_flight;
mod transactions;

pub use self::commit::{CommitCall, OffsetsChanged};
pub use self::committed::{CommittedOffset, GroupOffsets, OffsetKey};
pub use self::delete::{DeleteOffsetsCall, DeletedTopic};
pub use self::fetch::FetchCall;
pub use self::in_flight::InFlightOffsets;
pub use self::transactions::OpenTransactions;
