//! A follower comes back after long: how fast it catches up, and what its reading does to the producers meanwhile. They are
//! watched before, while and after it does, for machines are not the same from minute to minute; and beside a plain copy at the same
//! rate, which is what the machine itself costs them; of all records, and of those during which the machine did not stand still.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use nix::unistd::sync;

use super::replicated::produce;
use super::{REPLICAS, copying};
use crate::acks::{AckLog, Stretch, latencies, quantile, undisturbed_latencies};
use crate::cluster::Cluster;
use crate::measures::Turn;
use crate::proc::machine::unwritten_mib;

const STEADY: &str = "catch-up";
const BULK: &str = "away";
/// Bytes of a record that was missed.
const RECORD_SIZE: usize = 1024;
/// The broker that was away.
const AWAY: i32 = 3;
/// Of a stretch; none where there is nothing to tell it from.
type Figure = fn(&AckLog, Stretch) -> Option<f64>;

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
    let mut steady = turn.steady(STEADY, &["--stalls"])?;
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
    turn.sample(name(turn, "rate, its start included"), "MB/s", rate);
    let figures: [(&str, &str, Figure); 3] = [
        ("p99", "ms", p99),
        ("undisturbed p99", "ms", undisturbed_p99),
        ("undisturbed share", "", undisturbed_share),
    ];
    for (figure, unit, of) in figures {
        compare(turn, &log, figure, unit, of)?;
    }
    Ok(())
}

fn name(turn: &Turn<'_>, figure: &str) -> String {
    format!("catch-up of {} MB: {figure}", turn.options.away_megabytes)
}

/// What the producers had of the catch-up, beside what they had without it.
fn compare(turn: &mut Turn<'_>, log: &AckLog, figure: &str, unit: &'static str, of: Figure) -> Result<()> {
    let of = |from: &str, to: &str| Ok::<_, anyhow::Error>(of(log, log.between(from, to)?));
    let (away, during) = (of("away", "start")?, of("start", "caught up")?);
    let (after, copying) = (of("after", "copying")?, of("copying", "end")?);
    let ratio = |to: Option<f64>| Some(during? / to?);
    let around = away.zip(after).map(|(away, after)| (away + after) / 2.0);
    for (when, unit, value) in [
        ("while it is away", unit, away),
        ("during the catch-up", unit, during),
        ("after it", unit, after),
        ("beside a plain copy", unit, copying),
        ("during / mean of away and after", "", ratio(around)),
        ("during / beside a plain copy", "", ratio(copying)),
    ] {
        match value {
            Some(value) => turn.sample(name(turn, &format!("{figure}, {when}")), unit, value),
            None => eprintln!("{figure}, {when}: there was none"),
        }
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

fn p99(log: &AckLog, stretch: Stretch) -> Option<f64> {
    quantile(&latencies(log, stretch), 0.99)
}

fn undisturbed_p99(log: &AckLog, stretch: Stretch) -> Option<f64> {
    quantile(&undisturbed_latencies(log, stretch), 0.99)
}

fn undisturbed_share(log: &AckLog, stretch: Stretch) -> Option<f64> {
    let all = latencies(log, stretch).len();
    (all > 0).then(|| undisturbed_latencies(log, stretch).len() as f64 / all as f64)
}
