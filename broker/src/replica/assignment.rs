//! Follows the image: replicas come, take their roles and configurations, and go.
//!
//! Runs before the image is published, so that a client that was told of a partition finds it here.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use metadata::configs::{Layers, broker_key};
use metadata::image::{ClusterImage, ConfigResource, PartitionImage, TopicImage};
use protocol::types::{LeaderEpoch, Offset, Uuid};
use storage::TopicPartition;
use storage::log::{Log, LogConfig, Opening};
use storage::log_dir::{remove_partition_dir, write_partition_metadata};

use super::Replicas;
use super::errors::PartitionError;
use super::hosted::Replica;
use super::log_dirs::ReplicaDir;
use super::partition::Partition;
use super::removal::Fate;
use super::retries::Unopened;
use super::succession::Heir;
use crate::api::wall_clock_ms;

impl Replicas {
    /// Brings the replicas in line with the new image. `old` is the one before, of revision 0 at first.
    /// Once the logs are closed there is nothing to bring in line any more.
    pub fn apply(&self, old: &ClusterImage, new: &ClusterImage) {
        self.apply_at(old, new, Instant::now());
    }

    /// As [`Replicas::apply`], at a time of the caller's: leader epochs that begin by it begin then.
    pub fn apply_at(&self, old: &ClusterImage, new: &ClusterImage, now: Instant) {
        let closed = self.closed.lock();
        if *closed {
            return;
        }
        for dir in &self.dirs {
            if let Err(error) = dir.settle_in(&new.cluster_id) {
                tracing::error!("{error}");
                self.close_dir(dir);
            }
        }
        self.remove_departed(old, new);
        self.forget_stranded(new);
        let defaults_changed = defaults_changed(self.broker, old, new);
        for (name, topic) in &new.topics {
            let same_topic = old.topics.get(name).is_some_and(|before| Arc::ptr_eq(before, topic));
            let same_config = same_config(old, new, &ConfigResource::Topic(name.clone()));
            if same_topic && same_config && !defaults_changed {
                continue;
            }
            self.apply_topic(old, new, topic, now);
        }
    }

    fn apply_topic(&self, old: &ClusterImage, new: &ClusterImage, topic: &TopicImage, now: Instant) {
        let config = self.topic_log_config(new, &topic.name);
        for (index, state) in topic.partitions.iter().enumerate() {
            let Some(position) = state.replicas.iter().position(|&replica| replica == self.broker) else {
                continue;
            };
            let Ok(index) = i32::try_from(index) else { continue };
            let at = TopicPartition::new(topic.name.as_str(), index);
            let wanted_dir = state.directories.get(position).copied().unwrap_or(Uuid::ZERO);
            let partition = match self.hosted_replica(&at, topic.id) {
                Some(partition) => partition,
                None if self.misses_dir() && !self.is_new(old, topic.id, index, state) => {
                    self.strand(topic.id, index);
                    continue;
                }
                None => self.create(&at, topic.id, self.place(new, wanted_dir), &config),
            };
            partition.configure(&config);
            partition.assume(state, now);
        }
    }

    /// The replica that is here already; one whose directory did not know its topic id learns it.
    fn hosted_replica(&self, at: &TopicPartition, topic_id: Uuid) -> Option<Arc<Partition>> {
        let Replica { topic_id: id, partition } =
            self.hosted.read().replica(&at.topic, at.partition)?.clone();
        if id != topic_id {
            let path = partition.dir.dir.partition_path(at);
            if let Err(error) = write_partition_metadata(&path, topic_id) {
                tracing::error!(partition = %at, "the topic id can't be kept: {error}");
            }
            self.hosted.write().insert(topic_id, partition.clone());
        }
        Some(partition)
    }

    /// Whether a replica was never here, and so can't lie in a directory that is missing: the partition has been as it is
    /// since it was made, or was not assigned here before. Any start of a broker changes what it is a member of.
    fn is_new(&self, old: &ClusterImage, topic_id: Uuid, index: i32, state: &PartitionImage) -> bool {
        let was_here = |before: &PartitionImage| before.replicas.contains(&self.broker);
        let place = usize::try_from(index).unwrap_or(usize::MAX);
        let before = old.topic_by_id(topic_id).and_then(|topic| topic.partitions.get(place));
        let is_untouched = state.leader_epoch == LeaderEpoch(0) && state.partition_epoch == 0;
        is_untouched || (old.revision > 0 && !before.is_some_and(|before| was_here(before)))
    }

    /// A new replica with an empty log; offline where its log can't be made.
    fn create(
        &self,
        at: &TopicPartition,
        topic_id: Uuid,
        dir: &Arc<ReplicaDir>,
        config: &Arc<LogConfig>,
    ) -> Arc<Partition> {
        let partition = self.new_partition(at.clone(), dir, config.clone());
        let new = Heir { partition: partition.clone(), topic_id };
        let queued = self.successions.lock().queue(&partition.path(), new);
        if let Some(new) = queued {
            self.open(Unopened::New(new));
        }
        self.hosted.write().insert(topic_id, partition.clone());
        // Whoever took the directory out of service meanwhile did not see this one.
        if !dir.is_online() {
            partition.take_offline();
        }
        partition
    }

    /// A replica whose log is still to be opened.
    pub(super) fn new_partition(
        &self,
        at: TopicPartition,
        dir: &Arc<ReplicaDir>,
        config: Arc<LogConfig>,
    ) -> Arc<Partition> {
        let (returning, stood_down) = (self.returning.clone(), self.stood_down.clone());
        Partition::opening(at, dir.clone(), self.broker, config, returning, stood_down)
    }

