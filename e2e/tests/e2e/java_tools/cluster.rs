//! ClusterTool, FeatureCommand and BrokerApiVersionsCommand: what the cluster and its brokers are and can do.

use anyhow::{Result, ensure};
use e2e::java;
use e2e::server::Server;

use super::{line, tool, words};

const CLUSTER: &str = "org.apache.kafka.tools.ClusterTool";
const FEATURES: &str = "org.apache.kafka.tools.FeatureCommand";
const API_VERSIONS: &str = "org.apache.kafka.tools.BrokerApiVersionsCommand";

#[test]
fn tools_show_what_the_cluster_is_and_can_do() -> Result<()> {
    let server = Server::start("cluster-tools")?;
    check_cluster(&server)?;
    check_features(&server)?;
    check_api_versions(&server)?;
    server.done()
}

fn check_cluster(server: &Server) -> Result<()> {
    let bootstrap = server.bootstrap();
    let cluster = |command: &str| java::run(CLUSTER, &[command, "--bootstrap-server", &bootstrap])?.success();
    let id = cluster("cluster-id")?;
    ensure!(words(&id, "Cluster ID:")?.len() == 3, "{id}");
    ensure!(cluster("cluster-id")? == id, "the id is the same each time");
    let endpoints = cluster("list-endpoints")?;
    let shown = words(&endpoints, "1 ")?;
    ensure!(shown[..3] == ["1", "127.0.0.1", &server.port().to_string()], "{endpoints}");
    ensure!(shown.ends_with(&["unfenced", "broker"]), "{endpoints}");
    Ok(())
}

/// Milena has no features that are switched on or off: there are none to describe, and a change of one is refused.
fn check_features(server: &Server) -> Result<()> {
    let described = tool(server, FEATURES, &["describe"])?;
    if !server.is_milena() {
        line(&described, "Feature: metadata.version")?;
        return Ok(());
    }
    ensure!(described.trim().is_empty(), "{described}");
    let upgrade = ["--bootstrap-server", &server.bootstrap(), "upgrade", "--feature", "group.version=1"];
    let upgraded = java::run(FEATURES, &upgrade)?;
    ensure!(upgraded.code == 1 && upgraded.stdout.contains("UPDATE_FEATURES"), "{upgraded:?}");
    Ok(())
}

fn check_api_versions(server: &Server) -> Result<()> {
    let shown = tool(server, API_VERSIONS, &[])?;
    ensure!(line(&shown, "127.0.0.1")?.contains("(id: 1 rack: null"), "{shown}");
    // The tool, which is of the reference's version, can use the highest version of all that is served.
    for api in ["Produce(0)", "Fetch(1)", "Metadata(3)", "JoinGroup(11)", "ElectLeaders(43)"] {
        let api = line(&shown, api)?;
        ensure!(api.contains("[usable: ") && !api.contains("UNSUPPORTED"), "{api}");
    }
    Ok(())
}
