//! New replicas on a disk without room. The test runs once more, in a process of its own that has mounted such a disk.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use metadata::image::{ClusterImage, PartitionImage, TopicImage};
use node::properties::{Origin, Properties};
use protocol::types::{BrokerId, Uuid};

use crate::config::BrokerConfig;
use crate::replica::Replicas;
use crate::replica::log_dirs::open_all;

const ME: BrokerId = BrokerId(1);
const TOPIC: Uuid = Uuid([1; 16]);
const DISK: &str = "/mnt";

fn start(folder: &Path) -> Arc<Replicas> {
    let log_dirs = folder.display().to_string();
    let mut properties = Properties::default();
    for (key, value) in
        [("node.id", "1"), ("listeners", "PLAINTEXT://127.0.0.1:9092"), ("log.dirs", log_dirs.as_str())]
    {
        properties.set(key, value, Origin::Override);
    }
    let config = BrokerConfig::resolve(&properties).expect("a configuration");
    Replicas::new(&config, open_all(&config.logs.dirs, ME).expect("a log directory"))
}

fn image() -> ClusterImage {
    let state =
        PartitionImage { replicas: vec![ME], isr: vec![ME], leader: ME, min_isr: 1, ..Default::default() };
    let topic = TopicImage { name: "t".into(), id: TOPIC, partitions: vec![Arc::new(state)] };
    ClusterImage {
        revision: 1,
        topics: [("t".into(), Arc::new(topic))].into(),
        topic_names: [(TOPIC, "t".into())].into(),
        ..Default::default()
    }
}

#[test]
fn a_replica_without_room_opens_by_itself_once_there_is_some() {
    if std::env::var_os("SMALL_DISK").is_none() {
        return in_small_disk(
            "replica::retries::tests::a_replica_without_room_opens_by_itself_once_there_is_some",
        );
    }
    let disk = Path::new(DISK);
    let replicas = start(&disk.join("logs"));
    replicas.apply(&ClusterImage::default(), &ClusterImage::default());
    let filler = disk.join("filler");
    assert!(std::fs::write(&filler, vec![0; 1 << 20]).is_err(), "the disk is small");
    replicas.apply(&ClusterImage::default(), &image());
    let partition = replicas.partition_by_id(TOPIC, 0).expect("is hosted");
    assert!(partition.is_opening());
    assert_eq!(replicas.offline_replicas(), [(TOPIC, vec![0])].into(), "others may lead");
    assert_eq!(replicas.mend(), 1);
    assert!(partition.is_opening() && replicas.dirs[0].is_online());
    std::fs::remove_file(&filler).expect("removed");
    replicas.mend();
    assert!(!partition.is_opening() && !partition.is_offline());
    assert!(replicas.offline_replicas().is_empty());
    assert_eq!(replicas.mend(), 0);
}

/// As root, as a user who may make namespaces, or by sudo: one of them works on any machine that runs the tests.
const NAMESPACES: [&[&str]; 3] = [&["unshare", "-m"], &["unshare", "-rm"], &["sudo", "-n", "unshare", "-m"]];

fn in_small_disk(test: &str) {
    let this = std::env::current_exe().expect("this test");
    let script = format!(
        "mount -t tmpfs -o size=256k none {DISK} && SMALL_DISK=1 exec {} --exact {test} --nocapture",
        this.display()
    );
    let mut printed = String::new();
    let passed = NAMESPACES.iter().any(|namespace| {
        let run = Command::new(namespace[0]).args(&namespace[1..]).args(["sh", "-ec", &script]).output();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        printed += &run.map_or_else(|error| error.to_string(), |run| text(&run.stdout) + &text(&run.stderr));
        printed.contains("1 passed")
    });
    assert!(passed, "{printed}");
}
