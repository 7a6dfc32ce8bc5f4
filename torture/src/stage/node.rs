//! One process of the cluster on its host, and how it is asked whether it is well.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::http;
use e2e::process::Daemon;
use nix::sys::signal::Signal;

use super::address;
use crate::nemesis::Member;

const METRICS_PORT: u16 = 9404;
const ETCD_PORT: u16 = 2379;
/// How long a host may take to answer a question; one that is asked is neither stopped nor cut off.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(3);
/// How long a clean stop may take.
const STOP_TIME_MAX: Duration = Duration::from_secs(60);

/// A daemon that runs, or that was stopped and may be started again.
#[derive(Debug)]
pub struct Node {
    pub member: Member,
    program: PathBuf,
    arguments: Vec<String>,
    log: PathBuf,
    daemon: Option<Daemon>,
}

impl Node {
    pub fn new(member: Member, program: PathBuf, arguments: Vec<String>, folder: &Path) -> Node {
        let log = folder.join(format!("{member}.log"));
        Node { member, program, arguments, log, daemon: None }
    }

    pub fn start(&mut self) -> Result<()> {
        ensure!(self.daemon.is_none(), "{} still runs", self.member);
        let mut command = on_host(self.member, &self.program);
        command.args(&self.arguments);
        self.daemon = Some(Daemon::start(&self.member.to_string(), &mut command, &self.log)?);
        Ok(())
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.kill();
        }
    }

    /// SIGTERM, without waiting.
    pub fn ask_to_stop(&self) -> Result<()> {
        self.running()?.signal(Signal::SIGTERM)
    }

    /// SIGTERM, and its end.
    pub fn stop(&mut self) -> Result<()> {
        self.ask_to_stop()?;
        self.await_stop()
    }

    /// Its end, which must be a good one, after SIGTERM. Etcd's own is to raise the signal again.
    pub fn await_stop(&mut self) -> Result<()> {
        const TERMINATED: i32 = 128 + Signal::SIGTERM as i32;
        let mut daemon = self.daemon.take().with_context(|| format!("{} does not run", self.member))?;
        let code = daemon.ended(STOP_TIME_MAX)?;
        let is_good = code == 0 || (self.member == Member::Etcd && code == TERMINATED);
        ensure!(is_good, "{} ended with {code} when it was told to stop\n{}", self.member, daemon.log_tail());
        Ok(())
    }

    pub fn pause(&self) -> Result<()> {
        self.running()?.signal(Signal::SIGSTOP)
    }

    pub fn resume(&self) -> Result<()> {
        self.running()?.signal(Signal::SIGCONT)
    }

    /// Whether it runs and says that it is well; an error tells why not.
    pub fn check_ready(&mut self) -> Result<()> {
        let member = self.member;
        let daemon = self.daemon.as_mut().with_context(|| format!("{member} does not run"))?;
        ensure!(daemon.is_running(), "{member} ended by itself\n{}", daemon.log_tail());
        let (port, path) =
            if member == Member::Etcd { (ETCD_PORT, "/health") } else { (METRICS_PORT, "/readyz") };
        let (status, why) = http::get_from(&address(member), port, path, ANSWER_TIME_MAX)?;
        ensure!(status == 200, "{member}: {}", why.trim());
        Ok(())
    }

    /// The value of a series, named with its labels as it is printed.
    pub fn metric(&self, series: &str) -> Result<Option<f64>> {
        let (status, page) =
            http::get_from(&address(self.member), METRICS_PORT, "/metrics", ANSWER_TIME_MAX)?;
        ensure!(status == 200, "/metrics answers {status}");
        http::value(&page, series)
    }

    fn running(&self) -> Result<&Daemon> {
        self.daemon.as_ref().with_context(|| format!("{} does not run", self.member))
    }
}

/// A program's command that runs it on a member's host.
pub(super) fn on_host(member: Member, program: &Path) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", &member.to_string()]).arg(program);
    command
}
