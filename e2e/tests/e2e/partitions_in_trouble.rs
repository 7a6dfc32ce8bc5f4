//! What operators see when a broker is away: the filters of `describe`, Kafka's and ours, and the page of `milena cluster`.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use e2e::cluster::Cluster;
use e2e::server::{Subject, subject};
use e2e::{java, kcat, process, wait, wire, workspace};
use serde_json::Value;

const FILTERS: [&str; 4] = [
    "--under-replicated-partitions",
    "--unavailable-partitions",
    "--under-min-isr-partitions",
    "--at-min-isr-partitions",
];

fn milena(arguments: &[&str]) -> Result<String> {
    let mut command = Command::new(workspace::binary("milena")?);
    process::run(command.args(arguments), b"", wait::PATIENCE)?.success()
}

#[test]
fn a_broker_that_is_away_shows_in_describe_and_on_the_page() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let mut cluster = Cluster::start("trouble", 3, 2, "offsets.topic.replication.factor=3")?;
    let bootstrap = cluster.bootstrap();
    for (topic, replicas, min_isr) in [("loose", "3", "1"), ("exact", "3", "2"), ("strict", "3", "3")] {
        create(&bootstrap, &["create", topic, "--replication-factor", replicas], min_isr)?;
    }
    create(&bootstrap, &["create", "alone", "--replica-assignment", "3"], "1")?;
    let records: Vec<String> = (0..100).map(|number| number.to_string()).collect();
    kcat::produce(&bootstrap, "loose", &["-p", "0", "-X", "acks=all"], &records)?;
    for topic in ["loose", "exact", "strict"] {
        cluster.await_in_sync(topic, 3)?;
    }
    check_filters(&bootstrap, [&[], &[], &[], &["alone", "strict"]])?;
    let well = page(&cluster)?;
    ensure!(well["in_trouble"].as_array().is_some_and(Vec::is_empty), "{well}");
    ensure!(
        well["brokers"].as_array().is_some_and(|all| all.iter().all(|broker| broker["lag_max"] == 0)),
        "{well}"
    );
    ensure!([100, 101].iter().any(|id| well["store"]["controller"]["id"] == *id), "{well}");
    cluster.broker(3).kill();
    wait::until("the failover", wait::PATIENCE, || {
        let partition = wire::partition(cluster.port(1), "strict", 0)?;
        let alone = wire::partition(cluster.port(1), "alone", 0)?;
        ensure!(partition.isr_nodes.len() == 2 && alone.leader_id < 0, "{partition:?} {alone:?}");
        Ok(Some(()))
    })?;
    let bootstrap = [1, 2].map(|id| format!("127.0.0.1:{}", cluster.port(id))).join(",");
    check_filters(
        &bootstrap,
        [&["exact", "loose", "strict"], &["alone"], &["alone", "strict"], &["alone", "exact"]],
    )?;
    check_described_alike(&bootstrap)?;
    check_page(&cluster, &bootstrap)?;
    cluster.broker(3).start()?;
    cluster.await_in_sync("strict", 3)?;
    cluster.done()
}

#[test]
fn log_dirs_command_shows_every_replica_of_every_broker() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let cluster = Cluster::start("log-dirs", 3, 1, "")?;
    let bootstrap = cluster.bootstrap();
    create(&bootstrap, &["create", "kept", "--replication-factor", "3", "--partitions", "2"], "1")?;
    let records: Vec<String> = (0..100).map(|number| number.to_string()).collect();
    kcat::produce(&bootstrap, "kept", &["-p", "1", "-X", "acks=all"], &records)?;
    let arguments = ["--bootstrap-server", &bootstrap, "--describe", "--topic-list", "kept"];
    let output = java::run("org.apache.kafka.tools.LogDirsCommand", &arguments)?.success()?;
    let line = output.lines().find(|line| line.starts_with('{')).context(output.clone())?;
    let described: Value = serde_json::from_str(line)?;
    let brokers = described["brokers"].as_array().context("brokers")?;
    ensure!(brokers.len() == 3, "{described}");
    for broker in brokers {
        let dir = &broker["logDirs"][0];
        let replicas = dir["partitions"].as_array().context("partitions")?;
        let mut sizes: Vec<_> = replicas.iter().map(|replica| replica["size"].as_u64()).collect();
        sizes.sort_unstable();
        ensure!(dir["error"].is_null() && sizes.len() == 2 && sizes[0] < sizes[1], "{described}");
        ensure!(replicas.iter().all(|replica| replica["offsetLag"] == 0), "{described}");
    }
    cluster.done()
}

