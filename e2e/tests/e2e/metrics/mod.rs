//! The metrics listener of a running broker, and all that brokers and controllers export.

mod cluster;
mod documented;
mod lint;
mod page;

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
    assert_eq!(server.metric_sum(under_replicated)?, Some(0.0));
    let lines: Vec<String> = (0..500).map(|number| format!("record {number}")).collect();
    let messages_in = "kafka_server_brokertopicmetrics_messagesin_total";
    let before = server.metric_sum(messages_in)?.unwrap_or_default();
    kcat::produce(&server.bootstrap(), "measured", &["-p", "0"], &lines)?;
    let after = server.metric_sum(messages_in)?.context(messages_in)?;
    assert!(after >= before + 500.0, "{before} {after}");
    for process in ["process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds"] {
        assert!(server.metric(process)?.context(process)? > 0.0);
    }
    server.done()
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
