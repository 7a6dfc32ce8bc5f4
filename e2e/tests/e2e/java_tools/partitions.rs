//! GetOffsetShell, DeleteRecordsCommand and LogDirsCommand: where partitions begin and end, and how large they are.

use anyhow::{Context, Result, ensure};
use e2e::java;
use e2e::server::Server;
use serde_json::Value;

use super::{tool, topic_with_records};

const OFFSETS: &str = "org.apache.kafka.tools.GetOffsetShell";
const DELETE_RECORDS: &str = "org.apache.kafka.tools.DeleteRecordsCommand";
const LOG_DIRS: &str = "org.apache.kafka.tools.LogDirsCommand";

#[test]
fn tools_find_where_partitions_begin_and_end_and_shorten_them() -> Result<()> {
    let server = Server::start("partition-tools")?;
    topic_with_records(&server, "counted", 2, 100)?;
    check_offsets(&server, &[], &["counted:0:100", "counted:1:0"])?;
    check_offsets(&server, &["--time", "earliest"], &["counted:0:0", "counted:1:0"])?;
    check_offsets(&server, &["--time", "-1", "--partitions", "0"], &["counted:0:100"])?;
    check_offsets(&server, &["--time", "max-timestamp", "--partitions", "1"], &[])?;
    check_offsets(&server, &["--time", "1000", "--partitions", "0"], &["counted:0:0"])?;
    check_offsets(&server, &["--time", "earliest-local", "--partitions", "0"], &["counted:0:0"])?;
    let wide = tool(&server, OFFSETS, &["--topic-partitions", "count.*:0-2,none:5"])?;
    ensure!(wide.lines().count() == 2, "{wide}");
    check_delete_records(&server)?;
    check_offsets(&server, &["--time", "earliest"], &["counted:0:60", "counted:1:0"])?;
    check_log_dirs(&server)?;
    server.done()
}

fn check_offsets(server: &Server, arguments: &[&str], expected: &[&str]) -> Result<()> {
    let found = tool(server, OFFSETS, &[&["--topic", "counted"], arguments].concat())?;
    ensure!(found.lines().eq(expected.iter().copied()), "{arguments:?}: {found}");
    Ok(())
}

fn check_delete_records(server: &Server) -> Result<()> {
    let file = server.scratch().join("offsets.json");
    let offset = |partition: i32, offset: i64| {
        format!(r#"{{"topic":"counted","partition":{partition},"offset":{offset}}}"#)
    };
    let partitions = [offset(0, 60), offset(1, 1)].join(",");
    std::fs::write(&file, format!(r#"{{"version":1,"partitions":[{partitions}]}}"#))?;
    let done = tool(server, DELETE_RECORDS, &["--offset-json-file", &file.to_string_lossy()])?;
    ensure!(done.contains("partition: counted-0\tlow_watermark: 60"), "{done}");
    ensure!(done.contains("partition: counted-1\terror:") && done.contains("OffsetOutOfRange"), "{done}");
    Ok(())
}

fn check_log_dirs(server: &Server) -> Result<()> {
    let said = tool(server, LOG_DIRS, &["--describe", "--broker-list", "1", "--topic-list", "counted"])?;
    let json = said.lines().find(|line| line.starts_with('{')).context("no JSON")?;
    let json: Value = serde_json::from_str(json)?;
    let folder = &json["brokers"][0]["logDirs"][0];
    ensure!(folder["error"].is_null(), "{json}");
    let partitions = folder["partitions"].as_array().context("no partitions")?;
    let size = |name: &str| {
        let found = partitions.iter().find(|partition| partition["partition"] == name);
        found.and_then(|partition| partition["size"].as_i64())
    };
    ensure!(size("counted-0") > Some(0) && size("counted-1") == Some(0), "{json}");
    let unknown = java::run(
        LOG_DIRS,
        &["--bootstrap-server", &server.bootstrap(), "--describe", "--broker-list", "9"],
    )?;
    ensure!(unknown.code == 1, "{unknown:?}");
    Ok(())
}
