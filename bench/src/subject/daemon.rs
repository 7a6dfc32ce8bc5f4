//! One process that serves: its start, its log, and its two ends.
//!
//! Invariant: the process does not outlive the value.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const STOP_TIMEOUT: Duration = Duration::from_secs(60);
const STOP_PAUSE: Duration = Duration::from_millis(2);

#[derive(Debug)]
pub struct Daemon {
    name: String,
    log: PathBuf,
    child: Child,
}

impl Daemon {
    /// Starts it; what it prints is appended to `log`.
    pub fn start(name: &str, command: &mut Command, log: PathBuf) -> Result<Daemon> {
        let file = File::options().create(true).append(true).open(&log)?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        Ok(Daemon { name: name.to_owned(), log, child })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Fails if it has ended by itself.
    pub fn check(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("{} ended with {status}; see {}", self.name, self.log.display());
        }
        Ok(())
    }

    /// Where it says why.
    pub fn log(&self) -> &PathBuf {
        &self.log
    }

    /// SIGKILL, and waits until it is gone.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// SIGTERM, and SIGKILL for one that does not heed it.
    pub fn terminate(&mut self) -> Result<()> {
        kill(Pid::from_raw(i32::try_from(self.pid())?), Signal::SIGTERM)?;
        let began = Instant::now();
        while self.child.try_wait()?.is_none() {
            if began.elapsed() > STOP_TIMEOUT {
                eprintln!("{} heeds no SIGTERM and is killed", self.name);
                return self.kill();
            }
            thread::sleep(STOP_PAUSE);
        }
        Ok(())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // One that was waited for already is not signalled again.
        if let Err(error) = self.kill() {
            eprintln!("cannot stop {}: {error}", self.name);
        }
    }
}
