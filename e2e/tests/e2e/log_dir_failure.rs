//! Disks that fail, and disks that are full.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::cluster::Cluster;
use e2e::process::Daemon;
use e2e::server::{Subject, subject};
use e2e::{kcat, process, python, wait, workspace};
use serde_json::Value;

const PARTITIONS: usize = 12;
const OFFLINE_DIRS: &str = "kafka_log_logmanager_offlinelogdirectorycount";

/// What the metadata say of one partition.
struct Seen {
    leader: i64,
    in_sync: usize,
}

fn partitions(cluster: &Cluster, topic: &str) -> Result<Vec<Seen>> {
    let metadata = kcat::metadata(&cluster.bootstrap(), Some(topic))?;
    let mut partitions: Vec<&Value> =
        metadata["topics"][0]["partitions"].as_array().context("no partitions")?.iter().collect();
    partitions.sort_by_key(|partition| partition["partition"].as_i64());
    let seen = |partition: &Value| Seen {
        leader: partition["leader"].as_i64().unwrap_or(-1),
        in_sync: partition["isrs"].as_array().map_or(0, Vec::len),
    };
    Ok(partitions.into_iter().map(seen).collect())
}

/// Which partitions of the topic have a directory in the folder.
fn lying_in(folder: &Path, topic: &str) -> Vec<usize> {
    (0..PARTITIONS).filter(|partition| folder.join(format!("{topic}-{partition}")).is_dir()).collect()
}

/// Waits until broker 1 neither leads these partitions nor is in their ISRs, and is in those of all others.
fn await_without(cluster: &Cluster, topic: &str, missing: &[usize]) -> Result<()> {
    wait::until("the others to take over", wait::PATIENCE, || {
        for (index, seen) in partitions(cluster, topic)?.iter().enumerate() {
            let expected = if missing.contains(&index) { 2 } else { 3 };
            ensure!(seen.in_sync == expected, "partition {index} has {} in sync", seen.in_sync);
            ensure!(
                seen.leader > 0 && (expected == 3 || seen.leader != 1),
                "partition {index}: {}",
                seen.leader
            );
        }
        Ok(Some(()))
    })
}

#[test]
fn replicas_of_a_failed_directory_are_led_elsewhere_and_not_made_anew() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let properties = format!(
        "default.replication.factor=3\nmin.insync.replicas=2\nnum.partitions={PARTITIONS}\n\
         replica.high.watermark.checkpoint.interval.ms=200"
    );
    let mut cluster = Cluster::start("log-dir", 3, 1, &properties)?;
    let [good, bad, away] =
        ["broker-1-data", "broker-1-other", "away"].map(|name| cluster.scratch.path().join(name));
    cluster.broker(1).terminate()?;
    cluster.broker(1).set(&format!("log.dirs={},{}\n", good.display(), bad.display()))?;
    cluster.broker(1).start()?;
    kcat::metadata(&cluster.bootstrap(), Some("steady"))?;
    cluster.await_in_sync("steady", 3)?;
    let missing = lying_in(&bad, "steady");
    ensure!((1..PARTITIONS).contains(&missing.len()), "{missing:?} lie in the second directory");
    let (mut producer, stop) = produce(&cluster, "steady")?;
    producer.await_line("acknowledged ", wait::PATIENCE)?;

    std::fs::rename(&bad, &away)?;
    await_without(&cluster, "steady", &missing)?;
    assert_eq!(cluster.broker(1).metric(OFFLINE_DIRS)?, Some(1.0));
    assert_eq!(cluster.broker(1).terminate()?, 0);

    std::fs::write(&bad, "no directory")?;
    cluster.broker(1).start()?;
    await_without(&cluster, "steady", &missing)?;
    assert_eq!(cluster.broker(1).metric(OFFLINE_DIRS)?, Some(1.0));
    ensure!(lying_in(&good, "steady").iter().all(|partition| !missing.contains(partition)));
    kcat::metadata(&cluster.bootstrap(), Some("new"))?;
    cluster.await_in_sync("new", 3).context("what is surely new is made in the good directory")?;
    cluster.broker(1).terminate()?;

    std::fs::remove_file(&bad)?;
    std::fs::rename(&away, &bad)?;
    cluster.broker(1).start()?;
    cluster.await_in_sync("steady", 3)?;
    assert_eq!(cluster.broker(1).metric(OFFLINE_DIRS)?, Some(0.0));
    std::fs::write(&stop, "")?;
    let errors = producer.await_line("errors ", 2 * wait::PATIENCE)?;
    ensure!(errors.starts_with("0 "), "errors reached the client: {errors}");
    cluster.done()
}

