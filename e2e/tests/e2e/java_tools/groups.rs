//! ConsumerGroupCommand and GroupsCommand.

use anyhow::{Result, ensure};
use e2e::process::Daemon;
use e2e::server::Server;
use e2e::{java, kcat, wait};

use super::{line, tool, topic_with_records, words};

const GROUPS: &str = "org.apache.kafka.tools.GroupsCommand";
const TOPIC: &str = "grouped";
const RECORDS: usize = 100;

#[test]
fn consumer_group_command_and_groups_command_show_and_change_groups() -> Result<()> {
    let server = Server::start("group-command")?;
    topic_with_records(&server, TOPIC, 2, RECORDS)?;
    check_members(&server)?;
    check_lists(&server)?;
    check_resets(&server)?;
    check_deletions(&server)?;
    server.done()
}

fn groups(server: &Server, arguments: &[&str]) -> Result<String> {
    tool(server, java::GROUPS, arguments)
}

/// A member of kcat's, in a group that is described while it lives and after it has left.
fn check_members(server: &Server) -> Result<()> {
    let arguments =
        ["-G", "readers", "-q", "-u", "-X", "auto.offset.reset=earliest", "-X", "client.id=a-reader", TOPIC];
    let mut command = kcat::command(&server.bootstrap(), &arguments);
    let mut member = Daemon::start("kcat", &mut command, &server.scratch().join("kcat.log"))?;
    member.await_line("record 99", wait::PATIENCE)?;
    let state = groups(server, &["--describe", "--group", "readers", "--state"])?;
    // GROUP, COORDINATOR (ID), ASSIGNMENT-STRATEGY, STATE, #MEMBERS
    ensure!(words(&state, "readers")?.ends_with(&["range", "Stable", "1"]), "{state}");
    let members = groups(server, &["--describe", "--group", "readers", "--members", "--verbose"])?;
    let shown = words(&members, "readers")?;
    ensure!(shown.contains(&"a-reader") && shown.contains(&"2"), "{members}");
    ensure!(members.contains("grouped:0,1"), "{members}");
    let described = groups(server, &["--describe", "--group", "readers"])?;
    ensure!(line(&described, "readers")?.contains("/127.0.0.1"), "{described}");
    let refused = groups(server, &["--delete", "--group", "readers"])?;
    ensure!(refused.contains("GroupNotEmptyException"), "{refused}");
    ensure!(member.terminate(wait::PATIENCE)? == 0, "kcat leaves its group when it is told to end");
    let described = groups(server, &["--describe", "--group", "readers"])?;
    ensure!(offsets(&described, 0)? == ["100", "100", "0", "-", "-", "-"], "{described}");
    Ok(())
}

/// CURRENT-OFFSET, LOG-END-OFFSET, LAG, CONSUMER-ID, HOST and CLIENT-ID of a partition.
fn offsets(described: &str, partition: usize) -> Result<Vec<&str>> {
    let start = [TOPIC, &partition.to_string()];
    let lines = described.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let found =
        lines.filter(|words| words.get(1..3) == Some(&start[..])).map(|words| words[3..].to_vec()).next();
    found.ok_or_else(|| anyhow::anyhow!("no partition {partition} in\n{described}"))
}

fn check_lists(server: &Server) -> Result<()> {
    ensure!(groups(server, &["--list"])?.trim() == "readers");
    let empty = groups(server, &["--list", "--state", "empty"])?;
    ensure!(words(&empty, "readers")? == ["readers", "Empty"], "{empty}");
    ensure!(!groups(server, &["--list", "--state", "stable"])?.contains("readers"), "it is empty");
    let listed = tool(server, GROUPS, &["--list"])?;
    ensure!(words(&listed, "readers")? == ["readers", "Classic", "consumer"], "{listed}");
    let consumers = tool(server, GROUPS, &["--list", "--consumer"])?;
    ensure!(line(&consumers, "readers").is_ok(), "{consumers}");
    let classic = tool(server, GROUPS, &["--list", "--group-type", "classic", "--protocol", "consumer"])?;
    ensure!(line(&classic, "readers").is_ok(), "{classic}");
    let streams = tool(server, GROUPS, &["--list", "--group-type", "streams"])?;
    ensure!(!streams.contains("readers"), "{streams}");
    Ok(())
}

/// Every way to set a group's offsets: the ways, and where partition 0 is then.
fn check_resets(server: &Server) -> Result<()> {
    let file = server.scratch().join("offsets.csv");
    std::fs::write(&file, format!("{TOPIC},0,42\n"))?;
    let file = file.to_string_lossy();
    let ways: [(&[&str], &str); 8] = [
        (&["--to-earliest"], "0"),
        (&["--to-offset", "30"], "30"),
        (&["--shift-by", "-7"], "23"),
        (&["--to-current"], "23"),
        (&["--to-datetime", "2020-01-01T00:00:00.000"], "0"),
        (&["--to-latest"], "100"),
        (&["--by-duration", "PT1H"], "0"),
        (&["--from-file", &file], "42"),
    ];
    for (way, expected) in ways {
        let all = ["--reset-offsets", "--group", "readers"];
        let topic: &[&str] = if way[0] == "--from-file" { &[] } else { &["--topic", TOPIC] };
        let before = groups(server, &["--describe", "--group", "readers"])?;
        let dry = groups(server, &[&all, topic, way, &["--dry-run"]].concat())?;
        ensure!(words(&dry, "readers")? == ["readers", TOPIC, "0", expected], "{way:?}: {dry}");
        let after = groups(server, &["--describe", "--group", "readers"])?;
        ensure!(before == after, "{way:?}, tried only: {after}");
        groups(server, &[&all, topic, way, &["--execute"]].concat())?;
        let described = groups(server, &["--describe", "--group", "readers"])?;
        ensure!(offsets(&described, 0)?[0] == expected, "{way:?}: {described}");
    }
    Ok(())
}

fn check_deletions(server: &Server) -> Result<()> {
    let deleted = groups(server, &["--delete-offsets", "--group", "readers", "--topic", "grouped:1"])?;
    ensure!(words(&deleted, TOPIC)? == [TOPIC, "1", "Successful"], "{deleted}");
    let described = groups(server, &["--describe", "--group", "readers"])?;
    ensure!(offsets(&described, 0).is_ok() && offsets(&described, 1).is_err(), "{described}");
    let deleted = groups(server, &["--delete", "--group", "readers"])?;
    ensure!(
        deleted.contains("Deletion of requested consumer groups ('readers') was successful."),
        "{deleted}"
    );
    ensure!(groups(server, &["--list"])?.trim().is_empty());
    Ok(())
}
