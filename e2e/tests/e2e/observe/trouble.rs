//! A cluster with some life in it, and the trouble that brings forth what is only counted then.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use e2e::cluster::Cluster;
use e2e::kcat;
use e2e::process::Daemon;
use e2e::prometheus::Prometheus;
use e2e::wait;

use super::alerts;

pub(super) const TOPIC: &str = "observed";
const GROUP: &str = "observers";
const REPLICAS: usize = 3;

/// Small segments that are soon deleted and flushed at every append, so that all of it is seen within seconds.
pub(super) const PROPERTIES: &str = "default.replication.factor=3\nnum.partitions=3\nmin.insync.replicas=2\n\
    offsets.topic.replication.factor=3\nlog.segment.bytes=1048576\nlog.retention.bytes=2097152\nlog.flush.interval.messages=1\n\
    log.retention.check.interval.ms=1000\nlog.segment.delete.delay.ms=1000\nreplica.fetch.wait.max.ms=100";

/// Records, a consumer that stays in its group and falls behind what it has committed, and a refused record.
pub(super) fn live(cluster: &Cluster) -> Result<Daemon> {
    let bootstrap = cluster.bootstrap();
    kcat::metadata(&bootstrap, Some(TOPIC))?;
    cluster.await_in_sync(TOPIC, REPLICAS)?;
    produce(cluster)?;
    let mut command = Command::new("kcat");
    command.args(["-b", &bootstrap, "-q", "-G", GROUP, "-X", "auto.offset.reset=earliest"]);
    command.args(["-X", "auto.commit.interval.ms=500", TOPIC]);
    let consumer = Daemon::start("kcat", &mut command, &cluster.scratch.path().join("consumer.log"))?;
    refuse_a_record(cluster)?;
    Ok(consumer)
}

/// Enough for several segments of each partition.
pub(super) fn produce(cluster: &Cluster) -> Result<()> {
    let records: Vec<String> = (0..3_000).map(|number| format!("{number:04000}")).collect();
    kcat::produce(&cluster.bootstrap(), TOPIC, &["-X", "acks=all", "-p", "-1"], &records)
}

/// One that is larger than its topic allows: a failed request with an error code.
fn refuse_a_record(cluster: &Cluster) -> Result<()> {
    let arguments =
        ["-P", "-t", TOPIC, "-p", "0", "-D", "\\x00", "-X", "message.max.bytes=3000000", "-X", "retries=0"];
    let output = kcat::run(&cluster.bootstrap(), &arguments, &vec![b'x'; 2_000_000])?;
    ensure!(output.code != 0, "a record beyond max.message.bytes is taken: {output:?}");
    Ok(())
}

/// A broker dies and returns, and Prometheus tells it: 0, n, 0. Then the active controller dies, and etcd freezes.
pub(super) fn go_through(cluster: &mut Cluster, prometheus: &Prometheus) -> Result<()> {
    let expression = "sum(kafka_server_replicamanager_underreplicatedpartitions)";
    let await_value = |what: &str, wanted: fn(f64) -> bool| {
        wait::until(what, wait::PATIENCE, || {
            let value = prometheus.query(expression)?.first().map(|sample| sample.value);
            ensure!(value.is_some_and(wanted), "{expression} is {value:?}");
            Ok(Some(()))
        })
    };
    await_value("nothing under-replicated", |value| value == 0.0)?;
    cluster.broker(3).kill();
    await_value("something under-replicated", |value| value > 0.0)?;
    wait::until("the alert to wait", wait::PATIENCE, || {
        Ok((alerts::state(prometheus, "UnderReplicatedPartitions")? == "pending").then_some(()))
    })?;
    cluster.broker(3).start()?;
    await_value("nothing under-replicated again", |value| value == 0.0)?;
    kill_active_controller(cluster)?;
    freeze_etcd(cluster, prometheus)?;
    produce(cluster)
}

/// Until calls have failed, and the active controller has come to doubt what it knows.
fn freeze_etcd(cluster: &Cluster, prometheus: &Prometheus) -> Result<()> {
    let await_each = |what: &str, expressions: &[&str]| {
        wait::until(what, wait::PATIENCE, || {
            for expression in expressions {
                ensure!(!prometheus.query(expression)?.is_empty(), "{expression} is nothing");
            }
            Ok(Some(()))
        })
    };
    let active = ["sum(kafka_controller_kafkacontroller_activecontrollercount) == 1"];
    await_each("a controller to be active", &active)?;
    cluster.etcd.pause()?;
    let felt = await_each(
        "the frost to be felt",
        &["milena_metadata_store_errors_total > 0", "milena_controller_state_doubts_total > 0"],
    );
    cluster.etcd.resume()?;
    felt?;
    await_each("a controller to be active again", &active)
}

fn kill_active_controller(cluster: &mut Cluster) -> Result<()> {
    let active = "kafka_controller_kafkacontroller_activecontrollercount";
    let mut values = Vec::new();
    for controller in &cluster.controllers {
        values.push(controller.metric(active)?);
    }
    let at = values.iter().position(|value| *value == Some(1.0)).context("one is active")?;
    let controller = &mut cluster.controllers[at];
    controller.kill();
    controller.start()
}
