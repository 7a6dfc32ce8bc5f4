//! From a directory to a log: what was closed in order is taken at its word, the rest goes through recovery.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use protocol::types::Offset;

use super::delete::DeletedFiles;
use super::recovery::Recovery;
use super::{Log, LogConfig, LogError, Recovered, Unsynced};
use crate::failure::Described;
use crate::files::{FileCache, LogHome};

/// What the owner knows of a log that it opens.
#[derive(Clone, Debug)]
pub struct Opening {
    /// From `recovery-point-offset-checkpoint`: all below is on the disk.
    pub recovery_point: Offset,
    /// From `log-start-offset-checkpoint`.
    pub log_start_offset: Offset,
    /// Whether the log directory has the marker of a clean shutdown.
    pub clean: bool,
    pub now_ms: i64,
    /// Where the log's idle files are kept open; one for all logs of the process.
    pub files: Arc<FileCache>,
}

impl Log {
    /// Opens the log in `directory`, or makes an empty one there. What was not closed in order is verified from the
    /// recovery point on, and cut where it is torn or damaged.
    pub fn open(directory: &Path, config: LogConfig, opening: Opening) -> Result<(Log, Recovered), LogError> {
        fs::create_dir_all(directory).describe("create directory", directory)?;
        let home = LogHome::new(directory.to_owned(), opening.files.clone());
        let found = Recovery::begin(&home, &config, &opening)?.run()?;
        let log_start_offset = opening.log_start_offset.max(found.segments.first().base_offset);
        let changed = !found.was_clean;
        let mut log = Log {
            home,
            config,
            segments: found.segments,
            producers: found.producers,
            snapshots: found.snapshots,
            epochs: found.epochs,
            log_start_offset,
            log_end_offset: found.log_end_offset,
            recovery_point: found.recovery_point,
            written_back: None,
            first_gap: found.recovered.first_gap,
            unsynced: Unsynced { epochs: changed, directory: changed, snapshot: changed },
            truncations: 0,
            flush_in_flight: false,
            unflushed_since_ms: None,
            written_since_open: changed,
            deleted: DeletedFiles::default(),
            failed: false,
        };
        log.unsynced.epochs |= log.epochs.truncate_from_end(log.log_end_offset);
        log.unsynced.epochs |= log.epochs.truncate_from_start(log_start_offset);
        log.reserve_room();
        log.debug_assert_invariants();
        Ok((log, found.recovered))
    }
}
