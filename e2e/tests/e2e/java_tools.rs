//! Apache Kafka's own command-line tools.

use anyhow::{Context, Result, ensure};
use e2e::java;
use e2e::server::Server;

/// A tool's stdout against this server.
fn tool(server: &Server, tool: &str, arguments: &[&str]) -> Result<String> {
    let bootstrap = server.bootstrap();
    let arguments = [&["--bootstrap-server", &bootstrap], arguments].concat();
    java::run(tool, &arguments)?.success()
}

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

#[test]
fn console_producer_and_console_consumer_understand_each_other() -> Result<()> {
    let server = Server::start("console")?;
    tool(&server, java::TOPICS, &["--create", "--topic", "console", "--partitions", "1"])?;
    for compression in ["none", "gzip", "snappy", "lz4", "zstd"] {
        check_console(&server, compression)?;
    }
    server.done()
}

fn check_console(server: &Server, compression: &str) -> Result<()> {
    let lines: Vec<String> = (0..200).map(|number| format!("k{number}\t{compression} {number}")).collect();
    let bootstrap = server.bootstrap();
    let codec = format!("--compression-codec={compression}");
    let arguments = [
        "--bootstrap-server",
        &bootstrap,
        "--topic",
        "console",
        "--reader-property",
        "parse.key=true",
        &codec,
    ];
    java::run_with_input(java::CONSOLE_PRODUCER, &arguments, (lines.join("\n") + "\n").as_bytes())?
        .success()?;
    let count = lines.len().to_string();
    // Every call goes on where the group left off.
    let arguments =
        ["--topic", "console", "--group", "readers", "--max-messages", &count, "--timeout-ms", "30000"];
    let position = ["--from-beginning", "--formatter-property", "print.key=true"];
    let read = tool(server, java::CONSOLE_CONSUMER, &[&arguments[..], &position[..]].concat())?;
    ensure!(read.lines().eq(&lines), "{compression}: {read}");
    Ok(())
}

#[test]
fn config_command_describes_broker_and_topic() -> Result<()> {
    let server = Server::with("configs", &[("log.retention.hours", "100")])?;
    tool(&server, java::TOPICS, &["--create", "--topic", "configured", "--config", "segment.bytes=2000000"])?;
    let configs = |arguments: &[&str]| tool(&server, java::CONFIGS, arguments);
    let set = configs(&["--describe", "--topic", "configured"])?;
    assert!(
        line(&set, "segment.bytes=2000000")?.contains("DYNAMIC_TOPIC_CONFIG:segment.bytes=2000000"),
        "{set}"
    );
    assert!(line(&set, "segment.bytes=")?.contains("DEFAULT_CONFIG:log.segment.bytes=1073741824"), "{set}");
    let all = configs(&["--describe", "--all", "--topic", "configured"])?;
    assert!(line(&all, "retention.ms=360000000")?.contains("sensitive=false"), "{all}");
    assert!(line(&all, "cleanup.policy=delete")?.contains("sensitive=false"), "{all}");
    let broker = configs(&["--describe", "--all", "--broker", "1"])?;
    assert!(line(&broker, "log.retention.hours=100")?.contains("STATIC_BROKER_CONFIG"), "{broker}");
    assert!(line(&broker, "node.id=1").is_ok(), "{broker}");
    server.done()
}

fn line<'a>(text: &'a str, start: &str) -> Result<&'a str> {
    let mut lines = text.lines().map(str::trim);
    lines.find(|line| line.starts_with(start)).with_context(|| format!("no line '{start}…' in\n{text}"))
}
