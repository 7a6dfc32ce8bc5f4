//! `--command-config`: files of Java clients.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};
use e2e::process::{self, Output};
use e2e::server::Server;
use e2e::{java, wait, workspace};

/// `milena topics list` with a file of these lines and nothing else to go by.
fn list(folder: &Path, lines: &str) -> Result<(PathBuf, Output)> {
    let file = folder.join("client.properties");
    std::fs::write(&file, lines)?;
    let mut command = Command::new(workspace::binary("milena")?);
    command.args(["topics", "list", "--command-config"]).arg(&file);
    Ok((file, process::run(&mut command, b"", wait::PATIENCE)?))
}

#[test]
fn a_file_of_a_java_client_leads_to_the_cluster() -> Result<()> {
    let server = Server::start("cli-command-config")?;
    let servers = format!("bootstrap.servers = {}\n", server.bootstrap());
    let lines =
        servers.clone() + "client.id=ops\nrequest.timeout.ms=20000\nsecurity.protocol=PLAINTEXT\nretries=5\n";
    let (file, output) = list(server.scratch(), &lines)?;
    ensure!(output.code == 0 && output.stderr.is_empty(), "{output:?}");
    let file = file.to_string_lossy().into_owned();
    let by_kafka = ["--bootstrap-server", &server.bootstrap(), "--command-config", &file, "--list"];
    java::run(java::TOPICS, &by_kafka)?.success()?;

    let (_, misspelt) = list(server.scratch(), &(servers.clone() + "request.timeuot.ms=1\n"))?;
    let warned = misspelt.stderr.contains("request.timeuot.ms") && misspelt.stderr.contains("line 2");
    ensure!(misspelt.code == 0 && warned, "{misspelt:?}");
    let refused = |lines: &str, part: &str| -> Result<()> {
        let (_, output) = list(server.scratch(), &(servers.clone() + lines))?;
        ensure!(output.code == 1 && output.stderr.contains(part), "{lines}: {output:?}");
        Ok(())
    };
    refused("security.protocol=SASL_SSL\n", "without TLS and without SASL")?;
    refused("retries=many\n", "key retries: value 'many'")?;
    refused("bootstrap.servers=nowhere\n", "'nowhere' is not HOST:PORT")?;
    server.done()
}
