//! Logs that are opened while images come: deletions, new topics by old names, and what a clean stop may say of it.

use std::fs;
use std::path::{Path, PathBuf};

use metadata::image::{ClusterImage, PartitionImage, TopicImage};
use node::properties::{Origin, Properties};
use protocol::records::{BatchBuilder, Compression};
use protocol::types::BrokerId;
use storage::TopicPartition;
use storage::checkpoint::OffsetCheckpoint;
use storage::log_dir::write_partition_metadata;
use tempfile::TempDir;

use super::*;
use crate::config::BrokerConfig;
use crate::replica::append::{Acks, Moment};
use crate::replica::errors::PartitionError;
use crate::replica::log_dirs::open_all;

const OLD: Uuid = Uuid([1; 16]);
const NEW: Uuid = Uuid([2; 16]);

fn start(folder: &Path) -> Arc<Replicas> {
    start_in(&[folder])
}

fn start_in(folders: &[&Path]) -> Arc<Replicas> {
    let log_dirs = folders[0].display().to_string();
    let mut properties = Properties::default();
    for (key, value) in
        [("node.id", "1"), ("listeners", "PLAINTEXT://127.0.0.1:9092"), ("log.dirs", log_dirs.as_str())]
    {
        properties.set(key, value, Origin::Override);
    }
    let config = BrokerConfig::resolve(&properties).expect("a configuration");
    let paths: Vec<PathBuf> = folders.iter().map(|folder| folder.to_path_buf()).collect();
    Replicas::new(&config, open_all(&paths, BrokerId(1)).expect("log directories"))
}

fn at() -> TopicPartition {
    TopicPartition::new("t", 0)
}

/// The directory of a replica that was here before, with its checkpoints.
fn leave_behind(folder: &Path, topic_id: Uuid) {
    let dir = ReplicaDir::open(folder, BrokerId(1)).expect("a log directory");
    let path = dir.dir.partition_path(&at());
    fs::create_dir(&path).expect("created");
    fs::write(path.join("of-the-old"), b"").expect("written");
    write_partition_metadata(&path, topic_id).expect("written");
    for name in [RECOVERY_POINTS, HIGH_WATERMARKS, LOG_START_OFFSETS] {
        dir.write_checkpoint(name, OffsetCheckpoint::from([(at(), Offset(1000))])).expect("written");
    }
}

/// What recovery finds, which no opener has taken up yet.
fn found(replicas: &Replicas) -> Found {
    let dir = &replicas.dirs[0];
    let entry = dir.dir.partitions().expect("is read").remove(0);
    replicas.take_in(dir, entry).expect("is read").expect("a live replica")
}

fn image(topic_id: Uuid) -> ClusterImage {
    let me = BrokerId(1);
    let state =
        PartitionImage { replicas: vec![me], isr: vec![me], leader: me, min_isr: 1, ..Default::default() };
    let topic = TopicImage { name: "t".into(), id: topic_id, partitions: vec![Arc::new(state)] };
    ClusterImage {
        revision: 1,
        topics: [("t".into(), Arc::new(topic))].into(),
        topic_names: [(topic_id, "t".into())].into(),
        ..Default::default()
    }
}

fn log_end(partition: &Partition) -> Result<Offset, PartitionError> {
    partition.lock().open_log().map(|log| log.log_end_offset())
}

fn new_one(replicas: &Replicas) -> Arc<Partition> {
    replicas.partition_by_id(NEW, 0).expect("is hosted")
}

#[test]
fn a_topic_made_anew_while_the_old_log_is_opened_gets_its_own_log_when_that_is_done() {
    let folder = TempDir::new().expect("a folder");
    leave_behind(folder.path(), OLD);
    let replicas = start(folder.path());
    let old = found(&replicas);
    replicas.apply(&ClusterImage::default(), &image(NEW));
    assert!(matches!(log_end(&new_one(&replicas)), Err(PartitionError::Opening)));
    assert!(old.path.join("of-the-old").exists(), "nothing is moved from under the opener");
    replicas.open(Unopened::Found(old.clone()));
    assert!(matches!(log_end(&old.partition), Err(PartitionError::Unknown)), "it does not come back");
    assert_eq!(log_end(&new_one(&replicas)).expect("is open"), Offset(0));
    assert!(!old.path.join("of-the-old").exists());
}

#[test]
fn a_topic_that_is_gone_again_before_its_log_could_be_made_leaves_nothing() {
    let folder = TempDir::new().expect("a folder");
    leave_behind(folder.path(), OLD);
    let replicas = start(folder.path());
    let old = found(&replicas);
    let (first, nothing) = (image(NEW), ClusterImage { revision: 2, ..Default::default() });
    replicas.apply(&ClusterImage::default(), &first);
    replicas.apply(&first, &nothing);
    replicas.open(Unopened::Found(old.clone()));
    assert!(!old.path.exists());
}

#[test]
fn a_new_replica_inherits_no_checkpoint_of_another_by_the_same_name() {
    let folder = TempDir::new().expect("a folder");
    leave_behind(folder.path(), OLD);
    let replicas = start(folder.path());
    replicas.open(Unopened::Found(found(&replicas)));
    let known = image(OLD);
    replicas.apply(&ClusterImage::default(), &known);
    replicas.apply(&known, &image(NEW));
    assert_eq!(log_end(&new_one(&replicas)).expect("is open"), Offset(0));
    drop(replicas);
    let reopened = ReplicaDir::open(folder.path(), BrokerId(1)).expect("a log directory");
    for name in [RECOVERY_POINTS, HIGH_WATERMARKS, LOG_START_OFFSETS] {
        assert_eq!(reopened.found(name, &at()), None, "{name}");
    }
}

