//! The deaths of brokers and controllers are noticed by who watches their processes, in milliseconds; leases of a minute show
//! that it is not they that ended. A controller that wakes up from a pause writes nothing.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use e2e::cluster::Cluster;
use e2e::daemons::Milena;
use e2e::process::Daemon;
use e2e::server::{Subject, subject};
use e2e::{kcat, process, python, wait, wire};

const PARTITIONS: i32 = 12;
const ACTIVE: &str = "kafka_controller_kafkacontroller_activecontrollercount";
const EPOCH: &str = "milena_controller_epoch";
/// No lease of a broker ends in any of these tests, where this is set.
const ENDLESS_SESSIONS: &str =
    "broker.session.timeout.ms=60000\nmin.insync.replicas=2\ndefault.replication.factor=3";
/// Between two looks, where the time is of interest.
const LOOK: Duration = Duration::from_millis(1);

/// Leader and leader epoch of every partition, as this broker tells.
fn leaders(cluster: &Cluster, asked: i32, topic: &str) -> Result<Vec<(i32, i32)>> {
    let told = wire::metadata(cluster.port(asked), Some(topic))?;
    let mut partitions = told.topics.into_iter().next().context("the topic is known")?.partitions;
    partitions.sort_by_key(|partition| partition.partition_index);
    Ok(partitions.iter().map(|partition| (partition.leader_id, partition.leader_epoch)).collect())
}

/// How long it takes until this broker says that only these lead.
fn until_led_by(cluster: &Cluster, asked: i32, topic: &str, living: &[i32]) -> Result<Duration> {
    let began = Instant::now();
    loop {
        let leaders = leaders(cluster, asked, topic)?;
        if leaders.iter().all(|(leader, _)| living.contains(leader)) {
            return Ok(began.elapsed());
        }
        ensure!(began.elapsed() < wait::PATIENCE, "{leaders:?}");
        std::thread::sleep(LOOK);
    }
}

/// Which of the controllers is active, by its place.
fn active(cluster: &Cluster) -> Result<usize> {
    wait::until("an active controller", wait::PATIENCE, || {
        let is_active = |controller: &Milena| matches!(controller.metric(ACTIVE), Ok(Some(1.0)));
        Ok(cluster.controllers.iter().position(is_active))
    })
}

/// How long it takes until this controller is active under this epoch.
fn until_active(cluster: &Cluster, controller: usize, epoch: f64) -> Result<Duration> {
    let began = Instant::now();
    while cluster.controllers[controller].metric(EPOCH)? != Some(epoch) {
        ensure!(
            began.elapsed() < wait::PATIENCE,
            "epoch {:?}",
            cluster.controllers[controller].metric(EPOCH)?
        );
        std::thread::sleep(LOOK);
    }
    Ok(began.elapsed())
}

fn start_producer(cluster: &Cluster, topic: &str, records: usize) -> Result<Daemon> {
    let (partitions, records) = (PARTITIONS.to_string(), records.to_string());
    let mut command =
        python::command("steady_producer.py", &[&cluster.bootstrap(), topic, &partitions, &records])?;
    process::Daemon::start("the producer", &mut command, &cluster.scratch.path().join("producer.log"))
}

fn until_acknowledged(producer: &mut Daemon, records: usize) -> Result<()> {
    while producer.await_line("acknowledged ", wait::PATIENCE)?.parse::<usize>()? < records {}
    Ok(())
}

/// Every record of the steady producer, once and in order.
fn check_records(cluster: &Cluster, topic: &str, records: usize) -> Result<()> {
    for partition in 0..PARTITIONS as usize {
        let read = kcat::consume(&cluster.bootstrap(), topic, "beginning", &["-p", &partition.to_string()])?;
        let expected = (partition..records).step_by(PARTITIONS as usize).map(|number| number.to_string());
        ensure!(read == expected.collect::<Vec<_>>(), "partition {partition}: {} records", read.len());
    }
    Ok(())
}

