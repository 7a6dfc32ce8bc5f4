//! One broker that serves alone: its port, its folder, and its end.
//!
//! Invariant: neither the process nor its data outlives the value.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::daemon::Daemon;
use super::{Subject, folder};
use crate::probe;

const START_TIMEOUT: Duration = Duration::from_secs(60);
const START_PAUSE: Duration = Duration::from_millis(2);

#[derive(Debug)]
pub struct Server {
    pub subject: Subject,
    /// From the start of the process to the first Metadata that it served.
    pub start: Duration,
    daemon: Daemon,
    command: Command,
    folder: PathBuf,
    port: u16,
}

impl Server {
    pub fn start(subject: Subject, mut command: Command, folder: PathBuf, port: u16) -> Result<Server> {
        let log = folder.with_extension("log");
        folder::remove(&log)?;
        let began = Instant::now();
        let daemon = Daemon::start(subject.name(), &mut command, log)?;
        let mut server = Server { subject, start: Duration::ZERO, daemon, command, folder, port };
        server.await_metadata(began)?;
        server.start = began.elapsed();
        Ok(server)
    }

    /// Shuts it down, starts it again on the same data, and waits until it serves Metadata.
    pub fn restart(&mut self) -> Result<()> {
        self.daemon.terminate()?;
        let began = Instant::now();
        self.daemon = Daemon::start(self.subject.name(), &mut self.command, self.daemon.log().clone())?;
        self.await_metadata(began)
    }

    fn await_metadata(&mut self, began: Instant) -> Result<()> {
        while !probe::serves_metadata(self.port) {
            self.daemon.check()?;
            let log = self.daemon.log().display();
            ensure!(began.elapsed() < START_TIMEOUT, "{} does not serve; see {log}", self.subject.name());
            thread::sleep(START_PAUSE);
        }
        Ok(())
    }

    pub fn pid(&self) -> u32 {
        self.daemon.pid()
    }

    pub fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.daemon.terminate() {
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
