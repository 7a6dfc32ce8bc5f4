//! SIGKILL under load. A killed process loses no page, so nothing that was acknowledged may be gone.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::process::Daemon;
use e2e::server::Server;
use e2e::{kcat, python, wait};

const PARTITIONS: usize = 4;
const RECORDS: usize = 40_000;
/// No lease ends in so short a time…
const SESSION: (&str, &str) = ("broker.session.timeout.ms", "90000");
/// …and a restarted broker waits for none: it replaces its own registration at once.
const RESTART_TIME_MAX: Duration = Duration::from_secs(30);

#[test]
fn an_idempotent_producer_loses_and_doubles_nothing_over_kills() -> Result<()> {
    let mut server = Server::with("kill", &[("num.partitions", "4")])?;
    kcat::metadata(&server.bootstrap(), Some("steady"))?;
    let mut producer = start_producer(&server)?;
    for killed_at in [RECORDS / 5, 2 * RECORDS / 5, 3 * RECORDS / 5] {
        until_acknowledged(&mut producer, killed_at)?;
        server.kill();
        server.restart()?;
    }
    producer.await_line(&format!("done {RECORDS}"), 2 * wait::PATIENCE)?;
    for partition in 0..PARTITIONS {
        check_partition(&server, partition)?;
    }
    server.done()
}

fn start_producer(server: &Server) -> Result<Daemon> {
    let (partitions, records) = (PARTITIONS.to_string(), RECORDS.to_string());
    let arguments = [&server.bootstrap(), "steady", &partitions, &records];
    let mut command = python::command("steady_producer.py", &arguments)?;
    Daemon::start("the producer", &mut command, &server.scratch().join("producer.log"))
}

fn until_acknowledged(producer: &mut Daemon, records: usize) -> Result<()> {
    loop {
        let acknowledged: usize = producer.await_line("acknowledged ", wait::PATIENCE)?.parse()?;
        if acknowledged >= records {
            return Ok(());
        }
    }
}

/// Each partition holds its own numbers, each once and in order.
fn check_partition(server: &Server, partition: usize) -> Result<()> {
    let read = kcat::consume(&server.bootstrap(), "steady", "beginning", &["-p", &partition.to_string()])?;
    let expected: Vec<String> =
        (partition..RECORDS).step_by(PARTITIONS).map(|number| number.to_string()).collect();
    let differs = read.iter().zip(&expected).position(|(read, expected)| read != expected);
    ensure!(
        read == expected,
        "partition {partition}: {} records, {} expected, the first difference is at {differs:?}",
        read.len(),
        expected.len()
    );
    Ok(())
}

#[test]
fn a_group_goes_on_from_its_commits_after_a_kill() -> Result<()> {
    let mut server = Server::with("kill-group", &[("num.partitions", "2")])?;
    let bootstrap = server.bootstrap();
    let lines: Vec<String> = (0..1_000).map(|number| number.to_string()).collect();
    for partition in ["0", "1"] {
        kcat::produce(&bootstrap, "committed", &["-p", partition], &lines)?;
    }
    let commit =
        |records: &str| python::run("commit.py", &[&bootstrap, "committed", "2", "readers", records]);
    let committed = commit("1200")?;
    server.kill();
    server.restart()?;
    assert_eq!(commit("0")?, committed);
    let arguments = ["-G", "readers", "-q", "-e", "-f", "%p %o\n", "committed"];
    let read = kcat::run(&bootstrap, &arguments, b"")?.success()?;
    let positions: Vec<usize> = committed.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    for (partition, position) in positions.into_iter().enumerate() {
        let expected = (position..1_000).map(|offset| format!("{partition} {offset}"));
        let of_partition = read.lines().filter(|line| line.starts_with(&format!("{partition} ")));
        ensure!(of_partition.eq(expected), "partition {partition} from {position}:\n{read}");
    }
    server.done()
}

#[test]
fn a_kill_while_nothing_happens_costs_nothing() -> Result<()> {
    let mut server = Server::with("kill-idle", &[SESSION])?;
    let lines = ["one", "two"].map(str::to_owned);
    kcat::produce(&server.bootstrap(), "idle", &["-p", "0"], &lines)?;
    server.kill();
    let took = server.restart()?;
    ensure!(!server.is_milena() || took < RESTART_TIME_MAX, "it took {took:?} to serve again");
    assert_eq!(kcat::consume(&server.bootstrap(), "idle", "beginning", &[])?, lines);
    let metadata = kcat::metadata(&server.bootstrap(), Some("idle"))?;
    let topic = metadata["topics"][0]["topic"].as_str().context("the topic is known")?;
    assert_eq!(topic, "idle");
    server.done()
}
