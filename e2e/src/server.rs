//! The server under test: `milena dev` as a process, or Apache Kafka in its place.
//!
//! It owns the ports, the data and the log of one cluster, and keeps them over kill and restart. A test ends with
//! [`Server::done`]; without it the end of the log is shown and the data is kept.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::process::Daemon;
use crate::scratch::Scratch;
use crate::{apache_kafka, http, kcat, ports, wait, workspace};

const SUBJECT_VARIABLE: &str = "E2E_SUBJECT";

/// What every test wants, whatever else it sets: groups that form at once, and one replica of each internal topic.
const COMMON: [(&str, &str); 3] = [
    ("group.initial.rebalance.delay.ms", "0"),
    ("offsets.topic.replication.factor", "1"),
    ("offsets.topic.num.partitions", "4"),
];

/// What is under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    Milena,
    ApacheKafka,
}

/// What `E2E_SUBJECT` says; Milena without it.
pub fn subject() -> Result<Subject> {
    match std::env::var(SUBJECT_VARIABLE).as_deref() {
        Err(_) | Ok("milena") => Ok(Subject::Milena),
        Ok("kafka") => Ok(Subject::ApacheKafka),
        Ok(other) => anyhow::bail!("{SUBJECT_VARIABLE}={other}: milena or kafka is allowed"),
    }
}

/// One cluster that runs, or that was killed and may be started again.
#[derive(Debug)]
pub struct Server {
    subject: Subject,
    daemon: Option<Daemon>,
    properties: Vec<(String, String)>,
    brokers: u16,
    port: u16,
    metrics_port: u16,
    scratch: Scratch,
}

impl Server {
    /// One broker with the defaults.
    pub fn start(name: &str) -> Result<Server> {
        Server::with(name, &[])
    }

    /// One broker with these keys.
    pub fn with(name: &str, properties: &[(&str, &str)]) -> Result<Server> {
        Server::cluster(name, 1, properties)
    }

    /// `brokers` brokers with these keys.
    pub fn cluster(name: &str, brokers: u16, properties: &[(&str, &str)]) -> Result<Server> {
        Server::of(subject()?, name, brokers, properties)
    }

    /// A cluster of this kind, whatever `E2E_SUBJECT` says.
    pub fn of(subject: Subject, name: &str, brokers: u16, properties: &[(&str, &str)]) -> Result<Server> {
        let all = COMMON.iter().chain(properties);
        let mut server = Server {
            subject,
            daemon: None,
            properties: all.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            brokers,
            port: ports::free(u32::from(brokers) + 1)?,
            metrics_port: ports::free(1)?,
            scratch: Scratch::new(name)?,
        };
        server.restart()?;
        Ok(server)
    }

    /// Starts it on what the last process left; how long it took to serve.
    pub fn restart(&mut self) -> Result<Duration> {
        ensure!(self.daemon.is_none(), "it still runs");
        let began = Instant::now();
        let daemon = match self.subject {
            Subject::Milena => self.start_milena()?,
            Subject::ApacheKafka => self.start_apache_kafka()?,
        };
        self.daemon = Some(daemon);
        Ok(began.elapsed())
    }

    fn start_milena(&self) -> Result<Daemon> {
        let mut command = Command::new(workspace::binary("milena")?);
        command.arg("dev").args(["--brokers", &self.brokers.to_string(), "--port", &self.port.to_string()]);
        command.args(["--metrics-port", &self.metrics_port.to_string(), "--data"]).arg(self.data());
        command.envs(self.properties.iter().map(|(key, value)| (variable(key), value)));
        let mut daemon = Daemon::start("milena dev", &mut command, &self.log_path())?;
        let ready = daemon.await_line("ready ", wait::PATIENCE)?;
        ensure!(ready == self.bootstrap(), "ready says {ready}, {} was asked for", self.bootstrap());
        Ok(daemon)
    }

    fn start_apache_kafka(&self) -> Result<Daemon> {
        ensure!(self.brokers == 1, "Apache Kafka stands in as one node only");
        let folder = self.scratch.path();
        let mut command = apache_kafka::command(folder, &self.data(), self.port, &self.properties)?;
        let mut daemon = Daemon::start("Apache Kafka", &mut command, &self.log_path())?;
        wait::until("Apache Kafka to serve", wait::PATIENCE, || {
            ensure!(daemon.is_running(), "Apache Kafka ended\n{}", daemon.log());
            Ok(kcat::metadata(&self.bootstrap(), None).ok())
        })?;
        Ok(daemon)
    }

    /// `bootstrap.servers` of all brokers.
    pub fn bootstrap(&self) -> String {
        let ports = self.port..self.port + self.brokers;
        ports.map(|port| format!("127.0.0.1:{port}")).collect::<Vec<_>>().join(",")
    }

    /// The first broker's port.
    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn is_milena(&self) -> bool {
        self.subject == Subject::Milena
    }

    /// Where the cluster keeps what it keeps.
    pub fn data(&self) -> PathBuf {
        self.scratch.path().join("data")
    }

    /// The test's own folder.
    pub fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    fn log_path(&self) -> PathBuf {
        self.scratch.path().join("server.log")
    }

    /// All that it logged, over restarts.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    /// What its metrics listener answers for this path: status and body.
    pub fn http(&self, path: &str) -> Result<(u16, String)> {
        http::get(self.metrics_port, path)
    }

    /// The value of a series, named with its labels as it is printed.
    pub fn metric(&self, series: &str) -> Result<Option<f64>> {
        http::metric(self.metrics_port, series)
    }

    /// The sum of a metric over all its labels.
    pub fn metric_sum(&self, name: &str) -> Result<Option<f64>> {
        http::metric_sum(self.metrics_port, name)
    }

    pub fn resident_bytes(&self) -> Result<u64> {
        self.running()?.resident_bytes()
    }

    /// SIGKILL to the whole cluster.
    pub fn kill(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.kill();
        }
    }

    /// SIGTERM to the whole cluster; its exit code.
    pub fn terminate(&mut self) -> Result<i32> {
        let mut daemon = self.daemon.take().context("it does not run")?;
        daemon.terminate(wait::PATIENCE)
    }

    pub fn is_running(&mut self) -> bool {
        self.daemon.as_mut().is_some_and(Daemon::is_running)
    }

    /// The test's last word: it passed, and what the server left may go.
    pub fn done(mut self) -> Result<()> {
        self.scratch.discard();
        Ok(())
    }

    fn running(&self) -> Result<&Daemon> {
        self.daemon.as_ref().context("it does not run")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(daemon) = self.daemon.as_ref().filter(|_| self.scratch.is_kept()) {
            eprintln!("--- the end of the server's log\n{}\n---", daemon.log_tail());
        }
    }
}

/// The environment variable that sets a key.
fn variable(key: &str) -> String {
    let name = key.to_uppercase().replace('_', "__").replace('-', "___").replace('.', "_");
    format!("KAFKA_{name}")
}
