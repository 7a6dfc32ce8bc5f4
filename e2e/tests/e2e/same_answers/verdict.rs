//! What comes of the comparison: a line of numbers, and an error for each difference that is not listed, each row of the
//! list that is not so any more, and each version that nobody calls.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use e2e::server::{Subject, subject};
use protocol::ApiKey;

use super::compare::{Difference, differences};
use super::listed::{self, Listed};
use super::script::{Action, Step};
use super::value::Value;

/// A step and both answers to it.
pub struct Pair {
    pub step: Step,
    pub kafka: Value,
    pub milena: Value,
}

/// Differences by API, each with the calls in which it showed.
type Unlisted = BTreeMap<(String, Difference), Vec<String>>;

/// How many calls are named beside a difference.
const PLACES_SHOWN: usize = 5;

/// Prints how many calls are answered alike; fails for what is not listed, and for what is listed and is not so.
pub fn differences_are_as_listed(pairs: &[Pair]) -> Result<()> {
    let listed = listed::read()?;
    let (mut occurred, mut unlisted, mut alike) = (BTreeSet::new(), Unlisted::new(), 0);
    for Pair { step, kafka, milena } in pairs {
        let found = differences(kafka, milena);
        alike += usize::from(found.is_empty());
        for difference in found {
            match listed.iter().position(|row| row.covers(&api(step), &step.title, &difference)) {
                Some(row) => drop(occurred.insert(row)),
                None => unlisted.entry((api(step), difference)).or_default().push(told(step)),
            }
        }
    }
    print_summary(pairs, alike, &listed);
    let gone = listed.iter().enumerate().filter(|(at, _)| !occurred.contains(at));
    let gone: Vec<&str> = gone.map(|(_, row)| row.row.as_str()).collect();
    let (count, page) = (unlisted.len(), listed::PAGE);
    ensure!(unlisted.is_empty(), "{count} differences are not in {page}:\n{}", shown(&unlisted));
    let is_self_check = subject()? == Subject::ApacheKafka;
    ensure!(is_self_check || gone.is_empty(), "listed, but not so any more:\n{}", gone.join("\n"));
    Ok(())
}

fn print_summary(pairs: &[Pair], alike: usize, listed: &[Listed]) {
    let calls: BTreeSet<&str> = pairs.iter().map(|pair| pair.step.place.as_str()).collect();
    println!(
        "same answers: {} calls in the scripts, {} with all their versions: {alike} are answered alike, {} otherwise for \
         {} reasons",
        calls.len(),
        pairs.len(),
        pairs.len() - alike,
        listed.len()
    );
}

/// What Milena advertises is called in its oldest version, its newest, and one between.
pub fn every_version_is_called(pairs: &[Pair]) -> Result<()> {
    let advertised =
        pairs.iter().find_map(|pair| pair.milena.at("api_keys")).context("ApiVersions is asked")?;
    let Value::List(advertised) = advertised else { anyhow::bail!("{advertised} is no list") };
    for entry in advertised {
        let Some(Value::Int(key)) = entry.at("api_key") else { continue };
        let api = ApiKey::try_from(i16::try_from(*key)?)?;
        let served = api.served_versions().context("it is advertised")?;
        let (first, last) = (*served.start(), *served.end());
        let called: BTreeSet<i16> = pairs.iter().filter_map(|pair| version_of(&pair.step, api)).collect();
        let has_middle = last - first < 2 || (first + 1..last).any(|version| called.contains(&version));
        ensure!(
            called.contains(&first) && called.contains(&last) && has_middle,
            "of {api}'s versions {first} to {last} only {called:?} are called"
        );
    }
    Ok(())
}

fn version_of(step: &Step, asked: ApiKey) -> Option<i16> {
    match &step.action {
        Action::Call { api, version, .. } if *api == asked => Some(*version),
        Action::Call { .. } | Action::Raw(_) | Action::Receive => None,
    }
}

fn api(step: &Step) -> String {
    match &step.action {
        Action::Call { api, .. } => api.name().to_owned(),
        Action::Raw(_) => "Raw".to_owned(),
        Action::Receive => "Later".to_owned(),
    }
}

fn told(step: &Step) -> String {
    let version = match &step.action {
        Action::Call { version, .. } => format!(" v{version}"),
        Action::Raw(_) | Action::Receive => String::new(),
    };
    format!("{}{version} {}", step.place, step.title)
}

fn shown(unlisted: &Unlisted) -> String {
    let lines = unlisted.iter().map(|((api, difference), places)| {
        let Difference { path, kafka, milena } = difference;
        let named: Vec<&str> = places.iter().take(PLACES_SHOWN).map(String::as_str).collect();
        let (count, named) = (places.len(), named.join("; "));
        format!("{api} {path}\n    kafka:  {kafka}\n    milena: {milena}\n    {count} × {named}")
    });
    lines.collect::<Vec<_>>().join("\n")
}
