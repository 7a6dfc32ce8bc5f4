//! The newest that this broker has seen of its cluster, kept beside its logs across restarts.
//!
//! Without it a metadata store that was restored from an older backup would be believed. The file is JSON, so that a
//! person can read it.

use std::path::{Path, PathBuf};

use metadata::image::ClusterImage;
use parking_lot::Mutex;
use serde_json::{Value, json};
use storage::IoFailure;

/// The file in the first log directory.
const FILE: &str = "cluster-seen-checkpoint";

/// What was seen, newest of each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Newest {
    /// Empty before the first push.
    pub cluster_id: String,
    /// Of what follows; a later timeline begins all of it anew.
    pub timeline: i64,
    pub controller_epoch: i32,
    /// Create revision of that controller's key; 0: not known.
    pub controller_fence: i64,
    pub metadata_revision: i64,
}

/// The file and what it holds or should hold.
#[derive(Debug)]
pub struct Seen {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    newest: Newest,
    saved: Newest,
}

/// The file cannot be read for what it is.
#[derive(Debug, thiserror::Error)]
pub enum SeenError {
    #[error("cannot read {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{} is damaged: {what}; remove it only if the cluster's metadata was not restored from a backup", path.display())]
    Damaged { path: PathBuf, what: String },
}

impl Newest {
    /// Takes note of an image.
    pub fn take(&mut self, image: &ClusterImage) {
        if self.cluster_id != image.cluster_id {
            self.cluster_id.clone_from(&image.cluster_id);
        }
        if image.timeline > self.timeline {
            let cluster_id = std::mem::take(&mut self.cluster_id);
            *self = Newest { cluster_id, timeline: image.timeline, ..Newest::default() };
        }
        if image.controller_epoch >= self.controller_epoch {
            (self.controller_epoch, self.controller_fence) = (image.controller_epoch, image.controller_fence);
        }
        self.metadata_revision = self.metadata_revision.max(image.revision);
    }

    /// Whether an image of another controller was seen since: that is to be saved at once.
    pub fn is_of_the_same_controller(&self, other: &Newest) -> bool {
        self.cluster_id == other.cluster_id
            && (self.timeline, self.controller_epoch, self.controller_fence)
                == (other.timeline, other.controller_epoch, other.controller_fence)
    }
}

impl Seen {
    /// Reads what was seen before from this log directory; nothing, where there is no file.
    pub fn open(log_dir: &Path) -> Result<Seen, SeenError> {
        let path = log_dir.join(FILE);
        let newest = match std::fs::read(&path) {
            Ok(bytes) => parse(&bytes).map_err(|what| SeenError::Damaged { path: path.clone(), what })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Newest::default(),
            Err(source) => return Err(SeenError::Unreadable { path, source }),
        };
        Ok(Seen { path, state: Mutex::new(State { saved: newest.clone(), newest }) })
    }

    /// The newest that was seen.
    pub fn newest(&self) -> Newest {
        self.state.lock().newest.clone()
    }

    /// Takes note of an image. Whether it should be saved at once: revisions alone may wait a little.
    pub(super) fn note(&self, image: &ClusterImage) -> bool {
        let mut state = self.state.lock();
        let state = &mut *state;
        state.newest.take(image);
        !state.newest.is_of_the_same_controller(&state.saved)
    }

    /// Writes what is not written yet. A failure is logged and tried again with the next call.
    pub(super) async fn save(&self) {
        let newest = self.newest();
        if newest == self.state.lock().saved {
            return;
        }
        let (path, text) = (self.path.clone(), render(&newest));
        let written =
            tokio::task::spawn_blocking(move || storage::durable::write_atomically(&path, text.as_bytes()));
        match written.await {
            Ok(Ok(())) => self.state.lock().saved = newest,
            Ok(Err(error)) => warn(&error),
            Err(error) => tracing::warn!("what was seen of the cluster was not saved: {error}"),
        }
    }
}

fn warn(error: &IoFailure) {
    tracing::warn!("what was seen of the cluster was not saved: {error}");
}

fn render(newest: &Newest) -> String {
    let Newest { cluster_id, timeline, controller_epoch, controller_fence, metadata_revision } = newest;
    let value = json!({
        "cluster_id": cluster_id, "timeline": timeline, "controller_epoch": controller_epoch,
        "controller_fence": controller_fence, "metadata_revision": metadata_revision,
    });
    format!("{value}\n")
}

fn parse(bytes: &[u8]) -> Result<Newest, String> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let number = |key: &str| value[key].as_i64().ok_or_else(|| format!("no number {key}"));
    let cluster_id = value["cluster_id"].as_str().ok_or("no text cluster_id")?.to_owned();
    let controller_epoch =
        number("controller_epoch")?.try_into().map_err(|_| "controller_epoch is out of range")?;
    // Files of an earlier release have neither of these.
    let (timeline, controller_fence) =
        (number("timeline").unwrap_or(0), number("controller_fence").unwrap_or(0));
    let metadata_revision = number("metadata_revision")?;
    Ok(Newest { cluster_id, timeline, controller_epoch, controller_fence, metadata_revision })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty_dir(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("milena-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("the temporary directory is writable");
        dir
    }

    #[tokio::test]
    async fn what_was_seen_is_read_back_and_never_goes_back() {
        let dir = empty_dir("seen");
        let seen = Seen::open(&dir).expect("opens");
        let image = |timeline, controller_epoch, revision| ClusterImage {
            cluster_id: "cluster".into(),
            timeline,
            controller_epoch,
            controller_fence: 10,
            revision,
            ..ClusterImage::default()
        };
        assert!(seen.note(&image(0, 7, 100)), "a new cluster is to be saved at once");
        seen.save().await;
        assert!(!seen.note(&image(0, 6, 90)), "nothing newer");
        assert!(!seen.note(&image(0, 7, 200)), "a revision may wait");
        seen.save().await;
        let read = || {
            let newest = Seen::open(&dir).expect("opens").newest();
            (newest.timeline, newest.controller_epoch, newest.controller_fence, newest.metadata_revision)
        };
        assert_eq!(read(), (0, 7, 10, 200));
        assert!(seen.note(&image(1, 2, 50)), "a later timeline begins anew");
        seen.save().await;
        assert_eq!(read(), (1, 2, 10, 50));
        std::fs::remove_dir_all(dir).expect("is ours");
    }

    #[test]
    fn a_damaged_file_is_refused_with_its_name() {
        let dir = empty_dir("seen-damaged");
        std::fs::write(dir.join(FILE), b"{\"cluster_id\":7}").expect("writes");
        let error = Seen::open(&dir).expect_err("is damaged").to_string();
        assert!(error.contains(FILE) && error.contains("cluster_id"), "{error}");
        std::fs::remove_dir_all(dir).expect("is ours");
    }
}
