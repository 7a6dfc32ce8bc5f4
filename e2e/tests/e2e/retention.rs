//! Retention, reached through a running broker: old segments go by size and by time, and readers see where the log
//! begins now.

use anyhow::{Context, Result};
use e2e::server::Server;
use e2e::{java, kcat, scratch, wait};

const OFTEN: [(&str, &str); 2] =
    [("log.retention.check.interval.ms", "200"), ("log.initial.task.delay.ms", "100")];

#[test]
fn segments_beyond_the_size_are_deleted() -> Result<()> {
    check_retention(
        "retention-size",
        &["segment.bytes=1048576", "retention.bytes=2097152", "file.delete.delay.ms=100"],
    )
}

#[test]
fn segments_beyond_the_time_are_deleted() -> Result<()> {
    check_retention(
        "retention-time",
        &["segment.bytes=1048576", "retention.ms=1000", "file.delete.delay.ms=100"],
    )
}

fn check_retention(topic: &str, configs: &[&str]) -> Result<()> {
    let server = Server::with(topic, &OFTEN)?;
    let bootstrap = server.bootstrap();
    let mut arguments = vec!["--bootstrap-server", &bootstrap, "--create", "--topic", topic];
    arguments.extend(configs.iter().flat_map(|config| ["--config", config]));
    java::run(java::TOPICS, &arguments)?.success()?;
    let lines: Vec<String> = (0..8_000).map(|number| format!("{number} {}", "x".repeat(1_000))).collect();
    kcat::produce(&bootstrap, topic, &["-p", "0"], &lines)?;
    let first = wait::until("the log to begin later", wait::PATIENCE, || {
        let first = first_offset(&bootstrap, topic)?;
        Ok((first > 0).then_some(first))
    })?;
    if server.is_milena() {
        let (deleted, bytes) = ("milena_log_segments_deleted_total", "milena_log_deleted_bytes_total");
        assert!(server.metric_sum(deleted)? > Some(0.0) && server.metric_sum(bytes)? > Some(1_000.0));
    }
    let read = kcat::consume(&bootstrap, topic, "beginning", &["-f", "%o\n", "-c", "1"])?;
    let read: Option<usize> = read.first().map(|offset| offset.parse()).transpose()?;
    assert!(read.is_none_or(|read| read >= first), "{read:?} is before {first}");
    wait::until("the files to go", wait::PATIENCE, || {
        let logs = scratch::files_below(&server.data().join(""), ".log")?;
        let of_topic = logs.iter().filter(|path| path.to_string_lossy().contains(&format!("{topic}-0/")));
        Ok((of_topic.count() <= 4).then_some(()))
    })?;
    server.done()
}

fn first_offset(bootstrap: &str, topic: &str) -> Result<usize> {
    let answer = kcat::run(bootstrap, &["-Q", "-t", &format!("{topic}:0:-2")], b"")?.success()?;
    answer.trim().rsplit(' ').next().context("an offset")?.parse().context("an offset")
}
