//! Consumers that share a topic, and what `milena groups` says of them while they do.

use std::process::Command;

use anyhow::{Context, Result};
use e2e::kcat;
use e2e::process::Daemon;
use e2e::server::Server;
use e2e::{wait, workspace};

use super::{consumed, json, numbers, refused, text};

#[test]
fn a_group_goes_on_where_it_stopped_even_within_a_batch() -> Result<()> {
    let server = Server::start("cli-group")?;
    text(&server, &["topics", "create", "grouped", "--partitions", "1"])?;
    kcat::produce(&server.bootstrap(), "grouped", &["-p", "0"], &numbers(0..100))?;
    let group = |more: &[&str]| consumed(&server, &[&["grouped", "--group", "readers"], more].concat());
    assert_eq!(group(&["--max-messages", "30"])?, numbers(0..30));
    assert_eq!(group(&[])?, numbers(30..100));
    assert!(group(&[])?.is_empty());
    server.done()
}

#[test]
fn two_followers_of_a_group_share_what_comes_and_leave_in_order() -> Result<()> {
    let server = Server::start("cli-follow")?;
    text(&server, &["topics", "create", "shared", "--partitions", "2"])?;
    let follow = |name: &str| -> Result<Daemon> {
        let mut command = Command::new(workspace::binary("milena")?);
        command.args(["consume", "shared", "--follow", "--group", "followers", "--from", "earliest"]);
        command.args(["--property", "print.partition=true", "--bootstrap-server", &server.bootstrap()]);
        Daemon::start(name, &mut command, &server.scratch().join(name))
    };
    let mut first = follow("first")?;
    kcat::produce(&server.bootstrap(), "shared", &["-p", "0"], &["one".to_owned()])?;
    kcat::produce(&server.bootstrap(), "shared", &["-p", "1"], &["two".to_owned()])?;
    // It may come to read after both were written, in any order.
    wait::until("the first records", wait::PATIENCE, || {
        let seen = first.log();
        Ok((seen.contains("Partition:0\tone") && seen.contains("Partition:1\ttwo")).then_some(()))
    })?;
    let mut second = follow("second")?;
    // The members are ordered by ids of chance: whoever has partition 1 now, both partitions are read by somebody.
    kcat::produce(&server.bootstrap(), "shared", &["-p", "0"], &["three".to_owned()])?;
    kcat::produce(&server.bootstrap(), "shared", &["-p", "1"], &["four".to_owned()])?;
    wait::until("both records", wait::PATIENCE, || {
        let seen = first.log() + &second.log();
        Ok((seen.contains("three") && seen.contains("four")).then_some(()))
    })?;
    assert_eq!(first.terminate(wait::PATIENCE)?, 0);
    kcat::produce(&server.bootstrap(), "shared", &["-p", "0"], &["five".to_owned()])?;
    second.await_line("Partition:0\tfive", wait::PATIENCE)?;
    assert_eq!(second.terminate(wait::PATIENCE)?, 0);
    server.done()
}

#[test]
fn a_group_with_members_is_described_and_not_reset() -> Result<()> {
    let server = Server::start("cli-members")?;
    text(&server, &["topics", "create", "busy", "--partitions", "2"])?;
    kcat::produce(&server.bootstrap(), "busy", &["-p", "1"], &numbers(0..5))?;
    let mut command = Command::new(workspace::binary("milena")?);
    command.args(["consume", "busy", "--follow", "--group", "workers", "--from", "earliest"]);
    command.args(["--bootstrap-server", &server.bootstrap()]);
    let mut worker = Daemon::start("worker", &mut command, &server.scratch().join("worker"))?;
    let rows = wait::until("a stable group", wait::PATIENCE, || {
        let stable = text(&server, &["groups", "list", "--state", "stable"])?.contains("workers");
        let rows = json(&server, &["groups", "describe", "workers"]);
        Ok(rows.ok().filter(|rows| stable && rows[1]["consumer_id"].is_string()))
    })?;
    assert_eq!((&rows[1]["topic"], &rows[1]["log_end_offset"]), (&"busy".into(), &5.into()), "{rows}");
    let members = json(&server, &["groups", "describe", "workers", "--members"])?;
    assert_eq!(members[0]["assignment"], serde_json::json!({ "busy": [0, 1] }), "{members}");
    let verbose = text(&server, &["groups", "describe", "workers", "--members", "--verbose"])?;
    assert!(verbose.lines().nth(1).context("a member")?.contains("busy:0,1"), "{verbose}");
    let state = json(&server, &["groups", "describe", "workers", "--state"])?;
    let expected = ["Stable", "classic", "range"].map(serde_json::Value::from);
    assert_eq!(
        ["state", "type", "assignment_strategy"].map(|key| state[0][key].clone()),
        expected,
        "{state}"
    );
    let reset = ["groups", "reset-offsets", "workers", "--topic", "busy", "--to-earliest", "--execute"];
    refused(&server, &reset, &["workers", "Stable", "stop its consumers"])?;
    refused(&server, &["groups", "delete", "workers"], &["NON_EMPTY_GROUP", "stop its members"])?;
    let offsets = ["groups", "delete-offsets", "workers", "--topic", "busy"];
    refused(&server, &offsets, &["GROUP_SUBSCRIBED_TO_TOPIC", "its members read the topic"])?;
    assert_eq!(worker.terminate(wait::PATIENCE)?, 0);
    server.done()
}
