//! A broker that nobody uses: what it holds and what it burns.

use std::thread;
use std::time::Duration;

use anyhow::Result;

use super::Turn;
use crate::proc::process;
use crate::subject::Server;
use crate::window::Window;

/// What a broker does just after its start is not idleness.
const SETTLING: Duration = Duration::from_secs(5);

pub fn take(turn: &mut Turn<'_>, server: &Server) -> Result<()> {
    thread::sleep(SETTLING);
    let window = Window::open(&[server.pid()])?;
    thread::sleep(turn.options.idle());
    let spent = window.close()?;
    turn.sample("idle: resident memory", "MiB", process::memory(server.pid())?.resident);
    turn.sample("idle: CPU", "%", spent.watched_percent());
    turn.sample("idle: CPU of others", "%", spent.others_percent(0.0));
    Ok(())
}
