//! Brokers that are stopped in order and started again, one after the other, under load: clients with default settings see
//! no error, and hardly a pause.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::cluster::Cluster;
use e2e::daemons::Milena;
use e2e::process::Daemon;
use e2e::server::{Subject, subject};
use e2e::{kcat, python, wait};

const TOPIC: &str = "steady";
const PARTITIONS: usize = 12;
const BROKERS: i32 = 3;
const CONTROLLERS: i32 = 2;

/// What the house promises is 150 ms, to be measured on a quiet machine. A debug build that shares two cores with other
/// tests is given more, but far less than a lease takes to end…
const GAP_MS_MAX: u64 = 10_000;
/// …here.
const SESSION: &str = "broker.session.timeout.ms=60000";

/// Between two steps of a test records flow undisturbed for so many of them.
const UNDISTURBED: usize = 2_000;

fn start(name: &str) -> Result<Cluster> {
    let properties = format!(
        "default.replication.factor=3\nmin.insync.replicas=2\nnum.partitions={PARTITIONS}\n\
         offsets.topic.replication.factor=3\n{SESSION}"
    );
    let cluster = Cluster::start(name, BROKERS, CONTROLLERS, &properties)?;
    kcat::metadata(&cluster.bootstrap(), Some(TOPIC))?;
    await_in_sync(&cluster)?;
    Ok(cluster)
}

fn await_in_sync(cluster: &Cluster) -> Result<()> {
    cluster.await_in_sync(TOPIC, BROKERS as usize)
}

/// Stops a broker in order and starts it again.
fn bounce(cluster: &mut Cluster, broker: i32) -> Result<()> {
    let code = cluster.broker(broker).terminate()?;
    ensure!(code == 0, "broker {broker} ended with {code}");
    cluster.broker(broker).start()?;
    await_in_sync(cluster)
}

/// The client that is watched.
struct Load {
    producer: Daemon,
    stop: PathBuf,
    acknowledged: usize,
}

impl Load {
    fn start(cluster: &Cluster, idempotent: bool) -> Result<Load> {
        let stop = cluster.scratch.path().join("stop");
        let (partitions, stop_path) = (PARTITIONS.to_string(), stop.display().to_string());
        let bootstrap = cluster.bootstrap();
        let mut arguments = vec![bootstrap.as_str(), TOPIC, &partitions, &stop_path];
        arguments.extend(idempotent.then_some("idempotent"));
        let mut command = python::command("uninterrupted.py", &arguments)?;
        let log = cluster.scratch.path().join("producer.log");
        Ok(Load { producer: Daemon::start("the producer", &mut command, &log)?, stop, acknowledged: 0 })
    }

    /// Lets it go on for so many records.
    fn flow(&mut self, records: usize) -> Result<()> {
        let target = self.acknowledged + records;
        while self.acknowledged < target {
            self.acknowledged = self.producer.await_line("acknowledged ", wait::PATIENCE)?.parse()?;
        }
        Ok(())
    }

    /// Catches up with what was acknowledged meanwhile, then lets it go on undisturbed.
    fn flow_undisturbed(&mut self) -> Result<()> {
        let behind = Duration::from_millis(1);
        while let Ok(line) = self.producer.await_line("acknowledged ", behind) {
            self.acknowledged = line.parse()?;
        }
        self.flow(UNDISTURBED)
    }

    /// Ends it: the longest gap of all partitions in milliseconds, and how many records each partition got.
    fn end(mut self) -> Result<(u64, usize)> {
        std::fs::write(&self.stop, "")?;
        let mut longest = 0;
        for _ in 0..PARTITIONS {
            let line = self.producer.await_line("partition ", 2 * wait::PATIENCE)?;
            let gap = line.split_whitespace().nth(3).context("no gap")?;
            println!("partition {line}");
            longest = longest.max(gap.parse()?);
        }
        let records = self.producer.await_line("records ", wait::PATIENCE)?.parse()?;
        let errors = self.producer.await_line("errors ", wait::PATIENCE)?;
        ensure!(errors.starts_with("0 "), "errors reached the client: {errors}");
        Ok((longest, records))
    }
}

#[test]
fn a_client_does_not_notice_that_a_broker_is_restarted() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let mut cluster = start("clean-restart")?;
    let mut load = Load::start(&cluster, false)?;
    load.flow(UNDISTURBED)?;
    for broker in 1..=BROKERS {
        bounce(&mut cluster, broker)?;
        load.flow_undisturbed()?;
    }
    let (longest, _) = load.end()?;
    println!("clean restart: longest gap {longest} ms");
    ensure!(longest <= GAP_MS_MAX, "a partition went without acknowledgements for {longest} ms");
    cluster.done()
}

#[test]
fn everything_is_restarted_in_turn_and_nothing_is_lost() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let mut cluster = start("rolling-restart")?;
    let mut load = Load::start(&cluster, true)?;
    load.flow(UNDISTURBED)?;
    for controller in 0..cluster.controllers.len() {
        ensure!(cluster.controllers[controller].terminate()? == 0, "a controller ended with an error");
        cluster.controllers[controller].start()?;
        load.flow_undisturbed()?;
    }
    for broker in 1..=BROKERS {
        bounce(&mut cluster, broker)?;
        load.flow_undisturbed()?;
    }
    cluster.etcd.restart()?;
    load.flow_undisturbed()?;
    bounce(&mut cluster, 1)?;
    let (longest, records) = load.end()?;
    println!("rolling restart of everything: longest gap {longest} ms");
    let expected: Vec<String> = (0..records).map(|number| number.to_string()).collect();
    for partition in 0..PARTITIONS {
        let arguments = ["-p", &partition.to_string()];
        let read = kcat::consume(&cluster.bootstrap(), TOPIC, "beginning", &arguments)?;
        let differs = read.iter().zip(&expected).position(|(read, expected)| read != expected);
        ensure!(read == expected, "partition {partition}: {} of {records}, {differs:?}", read.len());
    }
    cluster.done()
}

#[test]
fn brokers_stop_in_order_without_a_controller_and_all_at_once() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let mut cluster = start("stop-all")?;
    let lines: Vec<String> = (0..1_000).map(|number| number.to_string()).collect();
    kcat::produce(&cluster.bootstrap(), TOPIC, &["-p", "0"], &lines)?;
    cluster.controllers.iter_mut().for_each(Milena::kill);
    cluster.brokers.iter().try_for_each(Milena::ask_to_stop)?;
    for broker in &mut cluster.brokers {
        ensure!(broker.ended()? == 0, "a broker ended with an error");
    }
    cluster.controllers.iter_mut().try_for_each(Milena::start)?;
    cluster.brokers.iter_mut().try_for_each(Milena::start_unready)?;
    cluster.brokers.iter_mut().try_for_each(Milena::await_ready)?;
    await_in_sync(&cluster)?;
    kcat::await_records(&cluster.bootstrap(), TOPIC, 0, &lines)?;
    cluster.done()
}
