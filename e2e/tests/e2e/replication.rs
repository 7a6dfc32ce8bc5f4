//! Three brokers: what one leads the others copy, byte for byte, and acks=all means all that are in sync.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use e2e::daemons::Milena;
use e2e::etcd::Etcd;
use e2e::process::{self, Daemon};
use e2e::scratch::Scratch;
use e2e::server::{Server, Subject, subject};
use e2e::{kcat, python, wait};

const PARTITIONS: usize = 3;
const BROKERS: [i32; 3] = [1, 2, 3];
const SHRINKS: &str = "kafka_server_replicamanager_isrshrinks_total";
const EXPANDS: &str = "kafka_server_replicamanager_isrexpands_total";
const UNDER_REPLICATED: &str = "kafka_server_replicamanager_underreplicatedpartitions";

fn lines(records: usize) -> Vec<String> {
    (0..records).map(|number| format!("record {number} {}", "of many words ".repeat(number % 20))).collect()
}

#[test]
fn every_replica_holds_the_same_bytes_and_groups_work() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let properties = [
        ("default.replication.factor", "3"),
        ("num.partitions", "3"),
        ("min.insync.replicas", "2"),
        ("offsets.topic.replication.factor", "3"),
    ];
    let server = Server::cluster("replicas", 3, &properties)?;
    let (bootstrap, all) = (server.bootstrap(), lines(5_000));
    let (first, second) = all.split_at(2_000);
    for codec in ["none", "zstd"] {
        kcat::produce(&bootstrap, "copied", &["-X", "acks=all", "-z", codec], first)?;
    }
    kcat::produce(&bootstrap, "copied", &["-X", "acks=all", "-p", "1"], second)?;
    let group = |offset: &str| {
        let reset = format!("auto.offset.reset={offset}");
        let output = kcat::run(&bootstrap, &["-G", "readers", "-q", "-e", "-X", &reset, "copied"], b"")?;
        Ok::<_, anyhow::Error>(output.success()?.lines().count())
    };
    assert_eq!(group("earliest")?, 2 * first.len() + second.len());
    assert_eq!(group("earliest")?, 0, "its commits are found again");
    let folders = BROKERS.map(|broker| server.data().join(format!("broker-{broker}")));
    await_equal_logs(&folders, "copied", PARTITIONS)?;
    await_equal_logs(&folders, "__consumer_offsets", 4)?;
    assert_eq!(server.metric(UNDER_REPLICATED)?, Some(0.0));
    let copied =
        server.metric("kafka_server_brokertopicmetrics_replicationbytesin_total{topic=\"copied\"}")?;
    let length = logs(&folders[0], "copied", 1)?.len();
    assert!(copied.is_some_and(|bytes| bytes >= 2.0 * length as f64), "{copied:?} of {length} a replica");
    server.done()
}

/// Three brokers and a controller, each a process.
struct Cluster {
    scratch: Scratch,
    brokers: Vec<Milena>,
    _controller: Milena,
    _etcd: Etcd,
}

impl Cluster {
    fn start(name: &str, properties: &str) -> Result<Cluster> {
        let scratch = Scratch::new(name)?;
        let etcd = Etcd::start(&scratch)?;
        let mut controller = Milena::controller(&scratch, &etcd, 100)?;
        let common = format!("default.replication.factor=3\nnum.partitions={PARTITIONS}\n{properties}\n");
        controller.set(&common)?;
        controller.start()?;
        let mut brokers = Vec::new();
        for id in BROKERS {
            let mut broker = Milena::broker(&scratch, &etcd, id)?;
            broker.set(&common)?;
            broker.start()?;
            brokers.push(broker);
        }
        Ok(Cluster { scratch, brokers, _controller: controller, _etcd: etcd })
    }

    fn bootstrap(&self) -> String {
        self.brokers.iter().map(Milena::bootstrap).collect::<Vec<_>>().join(",")
    }

    fn folders(&self) -> [PathBuf; 3] {
        BROKERS.map(|id| self.scratch.path().join(format!("broker-{id}-data")))
    }

    /// Creates a topic, and returns once every replica of it is in sync.
    fn create(&self, topic: &str) -> Result<()> {
        wait::until("the topic", wait::PATIENCE, || {
            Ok(Some(kcat::metadata(&self.bootstrap(), Some(topic))?))
        })?;
        self.await_isr(topic, &BROKERS)
    }

    /// Waits until the ISR of every partition consists of these.
    fn await_isr(&self, topic: &str, members: &[i32]) -> Result<()> {
        let wanted: BTreeSet<i64> = members.iter().copied().map(i64::from).collect();
        wait::until(&format!("ISRs of {members:?}"), wait::PATIENCE, || {
            let isrs = isrs(&kcat::metadata(&self.bootstrap(), Some(topic))?)?;
            ensure!(isrs.len() == PARTITIONS && isrs.iter().all(|isr| *isr == wanted), "{isrs:?}");
            Ok(Some(()))
        })
    }

    fn sum(&self, series: &str) -> Result<f64> {
        self.brokers.iter().map(|broker| Ok(broker.metric(series)?.unwrap_or_default())).sum()
    }
}

