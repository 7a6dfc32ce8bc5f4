//! The way from Apache Kafka to Milena: its own MirrorMaker 2, with the sample configuration that the documents name.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use e2e::process::Daemon;
use e2e::scratch::Scratch;
use e2e::server::{Server, Subject, subject};
use e2e::{apache_kafka, java, kcat, ports, wait, workspace};

const GROUPS: &str = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand";
const MIRROR_MAKER: &str = "org.apache.kafka.connect.mirror.MirrorMaker";
const TOPIC: &str = "moved";
const RECORDS: usize = 2_000;
/// Two clusters, and three workers that join groups of their own at each.
const PATIENCE: std::time::Duration = wait::PATIENCE.saturating_mul(10);

fn start_apache_kafka(folder: &Path, port: u16) -> Result<Daemon> {
    let properties = [("offsets.topic.replication.factor", "1"), ("offsets.topic.num.partitions", "4")];
    let properties = properties.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let mut command = apache_kafka::command(folder, &folder.join("kafka-data"), port, &properties)?;
    let daemon = Daemon::start("Apache Kafka", &mut command, &folder.join("kafka.log"))?;
    wait::until("Apache Kafka to serve", wait::PATIENCE, || Ok(kcat::metadata(&address(port), None).ok()))?;
    Ok(daemon)
}

fn address(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

/// The sample, with addresses of ours in it and one replica of everything.
fn configuration(folder: &Path, old: &str, new: &str) -> Result<PathBuf> {
    let sample = fs::read_to_string(workspace::root().join("deploy/config/mirror-maker.properties"))?;
    let ours = sample
        .replace("old-kafka-1:9092", old)
        .replace("broker-1:9092", new)
        .replace("factor = 3", "factor = 1")
        .replace("seconds = 10", "seconds = 1");
    ensure!(ours.contains(old) && ours.contains(new), "the sample names its clusters otherwise:\n{sample}");
    let path = folder.join("mirror-maker.properties");
    // The connectors look for new groups and topics every ten minutes otherwise.
    fs::write(&path, ours + "\nold->new.refresh.groups.interval.seconds = 1\n")?;
    Ok(path)
}

/// The committed offset of a group, once it has one.
fn committed(bootstrap: &str) -> Result<Option<i64>> {
    let arguments = ["--bootstrap-server", bootstrap, "--describe", "--group", "readers"];
    let output = java::run(GROUPS, &arguments)?;
    let line = output.stdout.lines().find(|line| line.contains(TOPIC));
    let offset = line.and_then(|line| line.split_whitespace().nth(3));
    Ok(offset.and_then(|offset| offset.parse().ok()))
}

#[test]
fn mirror_maker_brings_topics_records_and_positions_of_groups() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let mut scratch = Scratch::new("mirror-maker")?;
    let port = ports::free(2)?;
    let _old = start_apache_kafka(scratch.path(), port)?;
    let new = Server::start("mirror-maker-new")?;
    let (old, records) =
        (address(port), (0..RECORDS).map(|number| format!("key:{number}")).collect::<Vec<_>>());
    kcat::produce(&old, TOPIC, &["-p", "0", "-K", ":", "-z", "zstd", "-H", "mark=kept"], &records)?;
    let group = ["-G", "readers", "-q", "-e", "-X", "auto.offset.reset=earliest", TOPIC];
    kcat::run(&old, &group, b"")?.success()?;
    let mut mirror = java::command()?;
    mirror.arg(MIRROR_MAKER).arg(configuration(scratch.path(), &old, &new.bootstrap())?);
    let _mirror = Daemon::start("MirrorMaker", &mut mirror, &scratch.path().join("mirror-maker.log"))?;
    let format = ["-f", "%k:%s %h %T\n"];
    let expected = kcat::consume(&old, TOPIC, "beginning", &format)?;
    wait::until("all records to be there", PATIENCE, || {
        let got = kcat::consume(&new.bootstrap(), TOPIC, "beginning", &format)?;
        ensure!(got == expected, "{} of {} records, the last {:?}", got.len(), expected.len(), got.last());
        Ok(Some(()))
    })?;
    let position = wait::until("the group's position to be there", PATIENCE, || committed(&new.bootstrap()))?;
    let before = committed(&old)?.context("the group has committed")?;
    ensure!((1..=before).contains(&position), "{position} for {before}: records would be skipped");
    scratch.discard();
    new.done()
}
