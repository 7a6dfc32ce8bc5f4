//! etcd frozen, restarted, full, and away together with every controller: records and groups go on all the while with the
//! leaders that there are, and when it is back everything resumes by itself.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use e2e::cluster::Cluster;
use e2e::daemons::Milena;
use e2e::etcd::Etcd;
use e2e::process::Daemon;
use e2e::scratch::Scratch;
use e2e::server::{Subject, subject};
use e2e::{kcat, python, wait, wire};
use protocol::ErrorCode;

const PARTITIONS: i32 = 3;
const DURABLE: &str = "min.insync.replicas=2\ndefault.replication.factor=3\nnum.partitions=3";
/// For so long a cluster does without etcd and controllers: ten times a broker's lease.
const AWAY_FOR: Duration = Duration::from_secs(60);
/// Longer than the leases of controllers and brokers.
const FROZEN_FOR: Duration = Duration::from_secs(8);

fn produce(cluster: &Cluster, topic: &str) -> Result<()> {
    for partition in ["0", "1", "2"] {
        let lines: Vec<String> = (0..100).map(|number| number.to_string()).collect();
        kcat::produce(&cluster.bootstrap(), topic, &["-X", "acks=all", "-p", partition], &lines)?;
    }
    Ok(())
}

fn leader_epochs(cluster: &Cluster, topic: &str) -> Result<Vec<i32>> {
    (0..PARTITIONS).map(|index| Ok(wire::partition(cluster.port(2), topic, index)?.leader_epoch)).collect()
}

fn metric_sum(daemon: &Milena, name: &str) -> Result<f64> {
    Ok(daemon.metric_sum(name)?.unwrap_or_default())
}

#[test]
fn etcd_is_restarted_and_frozen_and_everything_goes_on() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let mut cluster = Cluster::start("etcd-failures", 3, 2, DURABLE)?;
    cluster.create_in_the_end(1, "steady", PARTITIONS)?;
    cluster.await_in_sync("steady", 3)?;
    produce(&cluster, "steady")?;
    let before = leader_epochs(&cluster, "steady")?;
    cluster.etcd.restart()?;
    produce(&cluster, "steady")?;
    cluster.create_in_the_end(1, "after-restart", PARTITIONS)?;
    ensure!(leader_epochs(&cluster, "steady")? == before, "a restart of etcd is nobody's death");

    cluster.etcd.pause()?;
    let thaw_at = Instant::now() + FROZEN_FOR;
    while Instant::now() < thaw_at {
        produce(&cluster, "steady")?;
    }
    cluster.etcd.resume()?;
    cluster.create_in_the_end(1, "after-frost", PARTITIONS)?;
    for topic in ["steady", "after-restart", "after-frost"] {
        cluster.await_in_sync(topic, 3)?;
    }
    produce(&cluster, "steady")?;
    for daemon in cluster.brokers.iter().chain(&cluster.controllers) {
        ensure!(metric_sum(daemon, "milena_metadata_store_errors_total")? > 0.0, "failures are counted");
        ensure!(
            metric_sum(daemon, "milena_metadata_store_request_duration_seconds_count")? > 0.0,
            "and answers"
        );
    }
    cluster.done()
}

/// Groups that commit one offset after the other, each of which must be found in the end.
fn start_groups(cluster: &Cluster, stop: &std::path::Path) -> Result<Daemon> {
    let stop = stop.display().to_string();
    let mut command = python::command("group_commits.py", &[&cluster.bootstrap(), "grouped", "3", &stop])?;
    Daemon::start("the groups", &mut command, &cluster.scratch.path().join("groups.log"))
}

