//! The long trial: acts of the nemesis until the time is up.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::gaps::Window;
use crate::nemesis::{Act, Fault, Kind, Schedule, Wounds};
use crate::report::{self, Suffered};
use crate::trial::{Trial, now_ms};

/// What a broker's disk holds at least, and what a minute's records take at most, internal topics included.
const DISK_BYTES: u64 = 256 << 20;
const DISK_BYTES_A_MINUTE: u64 = 64 << 20;

/// What the caller decides.
#[derive(Clone, Debug)]
pub struct Options {
    pub time: Duration,
    pub seed: u64,
    pub kinds: Vec<Kind>,
    pub keep: bool,
}

/// Runs to the end and prints what came of it; whether all was well.
pub fn run(options: &Options) -> Result<bool> {
    println!("torture for {:.1} min with --seed {}", options.time.as_secs_f64() / 60.0, options.seed);
    let minutes = options.time.as_secs().div_ceil(60);
    let mut trial = Trial::start(DISK_BYTES + minutes * DISK_BYTES_A_MINUTE, "")?;
    let mut suffered = Vec::new();
    let outcome = acts(options, &mut trial, &mut suffered);
    let findings = trial.judge(outcome, options.keep)?;
    report::print(&findings, &suffered);
    Ok(findings.is_well())
}

fn acts(options: &Options, trial: &mut Trial, suffered: &mut Vec<Suffered>) -> Result<()> {
    let mut schedule = Schedule::new(options.seed, options.kinds.clone());
    let began = Instant::now();
    while began.elapsed() < options.time {
        let active = trial.cluster.active_controller().context("there is not one active controller")?;
        let Some(act) = schedule.next(active) else { break };
        sleep(act.peace);
        suffered.extend(suffer(trial, &act, began)?);
    }
    Ok(())
}

/// Does what the act says, waits until the cluster has healed, and prints a line a fault.
fn suffer(trial: &mut Trial, act: &Act, began: Instant) -> Result<Vec<Suffered>> {
    let faults = || [Some(&act.first), act.second.as_ref().map(|(_, fault)| fault)].into_iter().flatten();
    for fault in faults() {
        println!("{:7.1} s  {fault}", began.elapsed().as_secs_f64());
    }
    let from_ms = now_ms()?;
    wound(trial, act)?;
    let undone = Instant::now();
    trial.await_health().with_context(|| format!("after {}", act.first))?;
    println!(
        "{:7.1} s  healed within {:.1} s",
        began.elapsed().as_secs_f64(),
        undone.elapsed().as_secs_f64()
    );
    let window = Window { from_ms, to_ms: now_ms()? };
    let kind = |fault: &Fault| fault.kind;
    Ok(vec![Suffered { kinds: faults().map(kind).collect(), window }])
}

/// From the first deed to the last undoing.
fn wound(trial: &mut Trial, act: &Act) -> Result<()> {
    let begin = Instant::now();
    let first = Wounds::inflict(&mut trial.cluster, &act.first)?;
    let Some((after, fault)) = &act.second else {
        sleep(act.first.lasts);
        return first.heal(&mut trial.cluster);
    };
    sleep(*after);
    let second = Wounds::inflict(&mut trial.cluster, fault)?;
    let (first_ends, second_ends) = (act.first.lasts, *after + fault.lasts);
    let mut endings = [(first_ends, first), (second_ends, second)];
    endings.sort_by_key(|(ends, _)| *ends);
    for (ends, wounds) in endings {
        sleep(ends.saturating_sub(begin.elapsed()));
        wounds.heal(&mut trial.cluster)?;
    }
    Ok(())
}
