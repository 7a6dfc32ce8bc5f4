//! The commands of the runbooks, run as they stand.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use e2e::cluster::Cluster;
use e2e::prometheus::{self, Prometheus};
use e2e::scratch::files_below;
use e2e::{process, wait, workspace};

/// Apache Kafka's scripts and what each of them runs.
const SCRIPTS: [(&str, &str); 2] = [
    ("kafka-consumer-groups.sh", "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"),
    ("kafka-leader-election.sh", "org.apache.kafka.tools.LeaderElectionCommand"),
];

/// How a block begins that is run; one that needs a hand says so behind it.
const RUN: &str = "```sh\n";

/// Runs every block of every page against this cluster. Each must end well: what it looks for is there.
pub(super) fn check(cluster: &Cluster, prometheus: &Prometheus) -> Result<()> {
    let path = search_path(cluster)?;
    for page in files_below(&workspace::root().join("docs/runbooks"), ".md")? {
        for block in blocks(&fs::read_to_string(&page)?) {
            let mut command = Command::new("sh");
            command.args(["-euc", &block]).env("PATH", &path).env("ETCDCTL_API", "3");
            command.env("BROKER", cluster.bootstrap()).env("ETCD", cluster.etcd.endpoint());
            command.env("METRICS", format!("127.0.0.1:{}", cluster.brokers[0].metrics_port()));
            command.env("PROMETHEUS", prometheus.url());
            let output = process::run(&mut command, b"", 3 * wait::PATIENCE)?;
            ensure!(output.code == 0, "{}:\n{block}\n{output:?}", page.display());
        }
    }
    Ok(())
}

fn blocks(page: &str) -> Vec<String> {
    let begun = page.split(RUN).skip(1);
    begun.filter_map(|rest| rest.split("```").next()).map(str::to_owned).collect()
}

/// Where the shell finds our programs, Prometheus's and Apache Kafka's.
fn search_path(cluster: &Cluster) -> Result<String> {
    let scripts = cluster.scratch.path().join("scripts");
    fs::create_dir_all(&scripts)?;
    for (name, class) in SCRIPTS {
        write_script(&scripts.join(name), class)?;
    }
    let folder =
        |program: PathBuf| program.parent().map(Path::to_owned).context("a program lies in a folder");
    let folders = [scripts, folder(workspace::binary("milena")?)?, folder(prometheus::tool("promtool")?)?];
    let folders = folders.map(|folder| folder.display().to_string()).join(":");
    Ok(format!("{folders}:{}", std::env::var("PATH")?))
}

fn write_script(path: &Path, class: &str) -> Result<()> {
    let jars = workspace::tool("kafka/libs", "tools/fetch-kafka")?;
    let java = "java -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1";
    let jars = jars.join("*");
    fs::write(path, format!("#!/bin/sh\nexec {java} -cp '{}' {class} \"$@\"\n", jars.display()))?;
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(0o755))?)
}
