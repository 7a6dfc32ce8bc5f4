//! A follower comes back after long: how fast it catches up, and what its reading does to the producers meanwhile. They are
//! watched before, while and after it does, for machines are not the same from minute to minute; and beside a plain copy at the same
//! rate, which is what the machine itself costs them.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::unistd::sync;

use super::replicated::produce;
use super::{REPLICAS, copying};
use crate::acks::{AckLog, Stretch, latencies, quantile};
use crate::cluster::Cluster;
use crate::measures::Turn;
use crate::proc::machine::unwritten_mib;

const STEADY: &str = "catch-up";
const BULK: &str = "away";
/// Bytes of a record that was missed.
const RECORD_SIZE: usize = 1024;
/// The broker that was away.
const AWAY: i32 = 3;
type Quantile = fn(&AckLog, Stretch) -> Result<f64>;

/// How long the producers are watched while nothing happens to the cluster.
const QUIET: Duration = Duration::from_secs(60);
/// So little left to write is what the producers themselves write.
const UNWRITTEN_MIB_MAX: u64 = 64;
/// What was written in bulk is given so long to reach the disks…
const WRITING_PATIENCE: Duration = Duration::from_secs(180);
/// …and the kernel so long to put its memory in order.
const AFTERMATH: Duration = Duration::from_secs(20);

pub fn take(turn: &mut Turn<'_>, cluster: &mut Cluster) -> Result<()> {
    turn.create_replicated(&[STEADY, BULK])?;
    let mut steady = turn.steady(STEADY)?;
    cluster.broker(AWAY).terminate()?;
    turn.await_isr(BULK, REPLICAS - 1)?;
    produce(turn, BULK, RECORD_SIZE, turn.options.away_megabytes)?;
    settle()?;
    steady.mark("away")?;
    thread::sleep(QUIET);
    steady.mark("start")?;
    let began = Instant::now();
    cluster.broker(AWAY).start()?;
    turn.await_isr(BULK, REPLICAS)?;
    let caught_up = began.elapsed();
    steady.mark("caught up")?;
    settle()?;
    steady.mark("after")?;
    thread::sleep(QUIET);
    steady.mark("copying")?;
    let rate = turn.options.away_megabytes as f64 / caught_up.as_secs_f64();
    copying::run(cluster.folder(), &cluster.folder().join("copy"), rate * 1e6, QUIET)?;
    steady.mark("end")?;
    let log = turn.finish("catch-up", steady)?;
    let name = |figure: &str| format!("catch-up of {} MB: {figure}", turn.options.away_megabytes);
    let mut figures = vec![(name("rate, its start included"), "MB/s", rate)];
    for (kind, of) in [("p99", p99 as Quantile), ("p99 of the median second", typical_p99)] {
        let of = |from: &str, to: &str| of(&log, log.between(from, to)?);
        let (away, during) = (of("away", "start")?, of("start", "caught up")?);
        let (after, copying) = (of("after", "copying")?, of("copying", "end")?);
        figures.extend([
            (name(&format!("{kind} of producers while it is away")), "ms", away),
            (name(&format!("{kind} of producers during the catch-up")), "ms", during),
            (name(&format!("{kind} of producers after it")), "ms", after),
            (name(&format!("{kind} of producers beside a plain copy")), "ms", copying),
            (name(&format!("{kind}, during / mean of away and after")), "", during * 2.0 / (away + after)),
            (name(&format!("{kind}, during / beside a plain copy")), "", during / copying),
        ]);
    }
    for (measure, unit, value) in figures {
        turn.sample(measure, unit, value);
    }
    Ok(())
}

/// Waits until what was written in bulk is on the disks, and the machine has recovered from it: it would be seen in the
/// producers' latencies, whether anybody catches up or not.
fn settle() -> Result<()> {
    sync();
    let until = Instant::now() + WRITING_PATIENCE;
    while unwritten_mib()? > UNWRITTEN_MIB_MAX {
        ensure!(Instant::now() < until, "{} MiB are unwritten after {WRITING_PATIENCE:?}", unwritten_mib()?);
        thread::sleep(Duration::from_secs(1));
    }
    thread::sleep(AFTERMATH);
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