#[test]
fn a_killed_broker_and_a_killed_controller_are_followed_in_milliseconds_together_too() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let mut cluster = Cluster::start("failover-fast", 3, 2, ENDLESS_SESSIONS)?;
    cluster.create(1, "fast", PARTITIONS)?;
    cluster.await_in_sync("fast", 3)?;
    cluster.broker(1).kill();
    let broker = until_led_by(&cluster, 2, "fast", &[2, 3])?;
    cluster.broker(1).start()?;
    cluster.await_in_sync("fast", 3)?;

    let first = active(&cluster)?;
    let epoch = cluster.controllers[first].metric(EPOCH)?.context("it is active")?;
    cluster.controllers[first].kill();
    let controller = until_active(&cluster, 1 - first, epoch + 1.0)?;
    cluster.create_in_the_end(3, "after", PARTITIONS)?;
    cluster.controllers[first].start()?;

    cluster.controllers[1 - first].kill();
    cluster.broker(2).kill();
    let both = until_led_by(&cluster, 3, "fast", &[1, 3])?;
    println!(
        "followed: a broker after {broker:?}, a controller after {controller:?}, both together after {both:?}"
    );
    cluster.broker(2).start()?;
    cluster.await_in_sync("fast", 3)?;
    let evictions = "milena_controller_evictions_total{role=\"controller\"}";
    ensure!(
        cluster.controllers[first].metric(evictions)? == Some(1.0),
        "it was evicted, its lease did not end"
    );
    cluster.done()
}

#[test]
fn records_flow_while_controllers_are_killed_and_nobody_leads_anew() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    const RECORDS: usize = 24_000;
    let mut cluster = Cluster::start("failover-flow", 3, 2, ENDLESS_SESSIONS)?;
    cluster.create(1, "flow", PARTITIONS)?;
    cluster.await_in_sync("flow", 3)?;
    let before = leaders(&cluster, 1, "flow")?;
    let mut producer = start_producer(&cluster, "flow", RECORDS)?;
    until_acknowledged(&mut producer, RECORDS / 8)?;
    let first = active(&cluster)?;
    cluster.controllers[first].kill();
    until_acknowledged(&mut producer, RECORDS / 4)?;
    active(&cluster)?;
    cluster.controllers[1 - first].kill();
    until_acknowledged(&mut producer, RECORDS / 2)?;
    cluster.controllers.iter_mut().try_for_each(Milena::start)?;
    cluster.create_in_the_end(2, "again", PARTITIONS)?;
    producer.await_line(&format!("done {RECORDS}"), 2 * wait::PATIENCE)?;
    check_records(&cluster, "flow", RECORDS)?;
    ensure!(leaders(&cluster, 3, "flow")? == before, "no broker died, so nobody leads anew");
    cluster.done()
}

#[test]
fn a_controller_that_was_paused_for_longer_than_its_lease_writes_nothing_when_it_wakes() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let mut cluster = Cluster::start("failover-pause", 3, 2, ENDLESS_SESSIONS)?;
    cluster.create(1, "before", PARTITIONS)?;
    let first = active(&cluster)?;
    let epoch = cluster.controllers[first].metric(EPOCH)?.context("it is active")?;
    cluster.controllers[first].pause()?;
    let paused = until_active(&cluster, 1 - first, epoch + 1.0)?;
    println!("a paused controller is followed after {paused:?}");
    cluster.create_in_the_end(2, "meanwhile", PARTITIONS)?;
    cluster.await_in_sync("meanwhile", 3)?;
    let revision = cluster.etcd.revision()?;
    cluster.controllers[first].resume()?;
    wait::until("the old one to know", wait::PATIENCE, || {
        Ok((cluster.controllers[first].metric(ACTIVE)? == Some(0.0)).then_some(()))
    })?;
    cluster.controllers[first].await_ready()?;
    ensure!(cluster.etcd.revision()? == revision, "something was written");
    ensure!(active(&cluster)? == 1 - first, "the new one stays");
    cluster.create(3, "after", PARTITIONS)?;
    cluster.done()
}

#[test]
fn a_broker_that_was_paused_for_longer_than_its_session_comes_back_and_truncates() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    const RECORDS: usize = 12_000;
    let impatient = "broker.session.timeout.ms=3000\nbroker.heartbeat.interval.ms=500\nmin.insync.replicas=2";
    let mut cluster = Cluster::start("failover-session", 3, 1, impatient)?;
    cluster.create(1, "paused", PARTITIONS)?;
    cluster.await_in_sync("paused", 3)?;
    let mut producer = start_producer(&cluster, "paused", RECORDS)?;
    until_acknowledged(&mut producer, RECORDS / 4)?;
    cluster.broker(1).pause()?;
    until_led_by(&cluster, 2, "paused", &[2, 3])?;
    let registered = || cluster.etcd.value("/milena/brokers/ids/1");
    wait::until("its lease to end", wait::PATIENCE, || Ok(registered()?.is_none().then_some(())))?;
    until_acknowledged(&mut producer, RECORDS / 2)?;
    cluster.broker(1).resume()?;
    producer.await_line(&format!("done {RECORDS}"), 2 * wait::PATIENCE)?;
    cluster.await_in_sync("paused", 3)?;
    check_records(&cluster, "paused", RECORDS)?;
    cluster.done()
}
