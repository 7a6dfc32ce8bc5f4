//! Many partitions: how long until all of them have a leader and hold a record, and what they cost to keep.

use anyhow::{Result, ensure};

use super::Turn;
use crate::load::{Done, Moved};
use crate::proc::process;
use crate::subject::Server;
use crate::window::Window;

const TOPICS: u32 = 10;
/// Bytes of the one record that each partition gets.
const RECORD_SIZE: u32 = 100;

pub fn take(turn: &mut Turn<'_>, server: &Server) -> Result<()> {
    let all = turn.options.many_partitions;
    ensure!(all >= TOPICS, "--many-partitions is at least {TOPICS}");
    let partitions = all / TOPICS;
    let names: Vec<String> = (0..TOPICS).map(|number| format!("many-{number}")).collect();
    let topics: Vec<&str> = names.iter().map(String::as_str).collect();
    let name = |figure: &str| format!("{all} partitions: {figure}");
    let window = Window::open(&[server.pid()])?;
    let created = turn.create(&topics, partitions)?;
    turn.sample(name("created"), "s", created.created_seconds);
    turn.sample(name("all led"), "s", created.led_seconds);
    let written_seconds = write_once(turn, &topics, partitions)?;
    turn.sample(name("written once"), "s", written_seconds);
    turn.sample(name("broker CPU"), "s", window.close()?.watched);
    turn.sample(name("resident memory"), "MiB", process::memory(server.pid())?.resident);
    turn.sample(name("descriptors"), "", process::descriptors(server.pid())? as f64);
    Ok(())
}

/// How long the writing took, the starts of the clients left out.
fn write_once(turn: &mut Turn<'_>, topics: &[&str], partitions: u32) -> Result<f64> {
    let bytes = (RECORD_SIZE * partitions).to_string();
    let (partitions, size) = (partitions.to_string(), RECORD_SIZE.to_string());
    let mut seconds = 0.0;
    for topic in topics {
        let arguments = ["--topic", topic, "--partitions", &partitions, "--size", &size, "--bytes", &bytes];
        let done: Done<Moved> = turn.load("produce", &arguments)?;
        seconds += done.figures.seconds;
    }
    Ok(seconds)
}