#[test]
fn brokers_are_killed_one_after_the_other_and_nothing_acknowledged_is_lost() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    const RECORDS: usize = 30_000;
    let mut cluster = Cluster::start("failover", "min.insync.replicas=2")?;
    cluster.create("steady")?;
    let mut producer = start_producer(&cluster, RECORDS)?;
    for (turn, broker) in (1..).zip(0..BROKERS.len()) {
        until_acknowledged(&mut producer, turn * RECORDS / 5)?;
        cluster.brokers[broker].kill();
        until_acknowledged(&mut producer, turn * RECORDS / 5 + RECORDS / 10)?;
        cluster.brokers[broker].start()?;
        cluster.await_isr("steady", &BROKERS)?;
    }
    producer.await_line(&format!("done {RECORDS}"), 2 * wait::PATIENCE)?;
    for partition in 0..PARTITIONS {
        let arguments = ["-p", &partition.to_string()];
        let read = kcat::consume(&cluster.bootstrap(), "steady", "beginning", &arguments)?;
        let expected = (partition..RECORDS).step_by(PARTITIONS).map(|number| number.to_string());
        ensure!(
            read.iter().eq(&expected.collect::<Vec<_>>()),
            "partition {partition}: {} records",
            read.len()
        );
    }
    await_equal_logs(&cluster.folders(), "steady", PARTITIONS)?;
    cluster.scratch.discard();
    Ok(())
}

#[test]
fn a_follower_that_says_nothing_leaves_the_isr_and_returns_when_it_has_caught_up() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let patient = "replica.lag.time.max.ms=1000\nbroker.session.timeout.ms=60000\nmin.insync.replicas=2";
    let mut cluster = Cluster::start("lag", patient)?;
    cluster.create("lagging")?;
    let produce = |cluster: &Cluster, partition: usize| {
        let arguments = ["-X", "acks=all", "-p", &partition.to_string()];
        kcat::produce(&cluster.bootstrap(), "lagging", &arguments, &lines(300))
    };
    (0..PARTITIONS).try_for_each(|partition| produce(&cluster, partition))?;
    let (shrinks, expands) = (cluster.sum(SHRINKS)?, cluster.sum(EXPANDS)?);
    cluster.brokers[2].pause()?;
    let led_by_others = led_by_others(&cluster, 3)?;
    for &partition in &led_by_others {
        produce(&cluster, partition).context("acks=all goes on without the one that is silent")?;
    }
    cluster.brokers[2].resume()?;
    cluster.await_isr("lagging", &BROKERS)?;
    // A push may tell of a change before the leader has counted it.
    for (series, before) in [(SHRINKS, shrinks), (EXPANDS, expands)] {
        wait::until(series, wait::PATIENCE, || Ok((cluster.sum(series)? > before).then_some(())))?;
    }
    await_equal_logs(&cluster.folders(), "lagging", PARTITIONS)?;
    cluster.brokers.iter_mut().try_for_each(|broker| broker.terminate().map(|_| ()))?;
    cluster.scratch.discard();
    Ok(())
}

fn start_producer(cluster: &Cluster, records: usize) -> Result<Daemon> {
    let (partitions, records) = (PARTITIONS.to_string(), records.to_string());
    let arguments = [&cluster.bootstrap(), "steady", &partitions, &records];
    let mut command: Command = python::command("steady_producer.py", &arguments)?;
    process::Daemon::start("the producer", &mut command, &cluster.scratch.path().join("producer.log"))
}

fn until_acknowledged(producer: &mut Daemon, records: usize) -> Result<()> {
    loop {
        let acknowledged: usize = producer.await_line("acknowledged ", wait::PATIENCE)?.parse()?;
        if acknowledged >= records {
            return Ok(());
        }
    }
}

fn partitions(metadata: &serde_json::Value) -> Result<&Vec<serde_json::Value>> {
    metadata["topics"][0]["partitions"].as_array().context("no partitions")
}

fn isrs(metadata: &serde_json::Value) -> Result<Vec<BTreeSet<i64>>> {
    let isr = |partition: &serde_json::Value| {
        let members = partition["isrs"].as_array().context("no isrs")?;
        Ok(members.iter().filter_map(|member| member["id"].as_i64()).collect())
    };
    partitions(metadata)?.iter().map(isr).collect()
}

fn led_by_others(cluster: &Cluster, broker: i64) -> Result<Vec<usize>> {
    let metadata = kcat::metadata(&cluster.brokers[0].bootstrap(), Some("lagging"))?;
    let partitions = partitions(&metadata)?.iter().enumerate();
    Ok(partitions.filter(|(_, partition)| partition["leader"] != broker).map(|(at, _)| at).collect())
}

/// Waits until the logs of each partition are the same in every folder, and not empty as a whole.
fn await_equal_logs(folders: &[PathBuf], topic: &str, partitions: usize) -> Result<()> {
    wait::until("equal logs", wait::PATIENCE, || {
        let mut bytes = 0;
        for partition in 0..partitions {
            let first = logs(&folders[0], topic, partition)?;
            for folder in &folders[1..] {
                let other = logs(folder, topic, partition)?;
                let differs = first.iter().zip(&other).position(|(one, other)| one != other);
                let (one, two) = (first.len(), other.len());
                ensure!(
                    first == other,
                    "{topic}-{partition}: {one} and {two} bytes, different from {differs:?} on"
                );
            }
            bytes += first.len();
        }
        ensure!(bytes > 0, "{topic} has no records");
        Ok(Some(()))
    })
}

/// All segments of one replica, one behind the other.
fn logs(folder: &Path, topic: &str, partition: usize) -> Result<Vec<u8>> {
    let folder = folder.join(format!("{topic}-{partition}"));
    let mut segments: Vec<PathBuf> = std::fs::read_dir(&folder)
        .with_context(|| folder.display().to_string())?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .collect();
    segments.sort();
    let bytes = segments.iter().map(std::fs::read).collect::<Result<Vec<_>, _>>()?;
    Ok(bytes.concat())
}
