//! kill -9 of the active controller under load: the standby acts when it creates a topic. Then a broker with it, then with
//! many partitions in the metadata store. Of Milena only: Kafka's cluster has one controller here.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::outage::{Outage, in_ms};
use super::{REPLICAS, SETTLING};
use crate::cluster::Cluster;
use crate::cluster::etcd::{self, ActiveController};
use crate::load::{self, Created, Done};
use crate::measures::Turn;
use crate::steady::Steady;

const TOPIC: &str = "controllers";
/// The many partitions lie in so many topics.
const TOPICS: u32 = 10;
const ELECTION_TIMEOUT: Duration = Duration::from_secs(60);
const ELECTION_PAUSE: Duration = Duration::from_millis(5);
/// Of the topics that show that the standby acts: one of them may be with the broker that was killed.
const TOPIC_REPLICAS: &str = "2";
/// No try to create a topic waits longer for a controller that is gone.
const CREATE_TIMEOUT_MS: &str = "500";

pub fn take(turn: &mut Turn<'_>, cluster: &mut Cluster) -> Result<()> {
    let Some(etcd) = cluster.store.as_ref().map(|store| store.port) else { return Ok(()) };
    turn.create_replicated(&[TOPIC])?;
    let kills = turn.options.controller_kills;
    part(turn, cluster, etcd, "kill -9 of the controller", &vec![None; kills as usize])?;
    let brokers: Vec<_> = (1..=REPLICAS as i32).cycle().map(Some).take(kills as usize).collect();
    part(turn, cluster, etcd, "kill -9 of controller and broker", &brokers)?;
    let many = turn.options.controller_partitions;
    if many > 0 {
        create_many(turn, many)?;
        let name = format!("kill -9 of the controller, {many} partitions");
        part(turn, cluster, etcd, &name, &vec![None; kills as usize])?;
    }
    Ok(())
}

/// One replica each: what counts is what the controller has to read.
fn create_many(turn: &mut Turn<'_>, partitions: u32) -> Result<()> {
    let names: Vec<String> = (0..TOPICS).map(|number| format!("many-{number}")).collect();
    let topics: Vec<&str> = names.iter().map(String::as_str).collect();
    turn.create(&topics, partitions / TOPICS)?;
    Ok(())
}

/// One kill after the other, of the active controller and the broker that is named with it.
fn part(
    turn: &mut Turn<'_>,
    cluster: &mut Cluster,
    etcd: u16,
    name: &str,
    brokers: &[Option<i32>],
) -> Result<()> {
    let mut steady = turn.steady(TOPIC, &[])?;
    let mut outages = Vec::new();
    for (number, &broker) in brokers.iter().enumerate() {
        let leaders = turn.await_isr(TOPIC, REPLICAS)?;
        thread::sleep(SETTLING);
        let (from, to) = (format!("kill {number}"), format!("acts {number}"));
        steady.mark(&from)?;
        let killed = kill(cluster, etcd, broker)?;
        await_successor(turn, etcd, name, &killed, number)?;
        if broker.is_some() {
            turn.await_isr(TOPIC, REPLICAS - 1)?;
        }
        thread::sleep(SETTLING);
        steady.mark(&to)?;
        revive(cluster, &mut steady, broker, &killed)?;
        outages.push(Outage { from, to, leaders, broker: broker.unwrap_or_default() });
    }
    let log = turn.finish(name, steady)?;
    for outage in outages {
        turn.sample(format!("{name}: longest gap of any partition"), "ms", in_ms(outage.gaps(&log)?.any));
    }
    Ok(())
}

/// Who was killed, and when.
struct Killed {
    controller: ActiveController,
    /// Its place among the cluster's controllers.
    place: usize,
    at: Instant,
}

fn kill(cluster: &mut Cluster, etcd: u16, broker: Option<i32>) -> Result<Killed> {
    let controller = etcd::active_controller(etcd)?.context("no controller is active")?;
    let name = format!("controller-{}", controller.id);
    let place = cluster.controllers.iter().position(|node| node.name == name);
    let place = place.with_context(|| format!("{name} is none of ours"))?;
    let at = Instant::now();
    cluster.controllers[place].kill()?;
    if let Some(broker) = broker {
        cluster.broker(broker).kill()?;
    }
    Ok(Killed { controller, place, at })
}

/// The other holds `/controller`, then creates a topic.
fn await_successor(turn: &mut Turn<'_>, etcd: u16, name: &str, killed: &Killed, number: usize) -> Result<()> {
    let topic = format!("{}-{number}", name.replace([' ', ','], "-"));
    let arguments =
        ["--partitions", "1", "--replicas", TOPIC_REPLICAS, "--request-timeout-ms", CREATE_TIMEOUT_MS];
    let mut create = turn.load_command("create", &arguments);
    create.args(["--topics", &topic]);
    let elected = thread::scope(|scope| {
        let created = scope.spawn(|| {
            let done: Result<Done<Created>> = load::run(&mut create);
            done.map(|_| killed.at.elapsed())
        });
        let elected = await_election(etcd, killed)?;
        let created = created.join().map_err(|_| anyhow::anyhow!("the thread that creates panicked"))??;
        anyhow::Ok((elected, created))
    });
    let (elected, created) = elected?;
    turn.sample(format!("{name}: until the standby is elected"), "ms", in_ms(elected));
    turn.sample(format!("{name}: until it has created a topic"), "ms", in_ms(created));
    Ok(())
}

fn await_election(etcd: u16, killed: &Killed) -> Result<Duration> {
    loop {
        let active = etcd::active_controller(etcd)?;
        if active.is_some_and(|active| active.elected != killed.controller.elected) {
            return Ok(killed.at.elapsed());
        }
        ensure!(killed.at.elapsed() < ELECTION_TIMEOUT, "no controller takes over");
        thread::sleep(ELECTION_PAUSE);
    }
}

fn revive(cluster: &mut Cluster, steady: &mut Steady, broker: Option<i32>, killed: &Killed) -> Result<()> {
    cluster.controllers[killed.place].start()?;
    if let Some(broker) = broker {
        cluster.broker(broker).start()?;
    }
    steady.mark("revive")?;
    cluster.await_health()
}
