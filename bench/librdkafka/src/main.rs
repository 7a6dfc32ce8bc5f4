//! The foreign load: one librdkafka client, one job, one JSON line on stdout.
//!
//! It measures what a client sees (rates, latencies) and what it costs itself. What the broker costs is read by the
//! crate `bench`, which starts this program and waits for its end.

mod client;
mod create;
mod describe;
mod fetch;
mod latency;
mod produce;
mod stalls;
mod steady;

use anyhow::Result;
use clap::Parser;

/// One load by librdkafka; the result is one JSON line on stdout
#[derive(Parser)]
enum Load {
    /// Create topics and wait until every partition has a leader
    Create(create::Arguments),
    /// Print who leads each partition of a topic, once its ISRs are as large as wanted
    Describe(describe::Arguments),
    /// Write records as fast as the broker takes them
    Produce(produce::Arguments),
    /// Read everything in a topic, from the first record to the last
    Fetch(fetch::Arguments),
    /// Write at a steady rate and time each acknowledgement
    Latency(latency::Arguments),
    /// Write at a steady rate until stdin ends, and log every acknowledgement
    Steady(steady::Arguments),
}

fn main() -> Result<()> {
    let line = match Load::parse() {
        Load::Create(arguments) => create::run(&arguments)?,
        Load::Describe(arguments) => describe::run(&arguments)?,
        Load::Produce(arguments) => produce::run(&arguments)?,
        Load::Fetch(arguments) => fetch::run(&arguments)?,
        Load::Latency(arguments) => latency::run(&arguments)?,
        Load::Steady(arguments) => steady::run(&arguments)?,
    };
    println!("{line}");
    Ok(())
}
