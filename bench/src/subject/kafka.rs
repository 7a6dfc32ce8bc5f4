//! Apache Kafka as one process that is broker and controller, with the heap and collector flags of its own scripts.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::server::free_port;
use crate::parts::{Parts, output};

pub const JVM_FLAGS: [&str; 8] = [
    "-Xms1G",
    "-Xmx1G",
    "-server",
    "-XX:+UseG1GC",
    "-XX:MaxGCPauseMillis=20",
    "-XX:InitiatingHeapOccupancyPercent=35",
    "-XX:+ExplicitGCInvokesConcurrent",
    "-Djava.awt.headless=true",
];

/// What is set beside names, ports and folders; all else is Kafka's default.
const PROPERTIES: [&str; 4] = [
    "process.roles=broker,controller",
    "offsets.topic.replication.factor=1",
    "transaction.state.log.replication.factor=1",
    "transaction.state.log.min.isr=1",
];

/// Any uuid does.
const CLUSTER_ID: &str = "MkU3OEVBNTcwNTJENDM2Qk";

pub fn version(parts: &Parts) -> Result<String> {
    let names = fs::read_dir(&parts.kafka_jars)?.map_while(Result::ok).map(|entry| entry.file_name());
    let mut names = names.filter_map(|name| name.into_string().ok());
    let version =
        names.find_map(|name| Some(name.strip_prefix("kafka_2.13-")?.strip_suffix(".jar")?.to_owned()));
    version.context("no kafka_2.13-*.jar among the jars")
}

pub fn settings() -> Vec<String> {
    JVM_FLAGS.iter().chain(&PROPERTIES).map(|&setting| setting.to_owned()).collect()
}

/// Formats the folder; the command serves on it.
pub fn command(parts: &Parts, folder: &Path, port: u16) -> Result<Command> {
    serve(parts, &folder.join("server.properties"), &properties(&folder.join("data"), port, free_port()?))
}

/// Writes the properties to `file` and formats the folders that they name; the command serves on them.
pub fn serve(parts: &Parts, file: &Path, properties: &str) -> Result<Command> {
    fs::write(file, properties)?;
    let mut format = java(parts);
    format.args(["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c"]).arg(file);
    output(&mut format)?;
    let mut serve = java(parts);
    serve.arg("kafka.Kafka").arg(file);
    Ok(serve)
}

fn java(parts: &Parts) -> Command {
    let mut java = Command::new("java");
    java.args(JVM_FLAGS).arg("-cp").arg(parts.kafka_jars.join("*"));
    java
}

fn properties(data: &Path, port: u16, controller: u16) -> String {
    let data = data.display();
    let mut text = PROPERTIES.join("\n");
    text.push_str(&format!(
        "\nnode.id=1\ncontroller.quorum.voters=1@127.0.0.1:{controller}\ncontroller.listener.names=CONTROLLER\n\
         listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\nlog.dirs={data}\n"
    ));
    text
}
