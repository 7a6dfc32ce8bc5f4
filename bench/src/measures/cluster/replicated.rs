//! Produce with three replicas and acks=all: what it costs all brokers together, and how long an acknowledgement takes.

use anyhow::Result;
use nix::unistd::sync;

use crate::cluster::Cluster;
use crate::load::{Done, Latencies, Moved};
use crate::measures::Turn;
use crate::window::Window;

pub fn throughput(turn: &mut Turn<'_>, cluster: &Cluster) -> Result<()> {
    for &size in &turn.options.sizes {
        let (warm_up, load) = (format!("replicated-warm-up-{size}"), format!("replicated-{size}"));
        turn.create_replicated(&[&warm_up, &load])?;
        if turn.options.warm_up_megabytes > 0 {
            produce(turn, &warm_up, size, turn.options.warm_up_megabytes)?;
        }
        // What was written before is not this load's to write back.
        sync();
        let (brokers, others) = (Window::open(&cluster.broker_pids())?, Window::open(&cluster.other_pids())?);
        let done = produce(turn, &load, size, turn.options.megabytes)?;
        let (brokers, others) = (brokers.close()?, others.close()?);
        let (bytes, seconds) = (done.figures.bytes as f64, done.figures.seconds);
        let name = |figure: &str| format!("three replicas, produce {size} B: {figure}");
        turn.sample(name("CPU of the brokers"), "s/GB", brokers.watched / bytes * 1e9);
        turn.sample(name("CPU of controllers and etcd"), "s/GB", others.watched / bytes * 1e9);
        turn.sample(name("rate"), "MB/s", bytes / 1e6 / seconds);
        let noise = brokers.others_percent(done.cpu_seconds + others.watched);
        turn.sample(name("CPU of others"), "%", noise);
    }
    Ok(())
}

/// Writes so many megabytes into a replicated topic.
pub fn produce(turn: &mut Turn<'_>, topic: &str, size: usize, megabytes: u64) -> Result<Done<Moved>> {
    let (partitions, size) = (turn.options.cluster_partitions.to_string(), size.to_string());
    let bytes = (megabytes * 1_000_000).to_string();
    turn.load("produce", &["--topic", topic, "--partitions", &partitions, "--size", &size, "--bytes", &bytes])
}

pub fn latency(turn: &mut Turn<'_>, cluster: &Cluster) -> Result<()> {
    const TOPIC: &str = "replicated-latency";
    turn.create_replicated(&[TOPIC])?;
    sync();
    let rate = turn.options.latency_rate;
    let numbers = [turn.options.cluster_partitions, rate, turn.options.latency_seconds];
    let [partitions, per_second, seconds] = &numbers.map(|number| number.to_string());
    let arguments =
        ["--topic", TOPIC, "--partitions", partitions, "--rate", per_second, "--seconds", seconds];
    let (brokers, others) = (Window::open(&cluster.broker_pids())?, Window::open(&cluster.other_pids())?);
    let done: Done<Latencies> = turn.load("latency", &arguments)?;
    let (brokers, others) = (brokers.close()?, others.close()?);
    let name = |figure: &str| format!("three replicas, {rate}/s: {figure}");
    let figures = &done.figures;
    turn.sample(name("p50"), "ms", figures.p50_ms);
    turn.sample(name("p99"), "ms", figures.p99_ms);
    turn.sample(name("p99.9"), "ms", figures.p999_ms);
    turn.sample(name("most"), "ms", figures.max_ms);
    turn.sample(name("CPU of the brokers"), "%", brokers.watched_percent());
    turn.sample(name("CPU of controllers and etcd"), "%", others.watched_percent());
    turn.sample(name("CPU of others"), "%", brokers.others_percent(done.cpu_seconds + others.watched));
    Ok(())
}
