//! DumpLogSegments over a partition's directory.

use std::path::Path;

use super::java::run;

const DUMP_LOG_SEGMENTS: &str = "org.apache.kafka.tools.DumpLogSegments";

/// Has Apache Kafka check every file of the log in `directory`, and returns what it says of each record.
pub fn dump(directory: &Path) -> Vec<String> {
    let logs = files(directory, &["log", "txnindex", "snapshot"]);
    let dumped = dump_with(&["--deep-iteration", "--print-data-log", "--files", &logs]);
    let offsets = files(directory, &["index"]);
    let times = files(directory, &["timeindex"]);
    dump_with(&["--verify-index-only", "--files", &offsets]);
    dump_with(&["--files", &times]);
    let sane = dump_with(&["--index-sanity-check", "--files", &format!("{offsets},{times}")]);
    assert!(
        sane.lines()
            .filter(|line| line.starts_with('/'))
            .all(|line| { line.ends_with("passed sanity check.") || line.ends_with("is empty.") })
    );
    dumped.lines().filter(|line| line.starts_with("| offset:")).map(str::to_owned).collect()
}

/// Whatever it finds wrong it says on stderr. It has no eye for where a segment begins: each but the first is reported
/// as if offset −1 went before it.
fn dump_with(arguments: &[&str]) -> String {
    let printed = run(DUMP_LOG_SEGMENTS, arguments);
    let harmless =
        |line: &&str| line.starts_with("Non-consecutive offsets in") || line.starts_with("  -1 is followed");
    let complaints: Vec<_> = printed.stderr.lines().filter(|line| !harmless(line)).collect();
    assert!(complaints.is_empty(), "{complaints:?} of {arguments:?}");
    assert!(!printed.stdout.contains("isvalid: false"), "{}", printed.stdout);
    printed.stdout
}

fn files(directory: &Path, extensions: &[&str]) -> String {
    let found = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let wanted =
        found.filter(|path| extensions.iter().any(|wanted| path.extension().is_some_and(|e| e == *wanted)));
    let mut paths: Vec<_> = wanted.map(|path| path.to_str().unwrap().to_owned()).collect();
    paths.sort();
    paths.join(",")
}
