//! acks=all at a steady rate far below what the broker could take: how long an acknowledgement takes.

use anyhow::Result;
use nix::unistd::sync;

use super::Turn;
use crate::load::{Done, Latencies};
use crate::subject::Server;
use crate::window::Window;

const TOPIC: &str = "latency";

pub fn take(turn: &mut Turn<'_>, server: &Server) -> Result<()> {
    turn.create(&[TOPIC], turn.options.partitions)?;
    sync();
    let rate = turn.options.latency_rate;
    let arguments =
        [turn.options.partitions, rate, turn.options.latency_seconds].map(|number| number.to_string());
    let [partitions, per_second, seconds] = &arguments;
    let window = Window::open(&[server.pid()])?;
    let done: Done<Latencies> = turn.load(
        "latency",
        &["--topic", TOPIC, "--partitions", partitions, "--rate", per_second, "--seconds", seconds],
    )?;
    let spent = window.close()?;
    let name = |figure: &str| format!("acks=all at {rate}/s: {figure}");
    let figures = &done.figures;
    turn.sample(name("p50"), "ms", figures.p50_ms);
    turn.sample(name("p99"), "ms", figures.p99_ms);
    turn.sample(name("p99.9"), "ms", figures.p999_ms);
    turn.sample(name("most"), "ms", figures.max_ms);
    turn.sample(name("broker CPU"), "%", spent.watched_percent());
    turn.sample(name("CPU of others"), "%", spent.others_percent(done.cpu_seconds));
    Ok(())
}
