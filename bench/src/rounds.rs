//! The order of a run: in each round one broker after the other on an empty machine, then the raw limit.
//!
//! The brokers' order turns round with each round, so that neither always comes second.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

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
    /// librdkafka in each load.
    pub clients: BTreeMap<String, Client>,
    pub samples: Samples,
}

pub fn run(options: &Options, parts: &Parts) -> Result<Run> {
    let subjects = options.subjects.iter().map(|subject| subject.describe(parts)).collect::<Result<_>>()?;
    let mut run = Run {
        command: std::iter::once("cargo xtask bench".to_owned())
            .chain(std::env::args().skip(1))
            .collect::<Vec<_>>()
            .join(" "),
        machine: machine::describe()?,
        subjects,
        clients: BTreeMap::new(),
        samples: Samples::default(),
    };
    for round in 1..=options.rounds {
        for subject in order(&options.subjects, round) {
            let server = subject.start(parts)?;
            measures::take(&mut Turn { options, parts, round, server: &server, run: &mut run })?;
        }
        if options.measures(Measures::Raw) {
            raw::take(options, parts, round, &mut run.samples)?;
        }
    }
    Ok(run)
}

fn order(subjects: &[Subject], round: u32) -> Vec<Subject> {
    let mut order = subjects.to_vec();
    if round.is_multiple_of(2) {
        order.reverse();
    }
    order
}
