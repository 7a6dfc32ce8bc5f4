//! `milena log-dirs`, `milena api-versions`, `milena completion`.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use e2e::process;
use e2e::server::Server;
use e2e::{kcat, wait, workspace};

use super::{json, numbers, refused, text};

#[test]
fn brokers_tell_their_directories_and_their_versions() -> Result<()> {
    let server = Server::start("cli-brokers")?;
    text(&server, &["topics", "create", "stored", "--partitions", "2"])?;
    kcat::produce(&server.bootstrap(), "stored", &["-p", "1"], &numbers(0..100))?;
    check_log_dirs(&server)?;
    check_api_versions(&server)?;
    check_closed_pipe(&server)?;
    server.done()
}

fn check_log_dirs(server: &Server) -> Result<()> {
    let brokers = json(server, &["log-dirs", "--topic", "stored"])?;
    let dir = &brokers[0]["dirs"][0];
    let replicas = dir["replicas"].as_array().context("no replicas")?;
    assert_eq!(replicas.len(), 2, "{brokers}");
    assert!(replicas[0]["bytes"] == 0 && replicas[1]["bytes"].as_u64() > Some(100), "{brokers}");
    assert!(dir["total_bytes"].as_u64() > dir["usable_bytes"].as_u64(), "{brokers}");
    let table = text(server, &["log-dirs", "--replicas"])?;
    assert!(table.contains("online") && table.contains("stored-1"), "{table}");
    refused(server, &["log-dirs", "--broker", "9"], &["no broker 9", "1"])
}

fn check_api_versions(server: &Server) -> Result<()> {
    let brokers = json(server, &["api-versions"])?;
    let apis = brokers[0]["apis"].as_array().context("no APIs")?;
    let fetch = apis.iter().find(|api| api["name"] == "Fetch").context("no Fetch")?;
    assert_eq!((&fetch["key"], &fetch["used"]), (&1.into(), &fetch["theirs"][1]), "{fetch}");
    let table = text(server, &["api-versions"])?;
    assert!(table.starts_with(&format!("Broker 1 at {}:\n", server.bootstrap())), "{table}");
    Ok(())
}

/// A reader that has seen enough is no error, and nothing to speak of.
fn check_closed_pipe(server: &Server) -> Result<()> {
    let milena = workspace::binary("milena")?;
    let lines = [
        format!("{} api-versions -b {} | true", milena.display(), server.bootstrap()),
        format!("{} completion bash | head -n 1", milena.display()),
        // Nobody hears the error either: its exit code is all that is left of it.
        format!("! {{ {} topics describe absent -b {} 2>&1 | true; }}", milena.display(), server.bootstrap()),
    ];
    for line in lines {
        let mut shell = Command::new("bash");
        let output = process::run(shell.args(["-o", "pipefail", "-c", &line]), b"", wait::PATIENCE)?;
        ensure!(output.code == 0 && output.stderr.is_empty(), "{line}: {output:?}");
    }
    Ok(())
}

#[test]
fn shells_complete_our_command_lines() -> Result<()> {
    for shell in ["bash", "zsh", "fish"] {
        let mut command = Command::new(workspace::binary("milena")?);
        let script = process::run(command.args(["completion", shell]), b"", wait::PATIENCE)?.success()?;
        assert!(script.contains("reset-offsets") && script.contains("command-config"), "{shell}");
    }
    let milena = workspace::binary("milena")?;
    // What bash does when somebody presses the tabulator behind `milena groups re`.
    let typed = "COMP_WORDS=(milena groups re); COMP_CWORD=2; _milena milena re groups; echo ${COMPREPLY[@]}";
    let line = format!("source <({} completion bash); {typed}", milena.display());
    let completed = process::run(Command::new("bash").args(["-c", &line]), b"", wait::PATIENCE)?.success()?;
    assert_eq!(completed.trim(), "reset-offsets");
    Ok(())
}
