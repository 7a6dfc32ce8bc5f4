//! What a broker leaves on disk, read by Apache Kafka's own tool.

use anyhow::{Result, ensure};
use e2e::server::Server;
use e2e::{java, kcat, scratch};

#[test]
fn dump_log_segments_accepts_every_file() -> Result<()> {
    let mut server =
        Server::with("dump-log", &[("log.segment.bytes", "1048576"), ("log.index.interval.bytes", "1024")])?;
    let lines: Vec<String> =
        (0..5_000).map(|number| format!("{number} {}", "words ".repeat(number % 100))).collect();
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        kcat::produce(
            &server.bootstrap(),
            "dumped",
            &["-p", "0", "-z", codec, "-X", "batch.num.messages=50"],
            &lines,
        )?;
    }
    server.terminate()?;
    let read: usize = files(&server, ".log")?.iter().map(|path| records_of(path)).sum::<Result<usize>>()?;
    assert_eq!(read, 5 * lines.len());
    files(&server, ".index")?.iter().try_for_each(|path| check_index(path))?;
    files(&server, ".timeindex")?.iter().try_for_each(|path| check_index(path))?;
    server.done()
}

fn files(server: &Server, ending: &str) -> Result<Vec<String>> {
    let all = scratch::files_below(&server.data(), ending)?;
    let paths = all.into_iter().map(|path| path.to_string_lossy().into_owned());
    let found: Vec<String> = paths.filter(|path| path.contains("/dumped-0/")).collect();
    ensure!(!found.is_empty(), "there is no {ending} file");
    Ok(found)
}

fn records_of(path: &str) -> Result<usize> {
    let dumped = java::run(java::DUMP_LOG, &["--deep-iteration", "--files", path])?.success()?;
    ensure!(!dumped.contains("isvalid: false"), "{path}: a batch is not valid\n{dumped}");
    ensure!(!dumped.contains("Found"), "{path}\n{dumped}");
    Ok(dumped.lines().filter(|line| line.starts_with("| offset:")).count())
}

fn check_index(path: &str) -> Result<()> {
    let dumped = java::run(java::DUMP_LOG, &["--index-sanity-check", "--files", path])?.success()?;
    ensure!(dumped.contains("passed sanity check"), "{path}\n{dumped}");
    let verified = java::run(java::DUMP_LOG, &["--verify-index-only", "--files", path])?.success()?;
    ensure!(!verified.contains("Mismatches") && !verified.contains("Found"), "{path}\n{verified}");
    Ok(())
}