#[test]
fn a_directory_with_a_log_that_never_opened_is_not_marked_as_closed_cleanly() {
    let folder = TempDir::new().expect("a folder");
    leave_behind(folder.path(), OLD);
    let replicas = start(folder.path());
    found(&replicas).partition.take_offline();
    replicas.close(Some(7));
    drop(replicas);
    let reopened = ReplicaDir::open(folder.path(), BrokerId(1)).expect("a log directory");
    assert!(!reopened.was_closed_cleanly());
    assert_eq!(reopened.found(RECOVERY_POINTS, &at()), Some(Offset(1000)));
}

#[test]
fn a_duty_that_ends_after_the_close_does_not_write_over_its_checkpoints() {
    let folder = TempDir::new().expect("a folder");
    let replicas = start(folder.path());
    replicas.apply(&ClusterImage::default(), &image(NEW));
    let mut batch = BatchBuilder::new(Compression::None);
    batch.append(0, None, Some(b"one"), &[]);
    batch.append(0, None, Some(b"two"), &[]);
    let records = batch.build().expect("a batch");
    new_one(&replicas).append(&records, Acks::All, &mut None, Moment::now()).expect("is stored");
    replicas.close(Some(7));
    replicas.checkpoint_high_watermarks();
    drop(replicas);
    let reopened = ReplicaDir::open(folder.path(), BrokerId(1)).expect("a log directory");
    assert!(reopened.was_closed_cleanly());
    assert_eq!(reopened.found(HIGH_WATERMARKS, &at()), Some(Offset(2)));
}

#[test]
fn a_new_replica_never_takes_up_a_directory_that_is_there() {
    let folder = TempDir::new().expect("a folder");
    let replicas = start(folder.path());
    fs::create_dir(folder.path().join("t-0")).expect("created");
    replicas.apply(&ClusterImage::default(), &image(NEW));
    assert!(matches!(log_end(&new_one(&replicas)), Err(PartitionError::Offline)));
    assert!(replicas.dirs[0].is_online(), "the disk is not to blame");
}

#[test]
fn a_partition_that_lies_in_two_directories_stops_the_start() {
    let (one, other) = (TempDir::new().expect("a folder"), TempDir::new().expect("a folder"));
    leave_behind(one.path(), OLD);
    leave_behind(other.path(), NEW);
    let replicas = start_in(&[one.path(), other.path()]);
    assert!(matches!(replicas.recover(1), Err(LogDirsError::TwiceFound { .. })));
}

#[test]
fn an_opener_that_panics_costs_its_own_replica_alone() {
    let folder = TempDir::new().expect("a folder");
    leave_behind(folder.path(), OLD);
    let replicas = start(folder.path());
    let found = found(&replicas);
    replicas.opening.fetch_add(1, Ordering::AcqRel);
    replicas.survive(found.clone(), |_| panic!("a mistake of ours"));
    assert!(replicas.is_recovered());
    assert!(matches!(log_end(&found.partition), Err(PartitionError::Offline)));
    assert_eq!(replicas.offline_replicas(), [(OLD, vec![0])].into());
}

/// An image in which another broker leads, and this one is a replica that it has not been from the start.
fn followed_since_long(topic_id: Uuid) -> ClusterImage {
    let mut image = image(topic_id);
    let state = PartitionImage {
        replicas: vec![BrokerId(2), BrokerId(1)],
        isr: vec![BrokerId(2)],
        leader: BrokerId(2),
        partition_epoch: 3,
        ..Default::default()
    };
    let topic = TopicImage { name: "t".into(), id: topic_id, partitions: vec![Arc::new(state)] };
    image.topics = [("t".into(), Arc::new(topic))].into();
    image
}

#[test]
fn a_replica_that_may_lie_in_a_missing_directory_is_not_made_anew() {
    let folder = TempDir::new().expect("a folder");
    fs::write(folder.path().join("bad"), b"no directory").expect("written");
    let (good, bad) = (folder.path().join("good"), folder.path().join("bad/dir"));
    let replicas = start_in(&[&good, &bad]);
    let (old, image) = (ClusterImage::default(), followed_since_long(OLD));
    replicas.apply(&old, &image);
    assert!(matches!(replicas.partition_by_id(OLD, 0), Err(PartitionError::UnknownId)));
    assert_eq!(replicas.offline_replicas(), [(OLD, vec![0])].into());
    // What was made, or came here, while this process watched was never anywhere else.
    let gone = ClusterImage { revision: 2, ..Default::default() };
    replicas.apply(&image, &gone);
    assert!(replicas.offline_replicas().is_empty());
    replicas.apply(&gone, &ClusterImage { revision: 3, ..followed_since_long(NEW) });
    assert_eq!(log_end(&new_one(&replicas)).expect("is open"), Offset(0));
}

#[test]
fn replicas_of_one_name_that_different_topics_left_are_told_apart() {
    let folder = TempDir::new().expect("a folder");
    let dir = ReplicaDir::open(folder.path(), BrokerId(1)).expect("a log directory");
    for (index, topic_id) in [(0, OLD), (1, NEW)] {
        let path = dir.dir.partition_path(&TopicPartition::new("t", index));
        fs::create_dir(&path).expect("created");
        write_partition_metadata(&path, topic_id).expect("written");
    }
    drop(dir);
    let replicas = start(folder.path());
    let dir = &replicas.dirs[0];
    for entry in dir.dir.partitions().expect("is read") {
        replicas.take_in(dir, entry).expect("is read").expect("a live replica");
    }
    assert!(replicas.partition_by_id(NEW, 0).is_err(), "it was left by the old topic");
    assert!(replicas.partition_by_id(OLD, 0).is_ok() && replicas.partition_by_id(NEW, 1).is_ok());
}
