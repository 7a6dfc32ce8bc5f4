//! Namespaces of our own for processes, mounts and network: this program starts itself again inside them.
//!
//! The program inside is the first process of its namespace. When it ends, or is killed, or the one outside is, the
//! kernel ends every process inside and takes away their networks and mounts.

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

/// Tells the program inside that it is.
const MARK: &str = "TORTURE_INSIDE";
/// The exit code that tells a test that this machine cannot run it.
pub const CANNOT_RUN: u8 = 77;

const UNSHARE: [&str; 6] = ["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"];
/// Whoever is not root may still be it inside.
const AS_ROOT: [&str; 2] = ["--user", "--map-root-user"];

pub fn is_inside() -> bool {
    std::env::var_os(MARK).is_some()
}

/// Goes on inside: a process there, which ends with this one, begins again with the same arguments. Returns only if that
/// cannot be.
pub fn enter() -> Result<ExitCode> {
    let Some(unshare) = usable_arguments() else {
        eprintln!(
            "torture: this machine does not let us make network namespaces: run as root, with util-linux and iproute2 \
             installed"
        );
        return Ok(ExitCode::from(CANNOT_RUN));
    };
    let mut command = Command::new("unshare");
    command.args(unshare).arg(std::env::current_exe()?).args(std::env::args_os().skip(1)).env(MARK, "1");
    Err(command.exec()).context("cannot start unshare")
}

/// The first way that works here.
fn usable_arguments() -> Option<Vec<&'static str>> {
    let ways = [UNSHARE.to_vec(), [&AS_ROOT[..], &UNSHARE[..]].concat()];
    ways.into_iter().find(|way| {
        let probe = "mount -t tmpfs none /run && ip netns add probe && ip link add probe type bridge";
        let mut command = Command::new("unshare");
        command.args(way).args(["sh", "-c", probe]);
        command.output().is_ok_and(|output| output.status.success())
    })
}

/// Runs a program of the system to its end.
pub(super) fn run(program: &str, arguments: &[&str]) -> Result<()> {
    let output = Command::new(program).args(arguments).output();
    let output = output.with_context(|| format!("cannot start {program}"))?;
    if !output.status.success() {
        bail!("{program} {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
