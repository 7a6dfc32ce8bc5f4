//! `torture`: break a cluster for some minutes and say what it did to the clients. The exit code is the verdict.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};
use torture::check::check;
use torture::cut::{self, Side};
use torture::nemesis::{KINDS, Kind};
use torture::stage::inside;
use torture::trial::Findings;
use torture::{histories, report, run};

/// As a shell reports SIGINT.
const INTERRUPTED: i32 = 130;
/// Promises were broken, or the cluster did not heal.
const FAILED: u8 = 1;

/// Break a cluster for some minutes and say what it did to the clients
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// One fault after the other, some of them two at a time
    Run(RunArguments),
    /// Cut a leader off that lives on, and see the others take over
    Cut {
        /// From whom
        #[arg(long)]
        from: Side,
        /// Which broker
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=3))]
        broker: u8,
        /// Keep logs and histories though all is well
        #[arg(long)]
        keep: bool,
    },
    /// Print the names of all faults
    Faults,
    /// Judge the histories of an earlier run again
    Check { folder: PathBuf },
}

#[derive(clap::Args)]
struct RunArguments {
    /// How long faults go on
    #[arg(long, default_value_t = 5.0)]
    minutes: f64,
    /// What chance begins with; a fresh one if none is named
    #[arg(long)]
    seed: Option<u64>,
    /// Only these faults, comma-separated; `torture faults` names all
    #[arg(long, value_delimiter = ',', value_parser = kind)]
    nemesis: Vec<Kind>,
    /// Keep logs and histories though all is well
    #[arg(long)]
    keep: bool,
}

fn kind(name: &str) -> Result<Kind, String> {
    Kind::named(name).ok_or_else(|| "no such fault; `torture faults` names all".to_owned())
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    if let What::Faults = arguments.what {
        KINDS.iter().for_each(|kind| println!("{}", kind.name));
        return Ok(ExitCode::SUCCESS);
    }
    if let What::Check { folder } = &arguments.what {
        return check_again(folder);
    }
    if !inside::is_inside() {
        return inside::enter();
    }
    end_when_interrupted()?;
    let is_well = match arguments.what {
        What::Run(arguments) => run::run(&options(arguments)?)?,
        What::Cut { from, broker, keep } => cut::run(from, usize::from(broker) - 1, keep)?,
        What::Faults | What::Check { .. } => true,
    };
    Ok(verdict(is_well))
}

fn check_again(folder: &Path) -> Result<ExitCode> {
    let history = histories::read(folder)?;
    let findings = Findings { anomalies: check(&history), history, ..Findings::default() };
    report::print(&findings, &[]);
    Ok(verdict(findings.is_well()))
}

fn verdict(is_well: bool) -> ExitCode {
    if is_well { ExitCode::SUCCESS } else { ExitCode::from(FAILED) }
}

fn options(arguments: RunArguments) -> Result<run::Options> {
    let time = Duration::try_from_secs_f64(arguments.minutes * 60.0).context("--minutes")?;
    let kinds = if arguments.nemesis.is_empty() { KINDS.to_vec() } else { arguments.nemesis };
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..1 << 32));
    Ok(run::Options { time, seed, kinds, keep: arguments.keep })
}

/// The first process of a namespace has no handlers by default. With its end all others end.
fn end_when_interrupted() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let (mut interrupt, mut terminate) = {
        let _guard = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        });
        eprintln!("torture: interrupted");
        std::process::exit(INTERRUPTED);
    });
    Ok(())
}
