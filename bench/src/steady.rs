//! The load that goes on while things are done to a cluster, and is told of them.
//!
//! Invariant: the process does not outlive the value.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::acks::AckLog;
use crate::load::{self, Done, Kept};

/// What the load says once every partition has acknowledged something.
const FLOWING: &str = "flowing";

#[derive(Debug)]
pub struct Steady {
    child: Child,
    /// Open as long as the load goes on.
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    /// Stays when all is over, for whoever wants to look.
    log: PathBuf,
}

impl Steady {
    /// Starts `command`, which is to write its log to `log`, and waits until every partition acknowledges.
    pub fn start(mut command: Command, log: PathBuf) -> Result<Steady> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).arg("--log").arg(&log);
        let mut child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().context("stdout is piped")?);
        let mut steady = Steady { child, stdin, stdout, log };
        let mut line = String::new();
        steady.stdout.read_line(&mut line)?;
        ensure!(line.trim() == FLOWING, "the steady load did not come to flow: {line:?}");
        Ok(steady)
    }

    /// Puts words into the log, with the time at which they come there.
    pub fn mark(&mut self, words: &str) -> Result<()> {
        let stdin = self.stdin.as_mut().context("the load has ended")?;
        Ok(writeln!(stdin, "{words}")?)
    }

    /// Ends the load once all is acknowledged: what it counted, and its log.
    pub fn finish(mut self) -> Result<(Done<Kept>, AckLog)> {
        drop(self.stdin.take());
        let mut line = String::new();
        self.stdout.read_to_string(&mut line)?;
        let status = self.child.wait()?;
        ensure!(status.success(), "the steady load ended with {status}");
        let done: Done<Kept> = load::parse(&line)?;
        let log = AckLog::parse(&fs::read_to_string(&self.log)?)?;
        ensure!(log.acknowledged() == done.figures.acknowledged, "{} is cut short", self.log.display());
        Ok((done, log))
    }
}

impl Drop for Steady {
    fn drop(&mut self) {
        // It may have ended already, and well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
