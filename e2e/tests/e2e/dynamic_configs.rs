//! Apache Kafka's own tools change what is set while brokers run, and move leadership.

use anyhow::{Context, Result, ensure};
use e2e::frames::{Answer, RawConnection};
use e2e::java;
use e2e::server::{Server, Subject, subject};
use e2e::{kcat, wait};

/// ApiVersions 0, without a client id.
const API_VERSIONS: [u8; 10] = [0, 18, 0, 0, 0, 0, 0, 7, 0xff, 0xff];

fn tool(server: &Server, tool: &str, arguments: &[&str]) -> Result<String> {
    let bootstrap = server.bootstrap();
    java::run(tool, &[&["--bootstrap-server", &bootstrap], arguments].concat())?.success()
}

#[test]
fn config_command_alters_topics_and_brokers() -> Result<()> {
    let server = Server::start("alter-configs")?;
    tool(&server, java::TOPICS, &["--create", "--topic", "altered", "--partitions", "1"])?;
    let configs = |arguments: &[&str]| tool(&server, java::CONFIGS, arguments);
    let topic = ["--alter", "--entity-type", "topics", "--entity-name", "altered"];
    let alter = |more: &[&str]| configs(&[&topic[..], more].concat());
    alter(&["--add-config", "retention.ms=1000,cleanup.policy=[delete,compact]"])?;
    let described = configs(&["--describe", "--topic", "altered"])?;
    ensure!(
        described.contains("retention.ms=1000 ") && described.contains("cleanup.policy=delete,compact "),
        "{described}"
    );
    alter(&["--delete-config", "retention.ms"])?;
    let described = configs(&["--describe", "--topic", "altered"])?;
    ensure!(!described.contains("retention.ms"), "{described}");
    let refused = alter(&["--add-config", "retention.ms=never"]).unwrap_or_else(|error| error.to_string());
    ensure!(refused.contains("Invalid value never for configuration retention.ms"), "{refused}");
    let all =
        ["--alter", "--entity-type", "brokers", "--entity-default", "--add-config", "log.retention.ms=5000"];
    configs(&all)?;
    let described = configs(&["--describe", "--all", "--topic", "altered"])?;
    ensure!(
        described.contains("retention.ms=5000 "),
        "a topic inherits what is set on all brokers: {described}"
    );
    server.done()
}

#[test]
fn loggers_have_levels_that_can_be_changed() -> Result<()> {
    let server = Server::start("alter-loggers")?;
    if !server.is_milena() {
        return server.done();
    }
    let loggers = |arguments: &[&str]| {
        let entity = ["--entity-type", "broker-loggers", "--entity-name", "1"];
        tool(&server, java::CONFIGS, &[arguments, &entity].concat())
    };
    let described = loggers(&["--describe"])?;
    ensure!(described.contains("root=INFO ") && described.contains("broker.api=INFO "), "{described}");
    let set_idle = |value: &str| {
        let key = format!("log.cleaner.threads={value}");
        let all = ["--alter", "--entity-type", "brokers", "--entity-default", "--add-config", &key];
        tool(&server, java::CONFIGS, &all)
    };
    let warnings = || server.log().lines().filter(|line| line.contains("log.cleaner.threads")).count();
    loggers(&["--alter", "--add-config", "broker.api=ERROR"])?;
    ensure!(loggers(&["--describe"])?.contains("broker.api=ERROR "), "the level is the new one");
    set_idle("2")?;
    ensure!(warnings() == 0, "a warning was logged that nobody wants to see");
    loggers(&["--alter", "--delete-config", "broker.api"])?;
    set_idle("3")?;
    ensure!(warnings() == 1, "a key that does nothing is warned of: {}", server.log());
    let refused = loggers(&["--alter", "--add-config", "kafka.server=DEBUG"]);
    let refused = refused.unwrap_or_else(|error| error.to_string());
    ensure!(refused.contains("Invalid broker logger(s): kafka.server"), "{refused}");
    server.done()
}

#[test]
fn limits_on_connections_change_while_a_broker_runs() -> Result<()> {
    let server = Server::start("alter-limits")?;
    let alter = |change: &[&str]| {
        let brokers = ["--alter", "--entity-type", "brokers", "--entity-name", "1"];
        tool(&server, java::CONFIGS, &[&brokers, change].concat())
    };
    let serves = || {
        RawConnection::open(server.port())
            .and_then(|mut asking| asking.send_frame(&API_VERSIONS).and_then(|_| asking.receive()))
    };
    ensure!(matches!(serves()?, Answer::Frame(_)), "it serves anybody");
    let refused = alter(&["--add-config", "max.connections.per.ip.overrides=nowhere:x"]);
    ensure!(refused.is_err(), "no address, no number: {refused:?}");
    if server.is_milena() {
        alter(&["--add-config", "max.connections.per.ip.overrides=127.0.0.1:0"])?;
        wait::until("connections to be refused", wait::PATIENCE, || {
            Ok(matches!(serves(), Err(_) | Ok(Answer::Closed)).then_some(()))
        })?;
    }
    server.done()
}

