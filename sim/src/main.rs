//! Runs seeds of the simulation: `sim --seeds 0..500`, `sim --seeds 0..500 --bug NAME`, `sim --replay SEED`.

use std::ops::Range;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use sim::{Bug, Violation};

#[derive(Parser)]
#[command(name = "cargo xtask sim", about = "Whole clusters, simulated from seeds")]
struct Arguments {
    /// Which seeds: from the first up to, but not with, the last
    #[arg(long, value_parser = seeds, default_value = "0..500")]
    seeds: Range<u64>,
    /// A deliberate bug, which is to be caught
    #[arg(long)]
    bug: Option<Bug>,
    /// One seed, with its history
    #[arg(long)]
    replay: Option<u64>,
    /// Run each seed twice and find the first that is not the same both times
    #[arg(long)]
    twice: bool,
    /// Go on after a seed that failed
    #[arg(long)]
    keep_going: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // What fails in a simulation is told in its place.
    std::panic::set_hook(Box::new(|_| {}));
    if let Some(seed) = arguments.replay {
        return tell(seed, arguments.bug);
    }
    if arguments.twice {
        return compare(&arguments);
    }
    let failed = run(&arguments);
    match (failed.is_empty(), arguments.bug) {
        (true, None) => ExitCode::SUCCESS,
        (false, Some(bug)) => {
            println!("{bug} is caught by seed {}", failed[0]);
            ExitCode::SUCCESS
        }
        (true, Some(bug)) => {
            println!("{bug} is not caught");
            ExitCode::FAILURE
        }
        (false, None) => ExitCode::FAILURE,
    }
}

/// Runs seed after seed until one fails.
fn run(arguments: &Arguments) -> Vec<u64> {
    let (mut failed, mut worst, begun) = (Vec::new(), (Duration::ZERO, 0), Instant::now());
    let (mut steps, mut acknowledged, mut elections, mut seeds) = (0, 0, 0, 0u32);
    let (mut unclean, mut refused) = (0, 0);
    for seed in arguments.seeds.clone() {
        let began = Instant::now();
        let outcome = sim::run(seed, arguments.bug);
        worst = worst.max((began.elapsed(), seed));
        seeds += 1;
        match outcome {
            Ok(ran) => {
                steps += ran.steps;
                acknowledged += ran.acknowledged;
                elections += ran.elections;
                unclean += ran.unclean;
                refused += ran.refused_for_good;
            }
            Err(Violation(what)) => {
                println!("seed {seed}: {what}");
                failed.push(seed);
                if !arguments.keep_going {
                    if arguments.bug.is_none() {
                        tell(seed, None);
                    }
                    break;
                }
            }
        }
    }
    let mean = begun.elapsed() / seeds.max(1);
    println!(
        "{seeds} seeds, {} failed: {mean:.1?} each on average, {:.1?} at worst (seed {}); {steps} events, {acknowledged} records acknowledged, {elections} leader epochs, {unclean} partitions led uncleanly, {refused} producers refused for good",
        failed.len(),
        worst.0,
        worst.1
    );
    failed
}

/// Runs every seed twice.
fn compare(arguments: &Arguments) -> ExitCode {
    for seed in arguments.seeds.clone() {
        let (one, other) = (sim::replay(seed, arguments.bug).1, sim::replay(seed, arguments.bug).1);
        if let Some(at) = (0..one.len().max(other.len())).find(|at| one.get(*at) != other.get(*at)) {
            println!(
                "seed {seed} is two histories from line {at} on:\n{:?}\n{:?}",
                one.get(at),
                other.get(at)
            );
            return ExitCode::FAILURE;
        }
    }
    println!("each of these seeds is one history");
    ExitCode::SUCCESS
}

/// Prints the history of a seed.
fn tell(seed: u64, bug: Option<Bug>) -> ExitCode {
    let (outcome, history) = sim::replay(seed, bug);
    history.iter().for_each(|line| println!("{line}"));
    match outcome {
        Ok(ran) => {
            println!("seed {seed}: {ran:?}");
            ExitCode::SUCCESS
        }
        Err(Violation(what)) => {
            println!("seed {seed}: {what}");
            ExitCode::FAILURE
        }
    }
}

fn seeds(text: &str) -> Result<Range<u64>, String> {
    let (first, end) = text.split_once("..").ok_or("a range as 0..500")?;
    let number = |text: &str| text.parse::<u64>().map_err(|error| error.to_string());
    Ok(number(first)?..number(end)?)
}
