//! The black-box contract of `milena dev`: the ready line, the exit codes, what it says when it cannot start.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use e2e::server::{self, Server, Subject};
use e2e::{kcat, process, wait, workspace};

#[test]
fn sigterm_ends_it_cleanly_and_the_next_start_finds_everything() -> Result<()> {
    let mut server = Server::start("clean")?;
    let lines = ["one", "two"].map(str::to_owned);
    kcat::produce(&server.bootstrap(), "kept", &["-p", "0"], &lines)?;
    assert_eq!(server.terminate()?, if server.is_milena() { 0 } else { 128 + 15 });
    server.restart()?;
    assert_eq!(kcat::consume(&server.bootstrap(), "kept", "beginning", &[])?, lines);
    server.done()
}

#[test]
fn three_brokers_share_the_partitions() -> Result<()> {
    if server::subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let server = Server::cluster("three", 3, &[("num.partitions", "6")])?;
    for partition in 0..6 {
        let lines: Vec<String> = (0..100).map(|number| format!("{partition} {number}")).collect();
        let partition = partition.to_string();
        kcat::produce(&server.bootstrap(), "spread", &["-p", &partition], &lines)?;
        assert_eq!(kcat::consume(&server.bootstrap(), "spread", "beginning", &["-p", &partition])?, lines);
    }
    let metadata = kcat::metadata(&server.bootstrap(), Some("spread"))?;
    assert_eq!(metadata["brokers"].as_array().map(Vec::len), Some(3));
    let partitions = metadata["topics"][0]["partitions"].as_array().cloned().unwrap_or_default();
    let leaders: std::collections::BTreeSet<i64> =
        partitions.iter().filter_map(|partition| partition["leader"].as_i64()).collect();
    assert_eq!(leaders.len(), 3, "{metadata}");
    server.done()
}

#[test]
fn three_brokers_stop_in_order_and_find_everything_again() -> Result<()> {
    /// The brokers hand over to each other and the controller outlives them: nobody waits for anybody who is gone.
    const STOP_TIME_MAX: Duration = Duration::from_secs(15);
    if server::subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let properties = [("default.replication.factor", "3"), ("num.partitions", "6")];
    let mut server = Server::cluster("three-stop", 3, &properties)?;
    let lines: Vec<String> = (0..1_000).map(|number| number.to_string()).collect();
    kcat::produce(&server.bootstrap(), "kept", &["-p", "0"], &lines)?;
    let began = Instant::now();
    assert_eq!(server.terminate()?, 0);
    ensure!(began.elapsed() < STOP_TIME_MAX, "it took {:?}", began.elapsed());
    let log = server.log();
    ensure!(!log.contains("stops with the leadership") && !log.contains("ERROR"), "{log}");
    ensure!(log.matches("leads nothing any more").count() == 3, "{log}");
    server.restart()?;
    kcat::await_records(&server.bootstrap(), "kept", 0, &lines)?;
    server.done()
}

#[test]
fn a_port_that_is_taken_is_named_and_nothing_is_left_running() -> Result<()> {
    let server = Server::start("taken")?;
    if !server.is_milena() {
        return server.done();
    }
    let mut second = Command::new(workspace::binary("milena")?);
    second.args(["dev", "--ephemeral", "--metrics-port", "0", "--port", &server.port().to_string()]);
    let refused = process::run(&mut second, b"", Duration::from_secs(20))?;
    ensure!(refused.code != 0 && refused.stderr.contains(&server.port().to_string()), "{refused:?}");
    ensure!(refused.stderr.matches("in use").count() == 1, "the cause is named once: {refused:?}");
    server.done()
}

#[test]
fn two_processes_cannot_share_the_data() -> Result<()> {
    let server = Server::start("locked")?;
    if !server.is_milena() {
        return server.done();
    }
    let mut second = Command::new(workspace::binary("milena")?);
    let port = e2e::ports::free(1)?.to_string();
    second.args(["dev", "--metrics-port", "0", "--port", &port, "--data"]).arg(server.data());
    let refused = process::run(&mut second, b"", wait::PATIENCE)?;
    ensure!(refused.code != 0, "{refused:?}");
    kcat::metadata(&server.bootstrap(), None)?;
    server.done()
}

#[test]
fn a_value_that_is_not_allowed_stops_the_start_and_is_explained() -> Result<()> {
    if server::subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let port = e2e::ports::free(1)?.to_string();
    let mut milena = Command::new(workspace::binary("milena")?);
    milena
        .args(["dev", "--ephemeral", "--metrics-port", "0", "--port", &port])
        .env("KAFKA_NUM_PARTITIONS", "many");
    let refused = process::run(&mut milena, b"", wait::PATIENCE)?;
    ensure!(refused.code != 0, "{refused:?}");
    for part in ["num.partitions", "many", "KAFKA_NUM_PARTITIONS"] {
        ensure!(refused.stderr.contains(part), "the error does not name {part}: {refused:?}");
    }
    Ok(())
}