#[test]
fn a_topic_says_when_its_log_is_flushed_and_how_it_is_packed() -> Result<()> {
    let server = Server::start("alter-logs")?;
    if !server.is_milena() {
        return server.done();
    }
    tool(&server, java::TOPICS, &["--create", "--topic", "flushed", "--partitions", "1"])?;
    let flushes = || -> Result<f64> {
        let count = server.metric("kafka_log_logflushstats_logflushrateandtimems_count")?;
        Ok(count.unwrap_or_default())
    };
    let (before, lines) = (flushes()?, vec!["x".repeat(5_000)]);
    kcat::produce(&server.bootstrap(), "flushed", &[], &lines)?;
    ensure!(flushes()? == before, "nothing asks for a flush");
    let set = "flush.messages=1,compression.type=gzip,compression.gzip.level=9,preallocate=true";
    tool(&server, java::CONFIGS, &["--alter", "--topic", "flushed", "--add-config", set])?;
    let log = server.data().join("broker-1/flushed-0/00000000000000000000.log");
    let size = || std::fs::metadata(&log).map(|file| file.len());
    let unpacked = size()?;
    kcat::produce(&server.bootstrap(), "flushed", &[], &lines)?;
    ensure!(flushes()? > before, "each record is flushed before it is acknowledged");
    let packed = size()? - unpacked;
    ensure!(packed < 1_000 && unpacked > 5_000, "{packed} bytes packed, {unpacked} as they came");
    let consumed = kcat::consume(&server.bootstrap(), "flushed", "beginning", &[])?;
    ensure!(consumed == [lines.clone(), lines].concat(), "both are read again");
    server.done()
}

#[test]
fn a_topic_takes_a_smaller_limit_at_once() -> Result<()> {
    let server = Server::start("alter-limit")?;
    tool(&server, java::TOPICS, &["--create", "--topic", "limited", "--partitions", "1"])?;
    let large = vec!["x".repeat(20_000)];
    kcat::produce(&server.bootstrap(), "limited", &[], &large)?;
    let alter = ["--alter", "--topic", "limited", "--add-config", "max.message.bytes=10000"];
    tool(&server, java::CONFIGS, &alter)?;
    let refused = kcat::produce(&server.bootstrap(), "limited", &[], &large);
    ensure!(refused.is_err(), "the record is larger than max.message.bytes");
    server.done()
}

#[test]
fn leader_election_command_gives_leadership_back_to_preferred_replicas() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let server = Server::cluster("elections", 3, &[("default.replication.factor", "3")])?;
    let create = ["--create", "--topic", "led", "--replica-assignment", "1:2:3"];
    tool(&server, java::TOPICS, &create)?;
    let elect = |topic: &str| {
        let arguments = ["--election-type", "preferred", "--topic", topic, "--partition", "0"];
        tool(&server, "org.apache.kafka.tools.LeaderElectionCommand", &arguments)
    };
    let needless = elect("led").unwrap_or_else(|error| error.to_string());
    ensure!(needless.contains("Valid replica already elected"), "{needless}");
    let unknown = elect("gone").unwrap_or_else(|error| error.to_string());
    ensure!(unknown.contains("gone-0") || unknown.contains("does not exist"), "{unknown}");
    let fetchers = "num.replica.fetchers=2";
    let all = ["--alter", "--entity-type", "brokers", "--entity-default", "--add-config", fetchers];
    tool(&server, java::CONFIGS, &all)?;
    kcat::produce(&server.bootstrap(), "led", &["-X", "acks=all"], &["followed".to_owned()])?;
    let spread = server.log().lines().filter(|line| line.contains("num.replica.fetchers changes")).count();
    ensure!(spread == 3, "{spread} of 3 brokers fetch by more connections");
    let leader = |topic: &str| -> Result<i64> {
        let metadata = kcat::metadata(&server.bootstrap(), Some(topic))?;
        metadata["topics"][0]["partitions"][0]["leader"].as_i64().context("a leader")
    };
    wait::until("the preferred leader", wait::PATIENCE, || Ok((leader("led")? == 1).then_some(())))?;
    server.done()
}
