//! The metrics listener of a running broker.

use anyhow::{Context, Result};
use e2e::kcat;
use e2e::server::Server;

#[test]
fn a_scrape_names_what_dashboards_ask_for() -> Result<()> {
    let server = Server::start("metrics")?;
    if !server.is_milena() {
        return server.done();
    }
    let under_replicated = "kafka_server_replicamanager_underreplicatedpartitions";
    assert_eq!(sum(&server, under_replicated)?, Some(0.0));
    let lines: Vec<String> = (0..500).map(|number| format!("record {number}")).collect();
    let messages_in = "kafka_server_brokertopicmetrics_messagesin_total";
    let before = sum(&server, messages_in)?.unwrap_or_default();
    kcat::produce(&server.bootstrap(), "measured", &["-p", "0"], &lines)?;
    let after = sum(&server, messages_in)?.context(messages_in)?;
    assert!(after >= before + 500.0, "{before} {after}");
    for process in ["process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds"] {
        assert!(server.metric(process)?.context(process)? > 0.0);
    }
    server.done()
}

/// The sum over the labels of a series, or `None` if it is not there. Where a total has a breakdown by topic beside
/// it, the total counts twice; it only has to grow.
fn sum(server: &Server, name: &str) -> Result<Option<f64>> {
    let (_, page) = server.http("/metrics")?;
    let is_series = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{']));
    let values: Vec<f64> =
        page.lines().filter(is_series).filter_map(|line| line.rsplit(' ').next()?.parse().ok()).collect();
    Ok((!values.is_empty()).then(|| values.iter().sum()))
}

#[test]
fn health_and_readiness_are_told() -> Result<()> {
    let server = Server::start("health")?;
    if !server.is_milena() {
        return server.done();
    }
    assert_eq!(server.http("/healthz")?.0, 200);
    let (status, why) = server.http("/readyz")?;
    assert_eq!(status, 200, "{why}");
    assert_eq!(server.http("/nothing")?.0, 404);
    server.done()
}
