//! What operators look at and type: rules, dashboards and runbooks, under a real Prometheus that scrapes a real cluster.

mod alerts;
mod commands;
mod expression;
mod named;
mod trouble;

use std::fs;

use anyhow::{Result, ensure};
use e2e::cluster::Cluster;
use e2e::prometheus::{self, Prometheus};
use e2e::scratch::Scratch;
use e2e::server::{Subject, subject};
use e2e::{wait, workspace};

use named::Asked;

#[test]
fn rules_are_sound_and_keep_their_unit_tests() -> Result<()> {
    let folder = workspace::root().join("deploy/prometheus");
    prometheus::promtool(&folder, &["check", "config", "prometheus.yml"].map(str::to_owned))?;
    let mut arguments = vec!["test".to_owned(), "rules".to_owned()];
    for test in fs::read_dir(folder.join("tests"))? {
        arguments.push(test?.path().display().to_string());
    }
    prometheus::promtool(&folder, &arguments)?;
    Ok(())
}

#[test]
fn what_operators_read_is_exported_and_what_they_type_works() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let mut cluster = Cluster::start("observe", 3, 2, trouble::PROPERTIES)?;
    let mut scratch = Scratch::new("observe-prometheus")?;
    let prometheus = Prometheus::start(&scratch, &cluster)?;
    let _consumer = trouble::live(&cluster)?;
    alerts::check_pages(&prometheus)?;
    wait::until("every rule to be evaluated, and silent", wait::PATIENCE, || {
        alerts::check_quiet(&prometheus)?;
        Ok(Some(()))
    })?;
    commands::check(&cluster, &prometheus)?;
    trouble::go_through(&mut cluster, &prometheus)?;
    let dashboards = named::of_dashboards()?;
    let asked = [named::of_rules(&prometheus)?, named::of_runbooks()?].concat();
    wait::until("everything named to be there", wait::PATIENCE, || {
        named::check(&prometheus, &asked)?;
        named::check(&prometheus, &dashboards)?;
        named::check_documents(&prometheus)?;
        Ok(Some(()))
    })?;
    wait::until("every panel to show something", wait::PATIENCE, || {
        check_shown(&prometheus, &dashboards)?;
        Ok(Some(()))
    })?;
    scratch.discard();
    cluster.done()
}

/// Each query gives series, and the labels of its legend are theirs.
fn check_shown(prometheus: &Prometheus, queries: &[Asked]) -> Result<()> {
    let mut empty = Vec::new();
    for asked in queries {
        let series = prometheus.query(&asked.expression)?;
        let is_labelled =
            asked.shown.iter().all(|label| series.iter().any(|sample| sample.labels.contains_key(label)));
        if series.is_empty() || !is_labelled {
            empty.push(format!("{}: {}", asked.place, asked.expression));
        }
    }
    ensure!(empty.is_empty(), "nothing is shown by\n{}", empty.join("\n"));
    Ok(())
}
