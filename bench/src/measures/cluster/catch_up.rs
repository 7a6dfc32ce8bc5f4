//! A follower comes back after long: how fast it catches up, and what its reading does to the producers meanwhile.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::unistd::sync;

use super::replicated::produce;
use super::{REPLICAS, SETTLING};
use crate::acks::{AckLog, Stretch, latencies, quantile};
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
    let p99 = |from: &str, to: &str| p99(&log, log.between(from, to)?);
    let (whole, away, during) = (p99("whole", "stop")?, p99("away", "start")?, p99("start", "caught up")?);
    let typical = |from: &str, to: &str| typical_p99(&log, log.between(from, to)?);
    let (typical_whole, typical_during) = (typical("whole", "stop")?, typical("start", "caught up")?);
    let name = |figure: &str| format!("catch-up of {} MB: {figure}", turn.options.away_megabytes);
    let rate = turn.options.away_megabytes as f64 / caught_up.as_secs_f64();
    let figures = [
        (name("rate, its start included"), "MB/s", rate),
        (name("p99 of producers before"), "ms", whole),
        (name("p99 of producers while it is away"), "ms", away),
        (name("p99 of producers during the catch-up"), "ms", during),
        (name("during / before"), "", during / whole),
        (name("p99 of the median second before"), "ms", typical_whole),
        (name("p99 of the median second during the catch-up"), "ms", typical_during),
        (name("median second, during / before"), "", typical_during / typical_whole),
    ];
    for (measure, unit, value) in figures {
        turn.sample(measure, unit, value);
    }
    Ok(())
}

fn p99(log: &AckLog, stretch: Stretch) -> Result<f64> {
    quantile(&latencies(log, stretch), 0.99).context("nothing was acknowledged")
}

/// The median of the p99s of each second: a host that stands still now and then, as virtual ones do, moves it little.
fn typical_p99(log: &AckLog, stretch: Stretch) -> Result<f64> {
    let seconds = (stretch.from_us..stretch.to_us).step_by(1_000_000);
    let of_second = |from_us| p99(log, Stretch { from_us, to_us: stretch.to_us.min(from_us + 1_000_000) });
    let mut of_seconds: Vec<f64> = seconds.filter_map(|from_us| of_second(from_us).ok()).collect();
    of_seconds.sort_by(f64::total_cmp);
    quantile(&of_seconds, 0.5).context("nothing was acknowledged")
}
