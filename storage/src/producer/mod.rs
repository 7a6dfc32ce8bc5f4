//! What a log remembers of its producers: it makes retries harmless (safety rule 9) and knows which transactions are
//! open (safety rule 10). Pure: state and batch headers in, verdicts out; the log writes, reads and replays.
//!
//! * `entry`: one producer: epoch, the last five batches, the open transaction.
//! * `check`: whether a batch fits its producer's state.
//! * `transactions`: which transactions are open, and which are ended but not yet replicated.
//! * `state`: all producers of a log.
//! * `snapshot`: the bytes of a `.snapshot` file. * `earlier`: the batches before those that it has.

mod check;
mod earlier;
mod entry;
#[cfg(test)]
mod sample;
mod snapshot;
mod state;
mod transactions;

pub use check::{AppendOrigin, ProducerError};
pub(crate) use earlier::EarlierBatches;
pub use entry::{BATCHES_REMEMBERED, BatchMetadata, ProducerEntry};
pub use snapshot::SnapshotError;
pub use state::ProducerState;
pub(crate) use state::{AppendedBatch, ProducerUpdates, Verdict};
