//! A real etcd of one node, for the daemons.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use nix::sys::signal::Signal;

use crate::process::{self, Daemon};
use crate::scratch::Scratch;
use crate::{http, ports, wait};

/// One etcd that runs; its data lies in the test's folder.
#[derive(Debug)]
pub struct Etcd {
    port: u16,
    folder: PathBuf,
    /// Further arguments of its command line.
    arguments: Vec<String>,
    daemon: Daemon,
}

impl Etcd {
    pub fn start(scratch: &Scratch) -> Result<Etcd> {
        Etcd::with(scratch, &[])
    }

    /// One with further arguments on its command line.
    pub fn with(scratch: &Scratch, arguments: &[&str]) -> Result<Etcd> {
        let (port, folder) = (ports::free(2)?, scratch.path().to_owned());
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let daemon = serve(port, &folder, &arguments)?;
        Ok(Etcd { port, folder, arguments, daemon })
    }

    /// SIGTERM, and starts it again on what it has kept.
    pub fn restart(&mut self) -> Result<()> {
        self.daemon.terminate(wait::PATIENCE)?;
        self.daemon = serve(self.port, &self.folder, &self.arguments)?;
        Ok(())
    }

    /// SIGTERM, and starts it again on a backup (`etcdctl snapshot save`) in the place of what it has kept.
    pub fn restore(&mut self, backup: &Path) -> Result<()> {
        self.daemon.terminate(wait::PATIENCE)?;
        let data = self.folder.join("etcd");
        std::fs::remove_dir_all(&data)?;
        let peers = url(self.port + 1);
        let mut command = Command::new("etcdctl");
        command
            .env("ETCDCTL_API", "3")
            .args(["snapshot", "restore"])
            .arg(backup)
            .arg("--data-dir")
            .arg(&data);
        command.args(["--name", "e2e", "--initial-cluster", &format!("e2e={peers}")]);
        command.args(["--initial-advertise-peer-urls", &peers]);
        process::run(&mut command, b"", wait::PATIENCE)?.success()?;
        self.daemon = serve(self.port, &self.folder, &self.arguments)?;
        Ok(())
    }

    /// SIGSTOP: it holds its sockets and answers nothing.
    pub fn pause(&self) -> Result<()> {
        self.daemon.signal(Signal::SIGSTOP)
    }

    /// SIGCONT.
    pub fn resume(&self) -> Result<()> {
        self.daemon.signal(Signal::SIGCONT)
    }

    /// What etcdctl says to these arguments.
    pub fn ctl(&self, arguments: &[&str]) -> Result<String> {
        self.ctl_with(arguments, b"")
    }

    /// The same, with an input.
    pub fn ctl_with(&self, arguments: &[&str], input: &[u8]) -> Result<String> {
        let mut command = Command::new("etcdctl");
        command.env("ETCDCTL_API", "3").args(["--endpoints", &self.endpoint()]).args(arguments);
        process::run(&mut command, input, wait::PATIENCE)?.success()
    }

    /// The JSON value of a key; `None`: there is no such key.
    pub fn value(&self, key: &str) -> Result<Option<serde_json::Value>> {
        let text = self.ctl(&["get", "--print-value-only", key])?;
        Ok(if text.trim().is_empty() { None } else { Some(serde_json::from_str(&text)?) })
    }

    /// Its revision: it grows with everything that is written.
    pub fn revision(&self) -> Result<i64> {
        let answer: serde_json::Value =
            serde_json::from_str(&self.ctl(&["get", "no such key", "-w", "json"])?)?;
        answer["header"]["revision"].as_i64().context("etcd says its revision")
    }

    /// Where it serves clients, and its own metrics.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `metadata.endpoints`.
    pub fn endpoint(&self) -> String {
        url(self.port)
    }
}

fn serve(port: u16, folder: &Path, arguments: &[String]) -> Result<Daemon> {
    let (clients, peers) = (url(port), url(port + 1));
    let mut command = Command::new("etcd");
    command.args(["--name", "e2e", "--data-dir"]).arg(folder.join("etcd"));
    command.args(["--listen-client-urls", &clients, "--advertise-client-urls", &clients]);
    command.args(["--listen-peer-urls", &peers, "--initial-advertise-peer-urls", &peers]);
    command.args(["--initial-cluster", &format!("e2e={peers}")]).args(arguments);
    let daemon = Daemon::start("etcd", &mut command, &folder.join("etcd.log"))?;
    wait::until("etcd to serve", wait::PATIENCE, || {
        let is_healthy = http::get(port, "/health").is_ok_and(|(status, _)| status == 200);
        Ok(is_healthy.then_some(()))
    })?;
    Ok(daemon)
}

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}
