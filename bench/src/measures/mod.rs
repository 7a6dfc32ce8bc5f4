//! What is measured on a broker that runs alone, group by group; [`cluster`] is what is measured on three.

pub mod cluster;
mod groups;
mod idle;
mod latency;
mod neighbours;
mod partitions;
mod throughput;

use std::process::Command;

use anyhow::Result;
use serde::de::DeserializeOwned;

use crate::load::{self, Client, Created, Done};
use crate::options::{Measures, Options};
use crate::parts::Parts;
use crate::rounds::Run;
use crate::samples::Sample;
use crate::subject::{Server, Subject};

pub use throughput::cpu_measure;

/// One subject in one round.
#[derive(Debug)]
pub struct Turn<'a> {
    pub options: &'a Options,
    pub parts: &'a Parts,
    pub round: u32,
    pub subject: Subject,
    /// Where its brokers are reached.
    pub bootstrap: String,
    pub run: &'a mut Run,
}

/// The order within a turn: what leaves the most behind comes last.
const GROUPS: [Measures; 6] = [
    Measures::Idle,
    Measures::Throughput,
    Measures::Latency,
    Measures::Neighbours,
    Measures::Groups,
    Measures::Partitions,
];

/// Takes all groups of a broker alone that the options name; the idle broker first, while it still is.
pub fn take(turn: &mut Turn<'_>, server: &mut Server) -> Result<()> {
    turn.sample("start to the first Metadata", "s", server.start.as_secs_f64());
    for group in GROUPS.into_iter().filter(|&group| turn.options.measures(group)) {
        match group {
            Measures::Idle => idle::take(turn, server)?,
            Measures::Throughput => throughput::take(turn, server)?,
            Measures::Latency => latency::take(turn, server)?,
            Measures::Neighbours => neighbours::take(turn, server)?,
            Measures::Groups => groups::take(turn, server)?,
            Measures::Partitions => partitions::take(turn, server)?,
            // Not of a broker, or not of one alone.
            _ => {}
        }
    }
    Ok(())
}

impl Turn<'_> {
    fn sample(&mut self, measure: impl Into<String>, unit: &'static str, value: f64) {
        let subject = self.subject.name();
        self.run.samples.add(Sample { round: self.round, subject, measure: measure.into(), unit, value });
    }

    /// The command of one load on this subject.
    fn load_command(&self, kind: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.parts.load);
        command.args([kind, "--bootstrap", &self.bootstrap]).args(arguments);
        for given in &self.options.overrides {
            command.args(["--set", given]);
        }
        command
    }

    /// Runs one load to its end and keeps under which settings.
    fn load<F: DeserializeOwned>(&mut self, kind: &str, arguments: &[&str]) -> Result<Done<F>> {
        let done = load::run(&mut self.load_command(kind, arguments))?;
        self.keep(kind, &done.client);
        Ok(done)
    }

    fn keep(&mut self, kind: &str, client: &Client) {
        self.run.clients.insert(kind.to_owned(), client.clone());
    }

    fn create(&mut self, topics: &[&str], partitions: u32) -> Result<Created> {
        let partitions = partitions.to_string();
        let arguments = [&["--partitions", &partitions, "--topics"], topics].concat();
        Ok(self.load("create", &arguments)?.figures)
    }
}
