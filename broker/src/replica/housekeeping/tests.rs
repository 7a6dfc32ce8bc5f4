//! What housekeeping costs, and that it misses nothing.

use metadata::image::{ClusterImage, PartitionImage, TopicImage};
use node::properties::{Origin, Properties};
use protocol::records::{BatchBuilder, Compression};
use protocol::types::{BrokerId, Uuid};
use tempfile::TempDir;

use super::*;
use crate::config::BrokerConfig;
use crate::replica::append::{Acks, Moment};
use crate::replica::log_dirs::open_all;
use crate::replica::record_deletion::DeleteBefore;

const ME: BrokerId = BrokerId(1);
const TOPIC: Uuid = Uuid([1; 16]);

fn start(folder: &TempDir) -> Arc<Replicas> {
    let log_dirs = folder.path().display().to_string();
    let mut properties = Properties::default();
    for (key, value) in
        [("node.id", "1"), ("listeners", "PLAINTEXT://127.0.0.1:9092"), ("log.dirs", log_dirs.as_str())]
    {
        properties.set(key, value, Origin::Override);
    }
    let config = BrokerConfig::resolve(&properties).expect("a configuration");
    Replicas::new(&config, open_all(&config.logs.dirs, ME).expect("a log directory"))
}

/// A broker that leads so many partitions of a topic.
fn leading(folder: &TempDir, partitions: usize) -> Arc<Replicas> {
    let replicas = start(folder);
    let state =
        PartitionImage { replicas: vec![ME], isr: vec![ME], leader: ME, min_isr: 1, ..Default::default() };
    let states = (0..partitions).map(|_| Arc::new(state.clone())).collect();
    let topic = TopicImage { name: "t".into(), id: TOPIC, partitions: states };
    let image = ClusterImage {
        revision: 1,
        topics: [("t".into(), Arc::new(topic))].into(),
        topic_names: [(TOPIC, "t".into())].into(),
        ..Default::default()
    };
    replicas.apply(&ClusterImage::default(), &image);
    replicas
}

fn append(replicas: &Replicas, partition: i32) {
    let mut batch = BatchBuilder::new(Compression::None);
    batch.append(0, None, Some(b"record"), &[]);
    let records = batch.build().expect("a batch");
    let partition = replicas.partition_by_id(TOPIC, partition).expect("is hosted");
    partition.append(&records, Acks::All, &mut None, Moment::now()).expect("is stored");
}

/// One tick of every clock but retention's.
fn tick(replicas: &Replicas) -> LookedAt {
    replicas.checkpoint_high_watermarks()
        + replicas.checkpoint_recovery_points()
        + replicas.checkpoint_log_starts()
        + replicas.flush_due()
        + replicas.mend()
}

#[test]
fn replicas_that_rest_cost_nothing_however_many_there_are() {
    let folder = TempDir::new().expect("a folder");
    let replicas = leading(&folder, 300);
    assert!(tick(&replicas) >= 300, "all of them are new");
    assert_eq!(tick(&replicas), 0);
    append(&replicas, 7);
    let busy = tick(&replicas);
    assert!((1..10).contains(&busy), "one of them has moved: {busy}");
    assert_eq!(tick(&replicas), 0);
}

#[test]
fn what_moved_is_in_every_checkpoint_that_it_belongs_in() {
    let folder = TempDir::new().expect("a folder");
    let replicas = leading(&folder, 3);
    append(&replicas, 2);
    tick(&replicas);
    append(&replicas, 2);
    append(&replicas, 1);
    tick(&replicas);
    drop(replicas);
    let opened = open_all(&[folder.path().to_owned()], ME).expect("opens");
    for name in [HIGH_WATERMARKS, RECOVERY_POINTS] {
        let found = [0, 1, 2].map(|index| opened.online[0].found(name, &TopicPartition::new("t", index)));
        assert_eq!(found, [0, 1, 2].map(|offset| Some(Offset(offset))), "{name}");
    }
}

#[tokio::test]
async fn a_log_start_inside_of_a_batch_outlives_the_broker() {
    let folder = TempDir::new().expect("a folder");
    let replicas = leading(&folder, 1);
    let mut batch = BatchBuilder::new(Compression::None);
    (0..5).for_each(|_| batch.append(0, None, Some(b"record"), &[]));
    let records = batch.build().expect("a batch");
    let partition = replicas.partition_by_id(TOPIC, 0).expect("is hosted");
    partition.append(&records, Acks::All, &mut None, Moment::now()).expect("is stored");
    partition.delete_records(DeleteBefore::Offset(Offset(3)), |_| false).expect("it leads");
    tick(&replicas);
    drop((replicas, partition));
    let replicas = start(&folder);
    replicas.recover(1).expect("is recovered");
    replicas.recovered().await;
    let partition = replicas.partition_by_id(TOPIC, 0).expect("is hosted");
    let span = partition.inspect(|replica| (replica.log.log_start_offset(), replica.log.log_end_offset()));
    assert_eq!(span, Some((Offset(3), Offset(5))));
}
