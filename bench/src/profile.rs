//! perf on Milena while a load runs; what it saw lies beside the logs as text.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::measures::Turn;
use crate::subject::Subject;

/// A sample each millisecond of CPU time; a virtual machine has often no counter of cycles.
const RECORD: [&str; 6] = ["record", "-e", "cpu-clock", "-F", "999", "-g"];
const REPORT: [&str; 7] = ["report", "--stdio", "--no-children", "-g", "none", "--percent-limit", "0.3"];

#[derive(Debug)]
pub struct Profile {
    perf: Child,
    /// What perf recorded, to be looked at further with `perf report`.
    data: PathBuf,
}

impl Profile {
    /// Begins, if the options want a profile and this is Milena.
    pub fn start(turn: &Turn<'_>, pid: u32, kind: &str, size: usize) -> Result<Option<Profile>> {
        if !turn.options.profile || turn.subject != Subject::Milena {
            return Ok(None);
        }
        let data = turn.parts.work().join(format!("profile-{kind}-{size}.data"));
        let mut perf = Command::new("perf");
        perf.args(RECORD).args(["-p", &pid.to_string(), "-o"]).arg(&data);
        let perf = perf.stdout(Stdio::null()).spawn().context("cannot start perf")?;
        Ok(Some(Profile { perf, data }))
    }

    /// Ends it and writes the symbols by their own share.
    pub fn finish(mut self) -> Result<()> {
        kill(Pid::from_raw(i32::try_from(self.perf.id())?), Signal::SIGINT)?;
        self.perf.wait()?;
        let text = self.data.with_extension("txt");
        let mut report = Command::new("perf");
        report.args(REPORT).arg("-i").arg(&self.data).stdout(File::create(&text)?).stderr(Stdio::null());
        report.status().context("perf report")?;
        eprintln!("profile: {}", text.display());
        Ok(())
    }
}
