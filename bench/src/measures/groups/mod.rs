//! Consumer groups: how long their offsets take to be read after a restart, and what rebalances of many members cost.

mod commits;
mod rebalances;

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use protocol::messages::FindCoordinatorRequest;

use super::Turn;
use crate::subject::Server;
use crate::wire::Wire;

const FIND_VERSION: i16 = 4;
const PAUSE: Duration = Duration::from_millis(1);
const PATIENCE: Duration = Duration::from_secs(120);

pub fn take(turn: &mut Turn<'_>, server: &mut Server) -> Result<()> {
    await_coordinator(&server.bootstrap())?;
    rebalances::take(turn, server)?;
    commits::take(turn, server)
}

/// The first question makes the broker create `__consumer_offsets`.
fn await_coordinator(bootstrap: &str) -> Result<()> {
    let request = FindCoordinatorRequest { coordinator_keys: vec!["any".into()], ..Default::default() };
    let began = Instant::now();
    loop {
        let answer = Wire::open(bootstrap)?.call(&request, FIND_VERSION)?;
        if answer.coordinators.iter().all(|found| found.error_code == 0) {
            return Ok(());
        }
        ensure!(began.elapsed() < PATIENCE, "no coordinator: {answer:?}");
        thread::sleep(PAUSE);
    }
}
