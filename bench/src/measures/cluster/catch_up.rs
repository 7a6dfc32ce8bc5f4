//! A follower comes back after long: how fast it catches up, and what its reading does to the producers meanwhile.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::unistd::sync;

use super::replicated::produce;
use super::{REPLICAS, SETTLING};
use crate::acks::{latencies, quantile};
use crate::cluster::Cluster;
use crate::measures::Turn;

const STEADY: &str = "catch-up";
const BULK: &str = "away";
/// Bytes of a record that was missed.
const RECORD_SIZE: usize = 1024;
/// The broker that was away.
const AWAY: i32 = 3;
/// How long the producers are watched before.
const QUIET: Duration = Duration::from_secs(15);

pub fn take(turn: &mut Turn<'_>, cluster: &mut Cluster) -> Result<()> {
    turn.create_replicated(&[STEADY, BULK])?;
    let mut steady = turn.steady(STEADY)?;
    steady.mark("whole")?;
    thread::sleep(QUIET);
    steady.mark("stop")?;
    cluster.broker(AWAY).terminate()?;
    turn.await_isr(BULK, REPLICAS - 1)?;
    produce(turn, BULK, RECORD_SIZE, turn.options.away_megabytes)?;
    sync();
    thread::sleep(SETTLING);
    steady.mark("away")?;
    thread::sleep(QUIET);
    steady.mark("start")?;
    let began = Instant::now();
    cluster.broker(AWAY).start()?;
    turn.await_isr(BULK, REPLICAS)?;
    let caught_up = began.elapsed();
    steady.mark("caught up")?;
    let log = turn.finish("catch-up", steady)?;
    let p99 = |from: &str, to: &str| {
        let sorted = latencies(&log, log.between(from, to)?);
        quantile(&sorted, 0.99).context("nothing was acknowledged")
    };
    let (whole, away, during) = (p99("whole", "stop")?, p99("away", "start")?, p99("start", "caught up")?);
    let name = |figure: &str| format!("catch-up of {} MB: {figure}", turn.options.away_megabytes);
    let rate = turn.options.away_megabytes as f64 / caught_up.as_secs_f64();
    let figures = [
        (name("rate, its start included"), "MB/s", rate),
        (name("p99 of producers before"), "ms", whole),
        (name("p99 of producers while it is away"), "ms", away),
        (name("p99 of producers during the catch-up"), "ms", during),
        (name("during / before"), "", during / whole),
    ];
    for (measure, unit, value) in figures {
        turn.sample(measure, unit, value);
    }
    Ok(())
}
