//! Files that survive a crash: an append file of checksummed records, and whole files replaced in one step.
//!
//! The embedded metadata store and every checkpoint of this crate stand on them.

mod append_file;
mod atomic;

pub use append_file::{AppendFile, AppendFileError, MAX_RECORD_BYTES};
pub(crate) use atomic::Staged;
pub use atomic::{remove_durably, sync_dir, sync_file_system, write_atomically};