/// A client that goes on until the file exists.
fn produce(cluster: &Cluster, topic: &str) -> Result<(Daemon, PathBuf)> {
    let stop = cluster.scratch.path().join("stop");
    let (bootstrap, partitions) = (cluster.bootstrap(), PARTITIONS.to_string());
    let stop_path = stop.display().to_string();
    let mut command =
        python::command("uninterrupted.py", &[&bootstrap, topic, &partitions, &stop_path, "idempotent"])?;
    let log = cluster.scratch.path().join("producer.log");
    Ok((Daemon::start("the producer", &mut command, &log)?, stop))
}

#[test]
fn a_broker_none_of_whose_directories_works_says_so_and_ends() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let mut cluster = Cluster::start("no-log-dir", 1, 1, "")?;
    cluster.broker(1).terminate()?;
    let bad = cluster.scratch.path().join("bad");
    std::fs::write(&bad, "no directory")?;
    cluster.broker(1).set(&format!("log.dirs={0}/a,{0}/b\n", bad.display()))?;
    let refused = process::run(&mut cluster.broker(1).command()?, b"", wait::PATIENCE)?;
    ensure!(refused.code != 0 && refused.stderr.contains("none of log.dirs can be used"), "{refused:?}");
    cluster.done()
}

#[test]
fn a_full_disk_refuses_records_serves_what_it_has_and_resumes_by_itself() -> Result<()> {
    const DISK_BYTES: u64 = 24 << 20;
    const REFUSALS: usize = 4;
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let properties = "log.segment.bytes=2097152\nlog.segment.delete.delay.ms=1000\n\
                      offsets.topic.replication.factor=1\nnum.partitions=1";
    let mut cluster = Cluster::start("full-disk", 1, 1, properties)?;
    let disk = cluster.scratch.path().join("small-disk");
    std::fs::create_dir(&disk)?;
    cluster.broker(1).terminate()?;
    cluster.broker(1).set(&format!("log.dirs={}\n", disk.display()))?;
    cluster.broker(1).mount_small_disk(&disk, DISK_BYTES);
    cluster.broker(1).start()?;
    let bootstrap = cluster.bootstrap();
    let lines: Vec<String> = (0..2_000).map(|number| format!("{number} {}", "x".repeat(1_000))).collect();
    let produce =
        |topic: &str| kcat::produce(&bootstrap, topic, &["-p", "0", "-X", "message.timeout.ms=2000"], &lines);
    let stored = (0..100).take_while(|_| produce("large").is_ok()).count();
    ensure!((2..20).contains(&stored), "{stored} times two megabytes were stored");
    for _ in 0..REFUSALS {
        ensure!(produce("large").is_err(), "the disk is full");
    }
    ensure!(
        kcat::consume(&bootstrap, "large", "beginning", &[])?.len() >= stored * lines.len(),
        "fetch goes on"
    );
    let mut waiting = Daemon::start(
        "a producer that waits",
        &mut waiting_producer(&bootstrap)?,
        &cluster.scratch.path().join("waiting.log"),
    )?;
    std::thread::sleep(Duration::from_secs(2));
    let log = cluster.broker(1).log()?;
    let said = log.matches("the disk is full").count();
    ensure!((1..=3).contains(&said), "it was said {said} times that the disk is full");

    let milena = workspace::binary("milena")?;
    let mut delete = std::process::Command::new(milena);
    delete.args(["topics", "delete", "large", "-b", &bootstrap]);
    process::run(&mut delete, b"", wait::PATIENCE)?.success()?;
    waiting.await_line("done 1", wait::PATIENCE).context("it resumes by itself")?;
    wait::until("a topic to be made when there is room", wait::PATIENCE, || Ok(produce("after").ok()))?;
    cluster.done()
}

