//! What `promtool check metrics` says of a page: nothing, but of names that are Apache Kafka's, and not ours to choose.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use e2e::{process, prometheus, wait};

/// What promtool finds fault with in names that dashboards made for Apache Kafka ask for: the name, and the fault.
const ACCEPTED: [(&str, &str); 13] = [
    ("kafka_server_delayedoperationpurgatory_purgatorysize", CAMEL_CASE),
    ("kafka_server_delayedoperationpurgatory_numdelayedoperations", CAMEL_CASE),
    ("kafka_server_replicafetchermanager_maxlag", CAMEL_CASE),
    ("kafka_server_replicafetchermanager_failedpartitionscount", CAMEL_CASE),
    ("kafka_server_fetcherlagmetrics_consumerlag", CAMEL_CASE),
    ("kafka_log_logmanager_logdirectoryoffline", CAMEL_CASE),
    ("kafka_server_socket_server_metrics_connection_count", COUNT),
    ("kafka_server_group_coordinator_metrics_offset_commit_count", COUNT),
    ("kafka_server_group_coordinator_metrics_offset_commit_count", NO_TOTAL),
    ("kafka_server_group_coordinator_metrics_offset_expiration_count", COUNT),
    ("kafka_server_group_coordinator_metrics_offset_expiration_count", NO_TOTAL),
    ("kafka_server_group_coordinator_metrics_group_completed_rebalance_count", COUNT),
    ("kafka_server_group_coordinator_metrics_group_completed_rebalance_count", NO_TOTAL),
];

/// The label is a key of Kafka's MBean.
const CAMEL_CASE: &str = "label names should be written in 'snake_case' not 'camelCase'";
/// It is an attribute of Kafka's MBean that counts.
const COUNT: &str = "non-histogram and non-summary metrics should not have \"_count\" suffix";
const NO_TOTAL: &str = "counter metrics should have \"_total\" suffix";

pub(super) fn check(page: &str) -> Result<()> {
    let mut command = Command::new(prometheus::tool("promtool")?);
    let output = process::run(command.args(["check", "metrics"]), page.as_bytes(), wait::PATIENCE)?;
    // 3: the page is sound, and something is not as promtool would have it.
    ensure!([0, 3].contains(&output.code), "{output:?}");
    for fault in output.stderr.lines().filter(|line| !line.is_empty()) {
        let (name, text) = fault.split_once(' ').with_context(|| output.stderr.clone())?;
        ensure!(ACCEPTED.contains(&(name, text)), "{fault}");
    }
    Ok(())
}
