//! `.directory.id`: the identity of a log directory that belongs to no cluster yet.
//!
//! A broker tells its directories' ids when it registers, before it learns which cluster it is in; `meta.properties`, where
//! the id belongs, is not understood by Apache Kafka without a `cluster.id`. Until it can be written the id stands here, so
//! that a broker which is killed meanwhile comes back with the directory that it had told of (safety rule 7). Apache Kafka
//! pays no attention to the file.

use std::fs;
use std::io::ErrorKind;

use protocol::types::Uuid;

use super::LogDir;
use crate::durable::{remove_durably, write_atomically};
use crate::failure::IoFailure;

const FILE_NAME: &str = ".directory.id";

impl LogDir {
    /// The id that was given before there was a cluster. What cannot be understood is none: nothing was ever kept under it.
    pub fn read_unsettled_id(&self) -> Result<Option<Uuid>, IoFailure> {
        let path = self.path.join(FILE_NAME);
        match fs::read(&path) {
            Ok(bytes) => Ok(str::from_utf8(&bytes).ok().and_then(|text| text.trim().parse().ok())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(IoFailure { action: "read", path, source }),
        }
    }

    /// Gives the directory an id, durably.
    pub fn write_unsettled_id(&self, id: Uuid) -> Result<(), IoFailure> {
        write_atomically(&self.path.join(FILE_NAME), format!("{id}\n").as_bytes())
    }

    /// `meta.properties` has the id now, or it is given up.
    pub fn remove_unsettled_id(&self) -> Result<(), IoFailure> {
        remove_durably(&self.path.join(FILE_NAME))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_reads_back_until_it_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let dir = LogDir::open(folder.path()).unwrap();
        assert_eq!(dir.read_unsettled_id().unwrap(), None);
        dir.write_unsettled_id(Uuid([7; 16])).unwrap();
        assert_eq!(dir.read_unsettled_id().unwrap(), Some(Uuid([7; 16])));
        fs::write(folder.path().join(FILE_NAME), [0xff; 4]).unwrap();
        assert_eq!(dir.read_unsettled_id().unwrap(), None);
        dir.remove_unsettled_id().unwrap();
        dir.remove_unsettled_id().unwrap();
        assert_eq!(dir.read_unsettled_id().unwrap(), None);
    }
}
