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
    folder: PathBuf,
    port: u16,
}

impl Server {
    pub fn start(subject: Subject, mut command: Command, folder: PathBuf, port: u16) -> Result<Server> {
        let log = folder.with_extension("log");
        folder::remove(&log)?;
        let began = Instant::now();
        let daemon = Daemon::start(subject.name(), &mut command, log)?;
        let mut server = Server { subject, start: Duration::ZERO, daemon, folder, port };
        while !probe::serves_metadata(port) {
            server.daemon.check()?;
            let log = server.daemon.log().display();
            ensure!(began.elapsed() < START_TIMEOUT, "{} does not serve; see {log}", subject.name());
            thread::sleep(START_PAUSE);
        }
        server.start = began.elapsed();
        Ok(server)
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
