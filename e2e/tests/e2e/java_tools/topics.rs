//! TopicCommand.

use anyhow::{Result, ensure};
use e2e::java;
use e2e::server::Server;

use super::tool;

#[test]
fn topic_command_creates_lists_describes_grows_and_deletes() -> Result<()> {
    let server = Server::start("topic-command")?;
    let topics = |arguments: &[&str]| tool(&server, java::TOPICS, arguments);
    let created =
        topics(&["--create", "--topic", "made", "--partitions", "3", "--config", "retention.ms=60000"])?;
    assert_eq!(created.trim(), "Created topic made.");
    assert_eq!(topics(&["--list"])?.trim(), "made");
    let described = topics(&["--describe", "--topic", "made"])?;
    assert!(described.contains("PartitionCount: 3\tReplicationFactor: 1"), "{described}");
    assert!(described.contains("retention.ms=60000"), "{described}");
    assert_eq!(described.matches("Isr: 1").count(), 3, "{described}");
    topics(&["--alter", "--topic", "made", "--partitions", "5"])?;
    assert!(topics(&["--describe", "--topic", "made"])?.contains("PartitionCount: 5"));
    assert_eq!(topics(&["--describe", "--under-replicated-partitions"])?.trim(), "");
    topics(&["--delete", "--topic", "made"])?;
    assert_eq!(topics(&["--list"])?.trim(), "");
    server.done()
}

#[test]
fn topic_command_shows_why_a_topic_cannot_be() -> Result<()> {
    let server = Server::start("topic-refusals")?;
    let refused = |arguments: &[&str], part: &str| -> Result<()> {
        let bootstrap = server.bootstrap();
        let arguments = [&["--bootstrap-server", &bootstrap, "--create", "--topic"], arguments].concat();
        let output = java::run(java::TOPICS, &arguments)?;
        ensure!(output.code == 1 && output.stdout.contains(part), "{arguments:?}: {output:?}");
        Ok(())
    };
    tool(&server, java::TOPICS, &["--create", "--topic", "there"])?;
    refused(&["there"], "already exists")?;
    refused(&["many", "--replication-factor", "3"], "replication factor")?;
    refused(&["none", "--partitions", "1", "--config", "retention.ms=never"], "retention.ms")?;
    refused(&["unknown", "--config", "no.such.key=1"], "no.such.key")?;
    let grown = ["--alter", "--topic", "there", "--partitions", "1"];
    assert!(tool(&server, java::TOPICS, &grown).is_err());
    server.done()
}
