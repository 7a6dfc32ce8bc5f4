//! One process of a cluster, which may be ended and started again on its own port and folder.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::subject::daemon::Daemon;
use crate::{http, probe};

const HEALTH_TIMEOUT: Duration = Duration::from_secs(60);
const HEALTH_PAUSE: Duration = Duration::from_millis(10);

/// How one sees that a process is well.
#[derive(Clone, Copy, Debug)]
pub enum Health {
    /// It answers Metadata and names a broker.
    Metadata,
    /// This path on this port answers with 200.
    Http(u16, &'static str),
    /// It listens.
    Listens,
}

#[derive(Debug)]
pub struct Node {
    pub name: String,
    pub port: u16,
    command: Command,
    health: Health,
    log: PathBuf,
    daemon: Option<Daemon>,
}

impl Node {
    /// One that does not run yet and logs beside `folder`, which outlives the cluster.
    pub fn new(name: &str, port: u16, command: Command, health: Health, folder: &Path) -> Result<Node> {
        let log = folder.with_extension(format!("{name}.log"));
        crate::subject::folder::remove(&log)?;
        Ok(Node { name: name.to_owned(), port, command, health, log, daemon: None })
    }

    pub fn start(&mut self) -> Result<()> {
        ensure!(self.daemon.is_none(), "{} runs already", self.name);
        self.daemon = Some(Daemon::start(&self.name, &mut self.command, self.log.clone())?);
        Ok(())
    }

    pub fn await_health(&mut self) -> Result<()> {
        let began = Instant::now();
        while !self.is_well() {
            self.running()?.check()?;
            ensure!(
                began.elapsed() < HEALTH_TIMEOUT,
                "{} is not well; see {}",
                self.name,
                self.log.display()
            );
            thread::sleep(HEALTH_PAUSE);
        }
        Ok(())
    }

    fn is_well(&self) -> bool {
        match self.health {
            Health::Metadata => probe::serves_metadata(self.port),
            Health::Http(port, path) => http::is_ok(port, path),
            Health::Listens => TcpStream::connect(("127.0.0.1", self.port)).is_ok(),
        }
    }

    fn running(&mut self) -> Result<&mut Daemon> {
        self.daemon.as_mut().with_context(|| format!("{} does not run", self.name))
    }

    /// None if it does not run.
    pub fn pid(&self) -> Option<u32> {
        self.daemon.as_ref().map(Daemon::pid)
    }

    /// SIGKILL, if it runs.
    pub fn kill(&mut self) -> Result<()> {
        self.daemon.take().map_or(Ok(()), |mut daemon| daemon.kill())
    }

    /// SIGTERM, and waits for the end.
    pub fn terminate(&mut self) -> Result<()> {
        self.running()?.terminate()?;
        self.daemon = None;
        Ok(())
    }
}