/// With three replicas, `min.insync.replicas` of two and the lag that is allowed by default, 30 s.
#[test]
fn a_follower_on_a_full_disk_is_not_waited_for_and_returns_when_there_is_room() -> Result<()> {
    const DISK_BYTES: u64 = 48 << 20;
    /// What is promised is about a second; a debug build that shares two cores is given more, and far less than 30 s.
    const GAP_MS_MAX: u64 = 10_000;
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let properties = format!(
        "default.replication.factor=3\nmin.insync.replicas=2\nnum.partitions={PARTITIONS}\n\
         log.segment.bytes=2097152\nlog.segment.delete.delay.ms=1000\nauto.leader.rebalance.enable=false"
    );
    let mut cluster = Cluster::start("full-follower", 3, 1, &properties)?;
    let disk = cluster.scratch.path().join("small-disk");
    std::fs::create_dir(&disk)?;
    cluster.broker(3).terminate()?;
    cluster.broker(3).set(&format!("log.dirs={}\n", disk.display()))?;
    cluster.broker(3).mount_small_disk(&disk, DISK_BYTES);
    cluster.broker(3).start()?;
    kcat::metadata(&cluster.bootstrap(), Some("steady"))?;
    cluster.await_in_sync("steady", 3)?;
    cluster.broker(3).terminate()?;
    cluster.broker(3).start().context("as a follower of everything")?;
    cluster.await_in_sync("steady", 3)?;
    let (mut producer, stop) = produce(&cluster, "steady")?;
    producer.await_line("acknowledged ", wait::PATIENCE)?;

    let ballast = disk.join("ballast");
    let inside = inside_of(cluster.broker(3).pid()?, &ballast);
    let written = std::fs::write(&inside, vec![0_u8; usize::try_from(2 * DISK_BYTES)?]);
    ensure!(written.is_err(), "the disk is larger than it should be");
    wait::until("the follower to be left out", wait::PATIENCE, || {
        let left = partitions(&cluster, "steady")?.iter().all(|seen| seen.in_sync == 2);
        Ok(left.then_some(()))
    })?;
    producer.await_line("acknowledged ", wait::PATIENCE)?;
    std::fs::remove_file(&inside)?;
    cluster.await_in_sync("steady", 3).context("there is room again")?;

    std::fs::write(&stop, "")?;
    for _ in 0..PARTITIONS {
        let line = producer.await_line("partition ", 2 * wait::PATIENCE)?;
        println!("full follower: partition {line}");
        let gap: u64 = line.split_whitespace().nth(3).context("no gap")?.parse()?;
        ensure!(gap <= GAP_MS_MAX, "partition {line}");
    }
    let errors = producer.await_line("errors ", wait::PATIENCE)?;
    ensure!(errors.starts_with("0 "), "errors reached the client: {errors}");
    cluster.done()
}

/// Where a process that has mounts of its own has a path.
fn inside_of(pid: u32, path: &Path) -> PathBuf {
    Path::new("/proc").join(pid.to_string()).join("root").join(path.strip_prefix("/").unwrap_or(path))
}

/// One record for a topic that is new, as long as it takes.
fn waiting_producer(bootstrap: &str) -> Result<std::process::Command> {
    python::command("steady_producer.py", &[bootstrap, "late", "1", "1"])
}
