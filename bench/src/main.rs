//! Milena beside Apache Kafka and the raw limit of the machine: same machine, same run, same foreign load.
//!
//! It starts one broker, or one cluster of three, after the other, lets librdkafka work on it (`bench/librdkafka`, a program of its own) and reads
//! from `/proc` what the broker used. It prints what it saw; nothing here fails because a figure is bad.
//! Of our crates it knows the protocol alone, which speaks to both brokers alike.

mod acks;
mod cluster;
mod http;
mod load;
mod measures;
mod options;
mod parts;
mod probe;
mod proc;
mod profile;
mod raw;
mod report;
mod rounds;
mod samples;
mod steady;
mod subject;
mod window;
mod wire;

use anyhow::Result;
use clap::Parser;

fn main() -> Result<()> {
    let options = options::Options::parse();
    let parts = parts::build(&options)?;
    let run = rounds::run(&options, &parts)?;
    print!("{}", report::text(&run));
    if let Some(file) = &options.json {
        report::write_json(&run, file)?;
    }
    Ok(())
}
