//! A real etcd of one node, for the daemons.

use std::process::Command;

use anyhow::Result;

use crate::process::Daemon;
use crate::scratch::Scratch;
use crate::{http, ports, wait};

/// One etcd that runs; its data lies in the test's folder.
#[derive(Debug)]
pub struct Etcd {
    port: u16,
    _daemon: Daemon,
}

impl Etcd {
    pub fn start(scratch: &Scratch) -> Result<Etcd> {
        let port = ports::free(2)?;
        let (clients, peers) = (url(port), url(port + 1));
        let mut command = Command::new("etcd");
        command.args(["--name", "e2e", "--data-dir"]).arg(scratch.path().join("etcd"));
        command.args(["--listen-client-urls", &clients, "--advertise-client-urls", &clients]);
        command.args(["--listen-peer-urls", &peers, "--initial-advertise-peer-urls", &peers]);
        command.args(["--initial-cluster", &format!("e2e={peers}")]);
        let daemon = Daemon::start("etcd", &mut command, &scratch.path().join("etcd.log"))?;
        wait::until("etcd to serve", wait::PATIENCE, || {
            let is_healthy = http::get(port, "/health").is_ok_and(|(status, _)| status == 200);
            Ok(is_healthy.then_some(()))
        })?;
        Ok(Etcd { port, _daemon: daemon })
    }

    /// `metadata.endpoints`.
    pub fn endpoint(&self) -> String {
        url(self.port)
    }
}

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}
