//! The scenarios of Apache Kafka's system test of replication, with its own VerifiableProducer and VerifiableConsumer:
//! brokers and controllers are stopped or restarted, cleanly and hard, under acks=all, and every acknowledged value is
//! consumed, none of them from two places.
//!
//! `make test` runs one of each kind; `E2E_BOUNCES=all` runs every one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use e2e::cluster::Cluster;
use e2e::daemons::Milena;
use e2e::process::Daemon;
use e2e::server::{Subject, subject};
use e2e::{java, kcat, wait};
use serde_json::Value;

const TOPIC: &str = "test_topic";
/// Internal topics are replicated, so that the consumer's group survives as well.
const PROPERTIES: &str = "default.replication.factor=3\nnum.partitions=3\nmin.insync.replicas=2\n\
                          offsets.topic.replication.factor=3\noffsets.topic.num.partitions=3";
/// As the original has it.
const PRODUCER: &str = "enable.idempotence=true\nretries=1000000\ndelivery.timeout.ms=120000\n";
const RECORDS_PER_SECOND: &str = "1000";
const RECORDS_MIN: usize = 5_000;
const CONSUMED_AT_FIRST: usize = 5;
/// The original has five; each is of another leader.
const BOUNCES: usize = 3;
const ALL_VARIABLE: &str = "E2E_BOUNCES";
/// As a JVM reports SIGTERM after its hooks.
const TERMINATED: i32 = 143;

