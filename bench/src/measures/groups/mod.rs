//! Consumer groups: how long their offsets take to be read after a restart, and what rebalances of many members cost.

mod commits;
mod rebalances;

use anyhow::Result;

use super::Turn;
use crate::subject::Server;

pub fn take(turn: &mut Turn<'_>, server: &mut Server) -> Result<()> {
    rebalances::take(turn, server)?;
    commits::take(turn, server)
}
