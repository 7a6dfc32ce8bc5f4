//! `milena dump-log`.

use std::process::Command;

use anyhow::Result;
use e2e::server::Server;
use e2e::{java, kcat, process, wait, workspace};

use super::{numbers, text};

#[test]
fn dump_log_shows_what_kafkas_own_tool_shows() -> Result<()> {
    let mut server = Server::start("cli-dump")?;
    text(&server, &["topics", "create", "dumped", "--partitions", "1"])?;
    kcat::produce(&server.bootstrap(), "dumped", &["-p", "0", "-z", "lz4", "-K:"], &["k:v".to_owned()])?;
    kcat::produce(&server.bootstrap(), "dumped", &["-p", "0"], &numbers(0..20))?;
    server.terminate()?;
    let log = e2e::scratch::files_below(&server.data(), "dumped-0/00000000000000000000.log")?;
    let log = log[0].to_string_lossy().into_owned();
    let arguments = ["--deep-iteration", "--print-data-log", "--files", &log];
    let by_kafka = java::run(java::DUMP_LOG, &arguments)?.success()?;
    let mut command = Command::new(workspace::binary("milena")?);
    command.args(["dump-log", "--deep", "--print-data-log", &log]);
    let by_us = process::run(&mut command, b"", wait::PATIENCE)?.success()?;
    assert_eq!(by_us.replace("deleteHorizonMs: null", "deleteHorizonMs: OptionalLong.empty"), by_kafka);
    server.done()
}
