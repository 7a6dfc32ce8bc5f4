//! The files of one log: how they are named, where they lie, and how they are open without holding a descriptor each.

mod cache;
mod names;
mod segment_file;
mod vectored;

pub use cache::FileCache;
pub(crate) use names::{FileKind, FileName, Marker};
pub use segment_file::SegmentFile;
pub(crate) use segment_file::{LogHome, remove_if_there};
pub(crate) use vectored::write_all_vectored;
