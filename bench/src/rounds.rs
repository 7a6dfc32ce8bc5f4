//! The order of a run: in each round one broker after the other on an empty machine, then the raw limit.
//!
//! The brokers' order turns round with each round, so that neither always comes second.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use crate::cluster::{self, Cluster};
use crate::load::Client;
use crate::measures::{self, Turn};
use crate::options::{Measures, Options};
use crate::parts::Parts;
use crate::proc::machine::{self, Machine};
use crate::raw;
use crate::samples::Samples;
use crate::subject::{Description, Subject};

/// All that a reader needs to believe the figures, and the figures.
#[derive(Debug, Serialize)]
pub struct Run {
    pub command: String,
    pub machine: Machine,
    pub subjects: Vec<Description>,
    /// What each subject is as three brokers; empty if nothing was measured on them.
    pub clusters: Vec<String>,
    /// librdkafka in each load.
    pub clients: BTreeMap<String, Client>,
    pub samples: Samples,
}

pub fn run(options: &Options, parts: &Parts) -> Result<Run> {
    let subjects = options.subjects.iter().map(|subject| subject.describe(parts)).collect::<Result<_>>()?;
    let clusters = match options.clustered() {
        true => options.subjects.iter().map(|&subject| cluster::describe(subject)).collect::<Result<_>>()?,
        false => Vec::new(),
    };
    let mut run = Run {
        command: std::iter::once("cargo xtask bench".to_owned())
            .chain(std::env::args().skip(1))
            .collect::<Vec<_>>()
            .join(" "),
        machine: machine::describe()?,
        subjects,
        clusters,
        clients: BTreeMap::new(),
        samples: Samples::default(),
    };
    for round in 1..=options.rounds {
        for subject in order(&options.subjects, round) {
            take(options, parts, round, subject, &mut run)?;
        }
        if options.measures(Measures::Raw) {
            raw::take(options, parts, round, &mut run.samples)?;
        }
    }
    Ok(run)
}

/// One turn: alone first, then as a cluster, never both at a time.
fn take(options: &Options, parts: &Parts, round: u32, subject: Subject, run: &mut Run) -> Result<()> {
    if options.alone() {
        let mut server = subject.start(parts)?;
        let bootstrap = server.bootstrap();
        measures::take(&mut Turn { options, parts, round, subject, bootstrap, run }, &mut server)?;
    }
    if options.clustered() {
        let mut cluster = Cluster::start(subject, parts)?;
        let bootstrap = cluster.bootstrap();
        measures::cluster::take(&mut Turn { options, parts, round, subject, bootstrap, run }, &mut cluster)?;
    }
    Ok(())
}

fn order(subjects: &[Subject], round: u32) -> Vec<Subject> {
    let mut order = subjects.to_vec();
    if round.is_multiple_of(2) {
        order.reverse();
    }
    order
}
