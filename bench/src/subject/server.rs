//! One broker process that runs: its port, its folder, what `/proc` says of it, and its end.
//!
//! Invariant: neither the process nor its data outlives the value.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::Subject;
use crate::probe;

const START_TIMEOUT: Duration = Duration::from_secs(60);
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
const START_PAUSE: Duration = Duration::from_millis(2);
const STOP_PAUSE: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub struct Server {
    pub subject: Subject,
    /// From the start of the process to the first Metadata that it served.
    pub start: Duration,
    child: Child,
    folder: PathBuf,
    port: u16,
}

impl Server {
    pub fn start(subject: Subject, mut command: Command, folder: PathBuf, port: u16) -> Result<Server> {
        let log = File::create(folder.with_extension("log"))?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let began = Instant::now();
        let child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        let mut server = Server { subject, start: Duration::ZERO, child, folder, port };
        while !probe::serves_metadata(port) {
            server.check_start(began)?;
            thread::sleep(START_PAUSE);
        }
        server.start = began.elapsed();
        Ok(server)
    }

    fn check_start(&mut self, began: Instant) -> Result<()> {
        let log = self.folder.with_extension("log");
        if let Some(status) = self.child.try_wait()? {
            bail!("{} ended with {status}; see {}", self.subject.name(), log.display());
        }
        if began.elapsed() > START_TIMEOUT {
            bail!("{} does not serve; see {}", self.subject.name(), log.display());
        }
        Ok(())
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// SIGTERM, and SIGKILL for one that does not heed it.
    fn stop(&mut self) -> Result<()> {
        kill(Pid::from_raw(i32::try_from(self.pid())?), Signal::SIGTERM)?;
        let began = Instant::now();
        while self.child.try_wait()?.is_none() {
            if began.elapsed() > STOP_TIMEOUT {
                eprintln!("{} heeds no SIGTERM and is killed", self.subject.name());
                self.child.kill()?;
            }
            thread::sleep(STOP_PAUSE);
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("cannot stop {}: {error}", self.subject.name());
        }
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            eprintln!("cannot remove {}: {error}", self.folder.display());
        }
    }
}

/// A port of the loopback interface that nobody listens on now.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
