//! The cluster on hosts of its own, in short: a minute of faults, and each cut that leaves a leader alive but alone.
//!
//! The crate `torture` does it as a program, in namespaces of its own, and its exit code is the verdict. A machine that
//! lets nobody make network namespaces says so, and nothing is tested here.

use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::server::{Subject, subject};
use e2e::{process, workspace};

const TIME_MAX: Duration = Duration::from_secs(400);
/// What the program says with its exit code where it cannot run.
const CANNOT_RUN: i32 = 77;

/// Each brings three brokers and a dozen clients: one at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn torture(arguments: &[&str]) -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let output = process::run(Command::new(workspace::binary("torture")?).args(arguments), b"", TIME_MAX)?;
    println!("{}\n{}", output.stdout, output.stderr);
    ensure!(output.code == 0 || output.code == CANNOT_RUN, "{arguments:?}: exit code {}", output.code);
    Ok(())
}

/// Safety rules 1 to 9, 12 and 14.
#[test]
fn nothing_is_lost_doubled_or_reordered_while_everything_breaks() -> Result<()> {
    let faults = "kill-broker,kill-both,kill-all-brokers,pause-broker,cut-peers,cut-etcd,isolate-broker,\
                  cut-controllers-out,restart-etcd,restart-controllers,fill-disk,roll";
    torture(&["run", "--minutes", "1", "--nemesis", faults])
}

#[test]
fn a_leader_cut_off_from_its_peers_is_succeeded_and_loses_nothing() -> Result<()> {
    torture(&["cut", "--from", "peers", "--broker", "1"])
}

#[test]
fn a_leader_cut_off_from_the_controllers_is_succeeded_and_loses_nothing() -> Result<()> {
    torture(&["cut", "--from", "controllers", "--broker", "2"])
}

#[test]
fn a_leader_cut_off_from_etcd_is_succeeded_and_loses_nothing() -> Result<()> {
    torture(&["cut", "--from", "etcd", "--broker", "3"])
}