fn create(bootstrap: &str, arguments: &[&str], min_isr: &str) -> Result<()> {
    let config = format!("min.insync.replicas={min_isr}");
    let more = ["--config", &config, "--bootstrap-server", bootstrap];
    milena(&[&["topics"], arguments, &more].concat()).map(|_| ())
}

/// Which topics each filter shows: by Kafka's tool, and by ours in the very same lines.
fn check_filters(bootstrap: &str, expected: [&[&str]; 4]) -> Result<()> {
    for (filter, expected) in FILTERS.into_iter().zip(expected) {
        let (kafka, ours) = both(bootstrap, filter)?;
        let shown: Vec<&str> = kafka.iter().filter_map(|line| line.split_whitespace().nth(1)).collect();
        ensure!(shown == expected, "{filter}: {kafka:?}");
        ensure!(kafka == ours, "{filter}: {kafka:?}, and ours {ours:?}");
    }
    Ok(())
}

fn check_described_alike(bootstrap: &str) -> Result<()> {
    let (kafka, ours) = both(bootstrap, "--exclude-internal")?;
    ensure!(kafka == ours && kafka.iter().any(|line| line.contains("LastKnownElr:")), "{kafka:?} {ours:?}");
    Ok(())
}

/// The lines of Kafka's tool and of ours, each in order: Kafka's goes by topics as they come.
fn both(bootstrap: &str, argument: &str) -> Result<(Vec<String>, Vec<String>)> {
    let lines = |text: String| {
        let mut lines: Vec<String> =
            text.lines().map(str::to_owned).filter(|line| !line.is_empty()).collect();
        lines.sort();
        lines
    };
    let arguments = ["--bootstrap-server", bootstrap, "--describe", argument];
    let kafka = java::run(java::TOPICS, &arguments)?.success()?;
    let ours = milena(&["topics", "describe", argument, "--bootstrap-server", bootstrap])?;
    Ok((lines(kafka), lines(ours)))
}

/// The page as JSON, by the first broker and with the metadata store.
fn page(cluster: &Cluster) -> Result<Value> {
    let (bootstrap, etcd) = (format!("127.0.0.1:{}", cluster.port(1)), cluster.etcd.endpoint());
    let arguments = ["cluster", "-b", &bootstrap, "--metadata-endpoints", &etcd, "--output", "json"];
    Ok(serde_json::from_str(&milena(&arguments)?)?)
}

fn check_page(cluster: &Cluster, bootstrap: &str) -> Result<()> {
    let seen = page(cluster)?;
    let troubles: Vec<_> = seen["in_trouble"].as_array().context("in trouble")?.iter().collect();
    let named: Vec<_> =
        troubles.iter().filter_map(|at| Some((at["topic"].as_str()?, at["trouble"].as_str()?))).collect();
    let expected = [
        ("alone", "unavailable"),
        ("strict", "under min isr"),
        ("exact", "at min isr"),
        ("loose", "under-replicated"),
    ];
    ensure!(named == expected, "{seen}");
    let text = milena(&["cluster", "-b", bootstrap, "--metadata-endpoints", &cluster.etcd.endpoint()])?;
    let lost = text.lines().find(|line| line.starts_with("3 ")).context(text.clone())?;
    ensure!(lost.contains("gone") || lost.contains("fenced"), "{text}");
    ensure!(text.contains("Controller  10"), "{text}");
    ensure!(text.contains("Standing by 10"), "{text}");
    ensure!(text.lines().all(|line| line.chars().count() <= 120), "{text}");
    Ok(())
}