    /// Opens an empty log; an error says that something ran out.
    pub(super) fn open_new(&self, Heir { partition, topic_id }: &Heir) -> Result<(), PartitionError> {
        match self.create_log(partition, *topic_id) {
            Ok(log) => partition.opened(log, Offset(0)),
            Err(error) => {
                if error.is_exhaustion() {
                    return Err(error);
                }
                tracing::error!(partition = %partition.at, "the log can't be created: {error}");
                partition.take_offline();
                self.note_failure(partition, &error);
                self.note_offline();
            }
        }
        Ok(())
    }

    /// Nothing of what was known of an earlier replica of this name holds for the new one, least of all its records. What
    /// can't be finished leaves nothing behind.
    fn create_log(&self, partition: &Partition, topic_id: Uuid) -> Result<Log, PartitionError> {
        partition.dir.forget([&partition.at].into_iter())?;
        let path = partition.path();
        if path.exists() {
            return Err(PartitionError::Occupied(path));
        }
        self.fill_dir(partition, &path, topic_id).inspect_err(|_| {
            if let Err(error) = remove_partition_dir(&path) {
                tracing::error!(partition = %partition.at, "half a log stays on the disk: {error}");
            }
        })
    }

    fn fill_dir(&self, partition: &Partition, path: &Path, topic_id: Uuid) -> Result<Log, PartitionError> {
        let opening = Opening {
            recovery_point: Offset(0),
            log_start_offset: Offset(0),
            clean: true,
            now_ms: wall_clock_ms(),
            files: self.files.clone(),
        };
        let (log, _) = Log::open(path, LogConfig::clone(&partition.config()), opening)?;
        write_partition_metadata(path, topic_id).map_err(storage::log::LogError::Io)?;
        Ok(log)
    }

    /// The directory that the controller named, else the working one with the fewest replicas; of those that are not
    /// cordoned, if there are any.
    fn place(&self, image: &ClusterImage, wanted: Uuid) -> &Arc<ReplicaDir> {
        let cordoned = self.cordoned_dirs(image);
        let is_cordoned = |dir: &ReplicaDir| cordoned.iter().any(|path| dir.path() == Path::new(path));
        let online = || self.dirs.iter().filter(|dir| dir.is_online());
        let load = |dir: &&Arc<ReplicaDir>| (is_cordoned(dir), dir.replicas.load(Ordering::Relaxed));
        online().find(|dir| dir.id == wanted).or(online().min_by_key(load)).unwrap_or(&self.dirs[0])
    }

    /// What `cordoned.log.dirs` says by now; all of them being cordoned is as good as none.
    fn cordoned_dirs(&self, image: &ClusterImage) -> Vec<String> {
        let layers = Layers::of(image, Some(self.broker), &self.statics);
        let value =
            broker_key("cordoned.log.dirs").and_then(|key| key.read(&layers.resolve_broker(key).value?).ok());
        value.and_then(|value| value.as_list().map(<[_]>::to_vec)).unwrap_or_default()
    }

    /// Removes replicas of topics that are gone or were made anew, and of partitions that are no longer assigned here.
    /// On the first image, of all or of a recovered cluster, it sets aside instead what the cluster does not know: it may be
    /// the cluster that forgot.
    fn remove_departed(&self, old: &ClusterImage, new: &ClusterImage) {
        let departed = self.departed(old, new);
        for (partition, topic_id) in &departed {
            let at = &partition.at;
            self.hosted.write().remove(at);
            let knows_nothing = old.revision == 0 || old.timeline != new.timeline;
            let is_unknown = knows_nothing && new.topic_by_id(*topic_id).is_none();
            self.dismiss(partition, if is_unknown { Fate::SetAside } else { Fate::Deleted });
        }
        for dir in &self.dirs {
            let gone = departed.iter().filter(|(partition, _)| Arc::ptr_eq(&partition.dir, dir));
            let outcome = dir.forget(gone.map(|(partition, _)| &partition.at));
            self.note_checkpoint(dir, outcome);
        }
    }

    fn departed(&self, old: &ClusterImage, new: &ClusterImage) -> Vec<(Arc<Partition>, Uuid)> {
        let hosted = self.hosted.read();
        let mut departed = Vec::new();
        for (name, replicas) in hosted.topics() {
            let known = new.topic(name);
            if known.is_some_and(|known| old.topic(name).is_some_and(|before| Arc::ptr_eq(before, known))) {
                continue;
            }
            for (&index, Replica { topic_id, partition }) in replicas {
                let same = known.filter(|known| topic_id.is_zero() || known.id == *topic_id);
                let state = same.and_then(|known| known.partitions.get(usize::try_from(index).ok()?));
                if !state.is_some_and(|state| state.replicas.contains(&self.broker)) {
                    departed.push((partition.clone(), *topic_id));
                }
            }
        }
        departed
    }
}

fn same_config(old: &ClusterImage, new: &ClusterImage, resource: &ConfigResource) -> bool {
    match (old.config(resource), new.config(resource)) {
        (Some(before), Some(after)) => Arc::ptr_eq(before, after) || before == after,
        (before, after) => before.is_none() && after.is_none(),
    }
}

/// Whether what topics inherit from brokers changed.
fn defaults_changed(broker: protocol::types::BrokerId, old: &ClusterImage, new: &ClusterImage) -> bool {
    let resources = [ConfigResource::Broker(String::new()), ConfigResource::Broker(broker.to_string())];
    !resources.iter().all(|resource| same_config(old, new, resource))
}
