//! Apache Kafka 4.3.1 as one process that is broker and controller, in Milena's place: what passes against it is what
//! Kafka does.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::{java, process, wait};

/// Any uuid does.
const CLUSTER_ID: &str = "MkU3OEVBNTcwNTJENDM2Qk";

/// The command that serves on `port`, after the data folder was formatted if it is new.
pub fn command(folder: &Path, data: &Path, port: u16, properties: &[(String, String)]) -> Result<Command> {
    let file = folder.join("server.properties");
    fs::write(&file, server_properties(data, port, properties))?;
    let mut format = java::command()?;
    format
        .args(["kafka.tools.StorageTool", "format", "--ignore-formatted", "-t", CLUSTER_ID, "-c"])
        .arg(&file);
    process::run(&mut format, b"", wait::PATIENCE)?.success()?;
    let mut serve = java::command()?;
    serve.arg("kafka.Kafka").arg(&file);
    Ok(serve)
}

fn server_properties(data: &Path, port: u16, properties: &[(String, String)]) -> String {
    let controller = port + 1;
    let mut text = format!(
        "node.id=1\nprocess.roles=broker,controller\ncontroller.quorum.voters=1@127.0.0.1:{controller}\n\
         listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
         controller.listener.names=CONTROLLER\nlog.dirs={}\n\
         transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\n",
        data.display()
    );
    for (key, value) in properties {
        text.push_str(&format!("{key}={value}\n"));
    }
    text
}