#[derive(Clone, Copy, Debug)]
enum Failure {
    CleanShutdown,
    HardShutdown,
    CleanBounce,
    HardBounce,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whom {
    /// Of partition 0.
    Leader,
    /// The active one.
    Controller,
    /// Every broker at once, and every controller.
    All,
}

#[test]
fn a_clean_shutdown_of_a_leader_loses_nothing() -> Result<()> {
    scenario(Failure::CleanShutdown, Whom::Leader, false)
}

#[test]
fn a_hard_shutdown_of_a_leader_loses_nothing() -> Result<()> {
    scenario(Failure::HardShutdown, Whom::Leader, true)
}

#[test]
fn clean_bounces_of_leaders_lose_nothing() -> Result<()> {
    scenario(Failure::CleanBounce, Whom::Leader, true)
}

#[test]
fn hard_bounces_of_leaders_lose_nothing() -> Result<()> {
    scenario(Failure::HardBounce, Whom::Leader, true)
}

#[test]
fn a_clean_shutdown_of_the_controller_loses_nothing() -> Result<()> {
    scenario(Failure::CleanShutdown, Whom::Controller, false)
}

#[test]
fn a_hard_shutdown_of_the_controller_loses_nothing() -> Result<()> {
    scenario(Failure::HardShutdown, Whom::Controller, false)
}

#[test]
fn clean_bounces_of_controllers_lose_nothing() -> Result<()> {
    scenario(Failure::CleanBounce, Whom::Controller, false)
}

#[test]
fn hard_bounces_of_controllers_lose_nothing() -> Result<()> {
    scenario(Failure::HardBounce, Whom::Controller, true)
}

#[test]
fn clean_bounces_of_all_lose_nothing() -> Result<()> {
    scenario(Failure::CleanBounce, Whom::All, false)
}

#[test]
fn hard_bounces_of_all_lose_nothing() -> Result<()> {
    scenario(Failure::HardBounce, Whom::All, true)
}

fn scenario(failure: Failure, whom: Whom, is_always_run: bool) -> Result<()> {
    let is_run = is_always_run || std::env::var(ALL_VARIABLE).is_ok_and(|which| which == "all");
    if !is_run || subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let mut cluster = Cluster::start("bounce", 3, 2, PROPERTIES)?;
    kcat::metadata(&cluster.bootstrap(), Some(TOPIC))?;
    cluster.await_in_sync(TOPIC, 3)?;
    let mut producer = start_producer(&cluster)?;
    let mut consumer = start_consumer(&cluster)?;
    // Two JVMs start at once, beside those of other tests.
    wait::until("the first records", 3 * wait::PATIENCE, || {
        Ok((consumed(&consumer)?.len() >= CONSUMED_AT_FIRST).then_some(()))
    })?;
    fail(&mut cluster, failure, whom).with_context(|| format!("{failure:?} of {whom:?}"))?;
    validate(&mut producer, &mut consumer).with_context(|| format!("{failure:?} of {whom:?}"))?;
    cluster.done()
}

fn fail(cluster: &mut Cluster, failure: Failure, whom: Whom) -> Result<()> {
    let times = if matches!(failure, Failure::CleanBounce | Failure::HardBounce) { BOUNCES } else { 1 };
    for _ in 0..times {
        let victims = victims(cluster, whom)?;
        for &victim in &victims {
            stop(daemon(cluster, victim), failure)?;
        }
        if matches!(failure, Failure::CleanShutdown | Failure::HardShutdown) {
            return Ok(());
        }
        victims.iter().try_for_each(|victim| daemon(cluster, *victim).start_unready())?;
        victims.iter().try_for_each(|victim| daemon(cluster, *victim).await_ready())?;
        cluster.await_in_sync(TOPIC, 3)?;
    }
    Ok(())
}

fn stop(daemon: &mut Milena, failure: Failure) -> Result<()> {
    match failure {
        Failure::HardShutdown | Failure::HardBounce => daemon.kill(),
        Failure::CleanShutdown | Failure::CleanBounce => {
            let code = daemon.terminate()?;
            ensure!(code == 0, "a clean stop ended with {code}");
        }
    }
    Ok(())
}

/// One of the cluster's daemons.
#[derive(Clone, Copy, Debug)]
enum Victim {
    Broker(i32),
    /// From 0.
    Controller(usize),
}

fn victims(cluster: &Cluster, whom: Whom) -> Result<Vec<Victim>> {
    Ok(match whom {
        Whom::Leader => vec![Victim::Broker(leader(cluster)?)],
        Whom::Controller => vec![Victim::Controller(active_controller(cluster)?)],
        Whom::All => {
            let brokers = (1..).zip(&cluster.brokers).map(|(id, _)| Victim::Broker(id));
            brokers.chain((0..cluster.controllers.len()).map(Victim::Controller)).collect()
        }
    })
}

fn daemon(cluster: &mut Cluster, victim: Victim) -> &mut Milena {
    match victim {
        Victim::Broker(id) => cluster.broker(id),
        Victim::Controller(at) => &mut cluster.controllers[at],
    }
}

fn leader(cluster: &Cluster) -> Result<i32> {
    wait::until("a leader", wait::PATIENCE, || {
        let metadata = kcat::metadata(&cluster.bootstrap(), Some(TOPIC))?;
        let leader = metadata["topics"][0]["partitions"][0]["leader"].as_i64().context("no leader")?;
        Ok(i32::try_from(leader).ok().filter(|leader| *leader > 0))
    })
}

fn active_controller(cluster: &Cluster) -> Result<usize> {
    const ACTIVE: &str = "kafka_controller_kafkacontroller_activecontrollercount";
    wait::until("an active controller", wait::PATIENCE, || {
        let mut controllers = cluster.controllers.iter();
        Ok(controllers.position(|controller| controller.metric(ACTIVE).is_ok_and(|value| value == Some(1.0))))
    })
}

fn start_producer(cluster: &Cluster) -> Result<Daemon> {
    let (folder, bootstrap) = (cluster.scratch.path(), cluster.bootstrap());
    let file = folder.join("producer.properties");
    fs::write(&file, PRODUCER)?;
    let mut command = java::command()?;
    command.arg(java::VERIFIABLE_PRODUCER).args(["--bootstrap-server", &bootstrap, "--topic", TOPIC]);
    command.args(["--throughput", RECORDS_PER_SECOND, "--acks", "-1", "--command-config"]).arg(file);
    Daemon::start("VerifiableProducer", &mut command, &folder.join("producer.log"))
}

fn start_consumer(cluster: &Cluster) -> Result<Daemon> {
    let mut command = java::command()?;
    let bootstrap = cluster.bootstrap();
    command.arg(java::VERIFIABLE_CONSUMER).args(["--bootstrap-server", &bootstrap, "--topic", TOPIC]);
    command.args(["--group-id", "test_group", "--session-timeout", "30000", "--verbose"]);
    Daemon::start("VerifiableConsumer", &mut command, &cluster.scratch.path().join("consumer.log"))
}

/// The lines of JSON that a tool printed under this name.
fn events(tool: &Daemon, name: &str) -> Vec<Value> {
    let log = tool.log();
    let events = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    events.filter(|event| event["name"] == name).collect()
}

fn acknowledged(producer: &Daemon) -> BTreeSet<String> {
    let sent = events(producer, "producer_send_success").into_iter();
    sent.filter_map(|event| Some(event["value"].as_str()?.to_owned())).collect()
}

/// Every place that was consumed, with its value; one that was consumed again holds the same.
fn consumed(consumer: &Daemon) -> Result<BTreeMap<(i64, i64), String>> {
    let mut places = BTreeMap::new();
    for event in events(consumer, "record_data") {
        let (partition, offset) = (event["partition"].as_i64(), event["offset"].as_i64());
        let place = (partition.context("no partition")?, offset.context("no offset")?);
        let value = event["value"].as_str().context("no value")?.to_owned();
        match places.insert(place, value.clone()) {
            Some(before) if before != value => bail!("{place:?} held {before}, and then {value}"),
            _ => {}
        }
    }
    Ok(places)
}

/// Every acknowledged value is consumed, and no value lies at two places.
fn validate(producer: &mut Daemon, consumer: &mut Daemon) -> Result<()> {
    wait::until("records enough", wait::PATIENCE, || {
        ensure!(producer.is_running(), "the producer ended\n{}", producer.log_tail());
        let count = acknowledged(producer).len();
        ensure!(count >= RECORDS_MIN, "{count} acknowledged");
        Ok(Some(()))
    })?;
    end(producer)?;
    let failed = events(producer, "producer_send_error");
    ensure!(failed.is_empty(), "{} were refused, the first: {}", failed.len(), failed[0]);
    let acknowledged = acknowledged(producer);
    let places = wait::until("all to be consumed", wait::PATIENCE, || {
        ensure!(consumer.is_running(), "the consumer ended\n{}", consumer.log_tail());
        let places = consumed(consumer)?;
        let values: BTreeSet<&String> = places.values().collect();
        let missing: Vec<_> = acknowledged.iter().filter(|value| !values.contains(value)).take(10).collect();
        ensure!(missing.is_empty(), "{missing:?}… were not consumed");
        Ok(Some(places))
    })?;
    let values: BTreeSet<&String> = places.values().collect();
    ensure!(values.len() == places.len(), "{} values lie at {} places", values.len(), places.len());
    end(consumer)
}

fn end(tool: &mut Daemon) -> Result<()> {
    let code = tool.terminate(Duration::from_secs(30))?;
    ensure!(code == 0 || code == TERMINATED, "exit code {code}\n{}", tool.log_tail());
    Ok(())
}
