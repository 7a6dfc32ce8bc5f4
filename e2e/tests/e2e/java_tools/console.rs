//! ConsoleProducer and ConsoleConsumer.

use anyhow::{Result, ensure};
use e2e::java;
use e2e::server::Server;

use super::tool;

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