#[test]
fn records_and_groups_go_on_for_a_minute_without_any_controller_and_without_etcd() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let properties = format!("{DURABLE}\noffsets.topic.replication.factor=3");
    let mut cluster = Cluster::start("away", 3, 2, &properties)?;
    cluster.create_in_the_end(1, "steady", PARTITIONS)?;
    cluster.create_in_the_end(1, "grouped", PARTITIONS)?;
    cluster.await_in_sync("steady", 3)?;
    let stop = cluster.scratch.path().join("stop");
    let mut groups = start_groups(&cluster, &stop)?;
    groups.await_line("committed ", wait::PATIENCE)?;
    cluster.await_in_sync("__consumer_offsets", 3)?;
    let before = leader_epochs(&cluster, "steady")?;
    cluster.controllers.iter_mut().for_each(Milena::kill);
    cluster.etcd.pause()?;
    let (back_at, mut rounds) = (Instant::now() + AWAY_FOR, 0);
    while Instant::now() < back_at {
        produce(&cluster, "steady")?;
        rounds += 1;
        groups.await_line("committed ", wait::PATIENCE)?;
        // A group that forms anew, and reads everything.
        let group = format!("round-{rounds}");
        let reader = ["-G", &group, "-q", "-e", "-X", "auto.offset.reset=earliest", "steady"];
        let read = kcat::run(&cluster.bootstrap(), &reader, b"")?.success()?.lines().count();
        ensure!(read == rounds * 300, "{read} records after {rounds} rounds");
    }
    ensure!(leader_epochs(&cluster, "steady")? == before, "nobody can have been elected");
    cluster.etcd.resume()?;
    cluster.controllers.iter_mut().try_for_each(Milena::start)?;
    cluster.create_in_the_end(1, "after", PARTITIONS)?;
    cluster.await_in_sync("steady", 3)?;
    produce(&cluster, "steady")?;
    std::fs::write(&stop, "")?;
    groups.await_line("found ", wait::PATIENCE)?;
    println!("{rounds} rounds of records and groups without controllers and etcd");
    cluster.done()
}

#[test]
fn a_full_etcd_refuses_changes_and_nothing_else_until_there_is_space() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let scratch = Scratch::new("etcd-full")?;
    let etcd = Etcd::with(&scratch, &["--quota-backend-bytes", "16777216"])?;
    let start = |mut daemon: Milena| {
        daemon.set(&format!("{DURABLE}\n"))?;
        daemon.start()?;
        Ok::<_, anyhow::Error>(daemon)
    };
    let controllers = vec![start(Milena::controller(&scratch, &etcd, 100)?)?];
    let brokers = (1..=3).map(|id| start(Milena::broker(&scratch, &etcd, id)?)).collect::<Result<_>>()?;
    let cluster = Cluster { brokers, controllers, etcd, scratch };
    cluster.create_in_the_end(1, "steady", PARTITIONS)?;
    cluster.await_in_sync("steady", 3)?;

    let junk = vec![b'x'; 1024 * 1024];
    wait::until("etcd to be full", wait::PATIENCE, || {
        Ok(cluster.etcd.ctl_with(&["put", "junk"], &junk).is_err().then_some(()))
    })?;
    ensure!(cluster.etcd.ctl(&["alarm", "list"])?.contains("NOSPACE"), "etcd says why");
    let refused = wire::create_topic(cluster.port(1), "refused", PARTITIONS, 3, Duration::from_secs(2))?;
    ensure!(refused != ErrorCode::None, "nothing can be created");
    produce(&cluster, "steady")?;
    let records = kcat::consume(&cluster.bootstrap(), "steady", "beginning", &[])?;
    ensure!(records.len() == 300, "{} records are read", records.len());
    let no_space = "milena_metadata_store_errors_total{kind=\"no_space\",operation=\"txn\"}";
    ensure!(cluster.controllers[0].metric(no_space)?.is_some_and(|count| count > 0.0), "it is counted");
    ensure!(
        cluster.controllers[0].metric("kafka_controller_kafkacontroller_activecontrollercount")? == Some(1.0),
        "still active"
    );

    let revision = cluster.etcd.revision()?.to_string();
    cluster.etcd.ctl(&["compact", &revision])?;
    cluster.etcd.ctl(&["defrag"])?;
    cluster.etcd.ctl(&["alarm", "disarm"])?;
    cluster.create_in_the_end(1, "after", PARTITIONS)?;
    cluster.done()
}
