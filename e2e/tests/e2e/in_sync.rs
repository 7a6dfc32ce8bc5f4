//! Who is in sync, and what comes of it when somebody is not: gauges that operators watch, and errors that producers get.

use anyhow::{Context, Result, ensure};
use e2e::cluster::Cluster;
use e2e::daemons::Milena;
use e2e::server::{Subject, subject};
use e2e::{kcat, wait};

const PARTITIONS: usize = 6;
const UNDER_REPLICATED: &str = "kafka_server_replicamanager_underreplicatedpartitions";
const LED: &str = "kafka_server_replicamanager_leadercount";
const STUCK: &str = "milena_replicas_out_of_sync{cause=\"stuck\"}";
const CAUSES: [&str; 3] = ["stuck", "slow", "catching_up"];

fn start(name: &str, properties: &str) -> Result<Cluster> {
    let common = format!("default.replication.factor=3\nnum.partitions={PARTITIONS}");
    Cluster::start(name, 3, 1, &format!("{common}\n{properties}"))
}

/// Creates a topic, and returns once every replica of it is in sync.
fn create(cluster: &Cluster, topic: &str) -> Result<()> {
    kcat::metadata(&cluster.bootstrap(), Some(topic))?;
    cluster.await_in_sync(topic, 3)
}

#[test]
fn every_broker_tells_of_a_replica_that_went_and_that_it_is_back() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let mut cluster = start("under-replicated", "min.insync.replicas=2")?;
    create(&cluster, "told")?;
    cluster.brokers.iter().try_for_each(|broker| broker.await_metric(UNDER_REPLICATED, 0.0))?;
    cluster.brokers[2].kill();
    let rest = &cluster.brokers[..2];
    let led = |broker: &Milena| broker.metric(LED)?.context("the gauge is there from the start");
    // The dead one is out of every ISR, so that all that is led now lacks a replica.
    wait::until("the other brokers lead everything", wait::PATIENCE, || {
        let sum = rest.iter().map(led).sum::<Result<f64>>()?;
        ensure!(sum == PARTITIONS as f64, "{sum} partitions are led");
        Ok(Some(()))
    })?;
    for broker in rest {
        broker.await_metric(UNDER_REPLICATED, led(broker)?)?;
        broker.await_metric(STUCK, led(broker)?)?;
    }
    cluster.brokers[2].start()?;
    cluster.await_in_sync("told", 3)?;
    for broker in &cluster.brokers {
        broker.await_metric(UNDER_REPLICATED, 0.0)?;
        for cause in CAUSES {
            broker.await_metric(&format!("milena_replicas_out_of_sync{{cause=\"{cause}\"}}"), 0.0)?;
        }
    }
    cluster.done()
}

/// The first partition of a topic that this broker leads.
fn led_by(cluster: &Cluster, topic: &str, broker: i64) -> Result<String> {
    let metadata = kcat::metadata(&cluster.brokers[0].bootstrap(), Some(topic))?;
    let partitions = metadata["topics"][0]["partitions"].as_array().context("no partitions")?;
    let at = partitions.iter().position(|partition| partition["leader"] == broker);
    Ok(at.context("it leads one")?.to_string())
}

#[test]
fn acks_all_is_refused_before_and_after_the_append_when_too_few_are_in_sync() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let patient =
        "replica.lag.time.max.ms=6000\nbroker.session.timeout.ms=60000\nreplica.fetch.wait.max.ms=200";
    let cluster = start("too-few", &format!("min.insync.replicas=3\n{patient}"))?;
    create(&cluster, "few")?;
    let partition = led_by(&cluster, "few", 1)?;
    cluster.brokers[2].pause()?;
    let produce = || {
        let arguments = ["-P", "-t", "few", "-p", &partition, "-X", "acks=all", "-X", "retries=0"];
        let output = kcat::run(&cluster.brokers[0].bootstrap(), &arguments, b"record\n")?;
        Ok::<_, anyhow::Error>(format!("{output:?}"))
    };
    let after = produce()?;
    ensure!(after.contains("written to insufficient number of in-sync replicas"), "{after}");
    let before = produce()?;
    ensure!(before.contains("Not enough in-sync replicas"), "{before}");
    cluster.brokers[2].resume()?;
    cluster.await_in_sync("few", 3)?;
    let arguments = ["-p", &partition];
    kcat::produce(
        &cluster.bootstrap(),
        "few",
        &[&arguments[..], &["-X", "acks=all"]].concat(),
        &["last".into()],
    )?;
    let records = kcat::consume(&cluster.bootstrap(), "few", "beginning", &arguments)?;
    ensure!(records == ["record", "last"], "what was refused after the append is there: {records:?}");
    cluster.done()
}
