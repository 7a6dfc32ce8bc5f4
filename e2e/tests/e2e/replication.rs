//! Three brokers: what one leads the others copy, byte for byte, and acks=all means all that are in sync.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use e2e::cluster::Cluster;
use e2e::process::Daemon;
use e2e::server::{Server, Subject, subject};
use e2e::{kcat, python, wait, wire};

const PARTITIONS: usize = 3;
const BROKERS: [i32; 3] = [1, 2, 3];
const SHRINKS: &str = "kafka_server_replicamanager_isrshrinks_total";
const EXPANDS: &str = "kafka_server_replicamanager_isrexpands_total";
const UNDER_REPLICATED: &str = "kafka_server_replicamanager_underreplicatedpartitions";
const REPLICATION_BYTES_IN: &str =
    "kafka_server_brokertopicmetrics_replicationbytesin_total{topic=\"copied\"}";

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
    // Gauges are counted now and then, and a counter may follow what it counts.
    let length = logs(&folders[0], "copied", 1)?.len();
    wait::until("the metrics of it", wait::PATIENCE, || {
        let (missing, copied) = (server.metric(UNDER_REPLICATED)?, server.metric(REPLICATION_BYTES_IN)?);
        ensure!(missing == Some(0.0), "{missing:?} partitions are under-replicated");
        ensure!(copied >= Some(2.0 * length as f64), "{copied:?} of {length} a replica were copied");
        Ok(Some(()))
    })?;
    server.done()
}

fn start(name: &str, properties: &str) -> Result<Cluster> {
    Cluster::start(name, BROKERS.len() as i32, 1, &format!("default.replication.factor=3\n{properties}"))
}

/// Creates a topic, and returns once every replica of it is in sync.
fn create(cluster: &Cluster, topic: &str) -> Result<()> {
    cluster.create(1, topic, PARTITIONS as i32)?;
    cluster.await_in_sync(topic, BROKERS.len())
}

fn folders(cluster: &Cluster) -> [PathBuf; 3] {
    BROKERS.map(|id| cluster.scratch.path().join(format!("broker-{id}-data")))
}

fn sum(cluster: &Cluster, series: &str) -> Result<f64> {
    cluster.brokers.iter().map(|broker| Ok(broker.metric(series)?.unwrap_or_default())).sum()
}

#[test]
fn brokers_are_killed_one_after_the_other_and_nothing_acknowledged_is_lost() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    const RECORDS: usize = 30_000;
    let mut cluster = start("failover", "min.insync.replicas=2")?;
    create(&cluster, "steady")?;
    let mut producer = start_producer(&cluster, RECORDS)?;
    for (turn, broker) in (1..).zip(0..BROKERS.len()) {
        until_acknowledged(&mut producer, turn * RECORDS / 5)?;
        cluster.brokers[broker].kill();
        until_acknowledged(&mut producer, turn * RECORDS / 5 + RECORDS / 10)?;
        cluster.brokers[broker].start()?;
        cluster.await_in_sync("steady", BROKERS.len())?;
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
    await_equal_logs(&folders(&cluster), "steady", PARTITIONS)?;
    cluster.done()
}

#[test]
fn a_follower_that_says_nothing_leaves_the_isr_and_returns_when_it_has_caught_up() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let patient = "replica.lag.time.max.ms=1000\nbroker.session.timeout.ms=60000\nmin.insync.replicas=2";
    let mut cluster = start("lag", patient)?;
    create(&cluster, "lagging")?;
    let produce = |cluster: &Cluster, partition: usize| {
        let arguments = ["-X", "acks=all", "-p", &partition.to_string()];
        kcat::produce(&cluster.bootstrap(), "lagging", &arguments, &lines(300))
    };
    (0..PARTITIONS).try_for_each(|partition| produce(&cluster, partition))?;
    let (shrinks, expands) = (sum(&cluster, SHRINKS)?, sum(&cluster, EXPANDS)?);
    cluster.brokers[2].pause()?;
    let led_by_others = led_by_others(&cluster, 3)?;
    for &partition in &led_by_others {
        produce(&cluster, partition).context("acks=all goes on without the one that is silent")?;
    }
    cluster.brokers[2].resume()?;
    cluster.await_in_sync("lagging", BROKERS.len())?;
    // A push may tell of a change before the leader has counted it.
    for (series, before) in [(SHRINKS, shrinks), (EXPANDS, expands)] {
        wait::until(series, wait::PATIENCE, || Ok((sum(&cluster, series)? > before).then_some(())))?;
    }
    await_equal_logs(&folders(&cluster), "lagging", PARTITIONS)?;
    cluster.brokers.iter_mut().try_for_each(|broker| broker.terminate().map(|_| ()))?;
    cluster.done()
}

fn start_producer(cluster: &Cluster, records: usize) -> Result<Daemon> {
    let (partitions, records) = (PARTITIONS.to_string(), records.to_string());
    let arguments = [&cluster.bootstrap(), "steady", &partitions, &records];
    let mut command = python::command("steady_producer.py", &arguments)?;
    Daemon::start("the producer", &mut command, &cluster.scratch.path().join("producer.log"))
}

fn until_acknowledged(producer: &mut Daemon, records: usize) -> Result<()> {
    loop {
        let acknowledged: usize = producer.await_line("acknowledged ", wait::PATIENCE)?.parse()?;
        if acknowledged >= records {
            return Ok(());
        }
    }
}

fn led_by_others(cluster: &Cluster, broker: i32) -> Result<Vec<usize>> {
    let told = wire::metadata(cluster.port(1), Some("lagging"))?;
    let partitions = &told.topics.first().context("the topic is known")?.partitions;
    let by_others = partitions.iter().filter(|partition| partition.leader_id != broker);
    Ok(by_others.map(|partition| partition.partition_index as usize).collect())
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
