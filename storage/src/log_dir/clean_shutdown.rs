//! `.kafka_cleanshutdown`: says that the directory was closed in order, and under which broker epoch (safety rule 7).
//!
//! The file is Kafka's: `{"version":0,"brokerEpoch":42}`. It is removed, durably, before the broker registers.

use std::fs;

use serde::Deserialize;

use super::LogDir;
use crate::durable::{remove_durably, write_atomically};
use crate::failure::IoFailure;

const FILE_NAME: &str = ".kafka_cleanshutdown";

/// A marker that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CleanShutdown {
    /// `None` where an older Kafka left an empty marker: the logs are whole, but nobody may be trusted by it.
    pub broker_epoch: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    broker_epoch: i64,
}

impl LogDir {
    /// The marker, if the last owner stopped cleanly.
    pub fn read_clean_shutdown(&self) -> Result<Option<CleanShutdown>, IoFailure> {
        let path = self.path.join(FILE_NAME);
        match fs::read(&path) {
            Ok(bytes) => {
                let content: Option<Content> = serde_json::from_slice(&bytes).ok();
                Ok(Some(CleanShutdown { broker_epoch: content.map(|content| content.broker_epoch) }))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(IoFailure { action: "read", path, source }),
        }
    }

    /// Marks the directory as closed; every log in it must have been.
    pub fn write_clean_shutdown(&self, broker_epoch: i64) -> Result<(), IoFailure> {
        let content = format!(r#"{{"version":0,"brokerEpoch":{broker_epoch}}}"#);
        write_atomically(&self.path.join(FILE_NAME), content.as_bytes())
    }

    /// Removes the marker so that it stays away after a crash.
    pub fn remove_clean_shutdown(&self) -> Result<(), IoFailure> {
        remove_durably(&self.path.join(FILE_NAME))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marker_carries_the_broker_epoch_and_goes_away() {
        let directory = tempfile::tempdir().unwrap();
        let log_dir = LogDir::open(directory.path()).unwrap();
        assert_eq!(log_dir.read_clean_shutdown().unwrap(), None);
        log_dir.write_clean_shutdown(42).unwrap();
        assert_eq!(log_dir.read_clean_shutdown().unwrap(), Some(CleanShutdown { broker_epoch: Some(42) }));
        fs::write(directory.path().join(FILE_NAME), "").unwrap();
        assert_eq!(log_dir.read_clean_shutdown().unwrap(), Some(CleanShutdown { broker_epoch: None }));
        log_dir.remove_clean_shutdown().unwrap();
        assert_eq!(log_dir.read_clean_shutdown().unwrap(), None);
    }
}
