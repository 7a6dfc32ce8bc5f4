//! Produce and fetch as fast as they go: broker CPU for each gigabyte (10^9) of values, and the rate.
//!
//! Everything is read back from the page cache. Each size has topics of its own, and the first of them only warms up
//! what needs it (a JIT compiler above all).

use anyhow::Result;
use nix::unistd::sync;

use super::Turn;
use crate::load::{Done, Moved};
use crate::proc::process;
use crate::profile::Profile;
use crate::subject::Server;
use crate::window::Window;

pub fn take(turn: &mut Turn<'_>, server: &Server) -> Result<()> {
    for &size in &turn.options.sizes {
        let (warm_up, load) = (format!("warm-up-{size}"), format!("load-{size}"));
        turn.create(&[&warm_up, &load], turn.options.partitions)?;
        if turn.options.warm_up_megabytes > 0 {
            produce(turn, &warm_up, size, turn.options.warm_up_megabytes)?;
            fetch(turn, &warm_up)?;
        }
        measure(turn, server, "produce", size, |turn| produce(turn, &load, size, turn.options.megabytes))?;
        measure(turn, server, "fetch", size, |turn| fetch(turn, &load))?;
    }
    let memory = process::memory(server.pid())?;
    turn.sample("after the load: resident memory", "MiB", memory.resident);
    turn.sample("after the load: most resident memory", "MiB", memory.peak);
    Ok(())
}

pub fn produce(turn: &mut Turn<'_>, topic: &str, size: usize, megabytes: u64) -> Result<Done<Moved>> {
    let (partitions, size) = (turn.options.partitions.to_string(), size.to_string());
    let bytes = (megabytes * 1_000_000).to_string();
    turn.load("produce", &["--topic", topic, "--partitions", &partitions, "--size", &size, "--bytes", &bytes])
}

fn fetch(turn: &mut Turn<'_>, topic: &str) -> Result<Done<Moved>> {
    let (partitions, passes) = (turn.options.partitions.to_string(), turn.options.fetch_passes.to_string());
    turn.load("fetch", &["--topic", topic, "--partitions", &partitions, "--passes", &passes])
}

/// The name of the measure that the raw limit is set beside.
pub fn cpu_measure(kind: &str, size: usize) -> String {
    format!("{kind} {size} B: broker CPU")
}

fn measure(
    turn: &mut Turn<'_>,
    server: &Server,
    kind: &str,
    size: usize,
    load: impl FnOnce(&mut Turn<'_>) -> Result<Done<Moved>>,
) -> Result<()> {
    // What an earlier load left to be written back is not this one's.
    sync();
    let profile = Profile::start(turn, server.pid(), kind, size)?;
    let window = Window::open(&[server.pid()])?;
    let done = load(turn)?;
    let spent = window.close()?;
    profile.map(Profile::finish).transpose()?;
    let moved = &done.figures;
    let gigabytes = moved.bytes as f64 / 1e9;
    turn.sample(cpu_measure(kind, size), "s/GB", spent.watched / gigabytes);
    turn.sample(format!("{kind} {size} B: rate"), "MB/s", moved.bytes as f64 / 1e6 / moved.seconds);
    turn.sample(format!("{kind} {size} B: librdkafka CPU"), "s/GB", done.cpu_seconds / gigabytes);
    turn.sample(format!("{kind} {size} B: CPU of others"), "%", spent.others_percent(done.cpu_seconds));
    Ok(())
}
