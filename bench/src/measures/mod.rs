//! What is measured on a broker that runs, group by group.

mod idle;
mod latency;
mod partitions;
mod throughput;

use std::process::Command;

use anyhow::Result;
use serde::de::DeserializeOwned;

use crate::load::{self, Created, Done};
use crate::options::{Measures, Options};
use crate::parts::Parts;
use crate::rounds::Run;
use crate::samples::Sample;
use crate::subject::Server;

pub use throughput::cpu_measure;

/// One broker in one round.
#[derive(Debug)]
pub struct Turn<'a> {
    pub options: &'a Options,
    pub parts: &'a Parts,
    pub round: u32,
    pub server: &'a Server,
    pub run: &'a mut Run,
}

/// The order within a turn: what leaves the most behind comes last.
const GROUPS: [Measures; 4] = [Measures::Idle, Measures::Throughput, Measures::Latency, Measures::Partitions];

/// Takes all groups that the options name; the idle broker first, while it still is.
pub fn take(turn: &mut Turn<'_>) -> Result<()> {
    turn.sample("start to the first Metadata", "s", turn.server.start.as_secs_f64());
    for group in GROUPS.into_iter().filter(|&group| turn.options.measures(group)) {
        match group {
            Measures::Idle => idle::take(turn)?,
            Measures::Throughput => throughput::take(turn)?,
            Measures::Latency => latency::take(turn)?,
            Measures::Partitions => partitions::take(turn)?,
            // No broker's figure.
            Measures::Raw => {}
        }
    }
    Ok(())
}

impl Turn<'_> {
    fn sample(&mut self, measure: impl Into<String>, unit: &'static str, value: f64) {
        let subject = self.server.subject.name();
        self.run.samples.add(Sample { round: self.round, subject, measure: measure.into(), unit, value });
    }

    /// Runs one load on this broker and keeps under which settings.
    fn load<F: DeserializeOwned>(&mut self, kind: &str, arguments: &[&str]) -> Result<Done<F>> {
        let mut command = Command::new(&self.parts.load);
        command.args([kind, "--bootstrap", &self.server.bootstrap()]).args(arguments);
        for given in &self.options.overrides {
            command.args(["--set", given]);
        }
        let done = load::run(&mut command)?;
        self.run.clients.insert(kind.to_owned(), done.client.clone());
        Ok(done)
    }

    fn create(&mut self, topics: &[&str], partitions: u32) -> Result<Created> {
        let partitions = partitions.to_string();
        let arguments = [&["--partitions", &partitions, "--topics"], topics].concat();
        Ok(self.load("create", &arguments)?.figures)
    }
}
