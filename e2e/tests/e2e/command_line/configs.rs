//! `milena configs`.

use anyhow::{Context, Result};
use e2e::java;
use e2e::server::Server;
use serde_json::Value;

use super::{json, refused, text};

#[test]
fn configs_are_described_and_altered() -> Result<()> {
    let server = Server::with("cli-configs", &[("log.retention.hours", "100")])?;
    text(&server, &["topics", "create", "set", "--partitions", "1", "--config", "segment.bytes=2000000"])?;
    check_topic(&server)?;
    check_brokers(&server)?;
    check_refusals(&server)?;
    server.done()
}

/// The configs that are shown of one resource.
fn described(server: &Server, arguments: &[&str]) -> Result<Vec<Value>> {
    let described = json(server, &[&["configs", "describe"], arguments].concat())?;
    Ok(described[0]["configs"].as_array().context("no configs")?.clone())
}

fn value_of<'a>(configs: &'a [Value], name: &str) -> Option<(&'a str, &'a str)> {
    let found = configs.iter().find(|config| config["name"] == name)?;
    Some((found["value"].as_str()?, found["source"].as_str()?))
}

fn check_topic(server: &Server) -> Result<()> {
    let own = described(server, &["--topic", "set"])?;
    assert_eq!(own.len(), 1, "{own:?}");
    assert_eq!(value_of(&own, "segment.bytes"), Some(("2000000", "DYNAMIC_TOPIC_CONFIG")));
    let changes = ["--add", "cleanup.policy=[compact,delete],retention.ms=1000", "--delete", "segment.bytes"];
    let alter = |more: &[&str]| text(server, &[&["configs", "alter", "--topic", "set"], more].concat());
    assert_eq!(
        alter(&[&changes[..], &["--validate-only"]].concat())?,
        "Configs of topic 'set': could be altered.\n"
    );
    assert_eq!(described(server, &["--topic", "set"])?.len(), 1, "it was only tried");
    assert_eq!(alter(&changes)?, "Configs of topic 'set': altered.\n");
    alter(&["--subtract", "cleanup.policy=delete"])?;
    let expected = "Configs of topic 'set':\n\
                    KEY             VALUE    SOURCE\n\
                    cleanup.policy  compact  DYNAMIC_TOPIC_CONFIG\n\
                    retention.ms    1000     DYNAMIC_TOPIC_CONFIG\n";
    assert_eq!(text(server, &["configs", "describe", "--topic", "set"])?, expected);
    let by_kafka = ["--bootstrap-server", &server.bootstrap(), "--describe", "--topic", "set"];
    let by_kafka = java::run(java::CONFIGS, &by_kafka)?.success()?;
    assert!(by_kafka.contains("cleanup.policy=compact") && !by_kafka.contains("segment.bytes"), "{by_kafka}");
    Ok(())
}

fn check_brokers(server: &Server) -> Result<()> {
    let all = described(server, &["--broker", "1", "--all", "--synonyms"])?;
    assert_eq!(value_of(&all, "log.retention.hours"), Some(("100", "STATIC_BROKER_CONFIG")));
    let hours = all.iter().find(|config| config["name"] == "log.retention.hours").context("no hours")?;
    assert_eq!(hours["synonyms"][1]["source"], "DEFAULT_CONFIG", "{hours}");
    text(server, &["configs", "alter", "--broker-defaults", "--add", "log.retention.ms=1000000"])?;
    let entity = ["--entity-type", "brokers", "--entity-default"];
    let defaults = described(server, &entity)?;
    assert_eq!(value_of(&defaults, "log.retention.ms"), Some(("1000000", "DYNAMIC_DEFAULT_BROKER_CONFIG")));
    text(server, &["configs", "alter", "--broker-defaults", "--delete-config", "log.retention.ms"])?;
    assert_eq!(value_of(&described(server, &entity)?, "log.retention.ms"), None);
    let loggers = described(server, &["--broker-logger", "1"])?;
    assert!(value_of(&loggers, "root").is_some(), "{loggers:?}");
    text(server, &["configs", "alter", "--group", "g", "--add", "consumer.session.timeout.ms=50000"])?;
    let group = described(server, &["--group", "g"])?;
    assert_eq!(value_of(&group, "consumer.session.timeout.ms"), Some(("50000", "DYNAMIC_GROUP_CONFIG")));
    Ok(())
}

fn check_refusals(server: &Server) -> Result<()> {
    let alter = |changes: &[&str], parts: &[&str]| {
        refused(server, &[&["configs", "alter", "--topic", "set"], changes].concat(), parts)
    };
    alter(&["--add", "retention.ms=never"], &["INVALID_CONFIG", "retention.ms", "never"])?;
    alter(&["--add", "no.such.key=1"], &["INVALID_CONFIG", "no.such.key"])?;
    alter(&["--add", "cleanup.policy=compact,delete"], &["KEY=[VALUE,VALUE]"])?;
    alter(&["--add", "a=1", "--delete", "a"], &["key a is named twice"])?;
    alter(&[], &["--add KEY=VALUE"])?;
    refused(
        server,
        &["configs", "describe", "--topic", "absent"],
        &["UNKNOWN_TOPIC_OR_PARTITION", "absent"],
    )?;
    refused(server, &["configs", "describe", "--broker", "9"], &["broker 9"])?;
    refused(server, &["configs", "describe", "--entity-type", "users"], &["cannot be kept yet"])
}
