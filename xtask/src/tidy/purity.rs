//! What decides is pure: it is given its state and the time, and touches neither runtime, files, clock, metrics nor logs.

use super::Finding;
use super::source::{code_lines, is_test, names};
use super::tree::Tree;

/// Folders and files that decide.
const PURE: &[&str] = &[
    "protocol/src",
    "storage/src/leader_epochs.rs",
    "storage/src/log/retention.rs",
    "storage/src/producer",
    "metadata/src/change.rs",
    "metadata/src/configs",
    "metadata/src/convert",
    "metadata/src/delta.rs",
    "metadata/src/embedded/state.rs",
    "metadata/src/image.rs",
    "metadata/src/keys",
    "controller/src/acknowledgements.rs",
    "controller/src/admin",
    "controller/src/admission.rs",
    "controller/src/failure_detector.rs",
    "controller/src/partition_change.rs",
    "controller/src/partition_leader.rs",
    "controller/src/placement.rs",
    "controller/src/plan",
    "controller/src/producer_ids.rs",
    "controller/src/recovery",
    "controller/src/state/mod.rs",
    "broker/src/fetch/session.rs",
    "broker/src/group/machine",
    "broker/src/group/partition.rs",
    "broker/src/link/claim.rs",
    "broker/src/link/intake.rs",
    "broker/src/replica/follower/assignment.rs",
    "broker/src/replica/follower/divergence.rs",
    "broker/src/replica/follower/reaction.rs",
    "broker/src/replica/follower/roster.rs",
    "broker/src/replica/follower/session.rs",
    "broker/src/replica/followers.rs",
    "broker/src/replica/high_watermark.rs",
    "broker/src/replica/isr/decide.rs",
    "broker/src/replica/isr/proposals.rs",
    "broker/src/replica/role.rs",
    "client/src/cluster/metadata.rs",
    "client/src/consumer/positions.rs",
    "client/src/producer/partitioner.rs",
    "cli/src/consume/start.rs",
    "cli/src/produce/line.rs",
    "torture/src/check",
    "torture/src/gaps.rs",
    "torture/src/history",
    "torture/src/nemesis/fault.rs",
    "torture/src/nemesis/schedule.rs",
    "torture/src/replicas/compare.rs",
    "xtask/src/tidy/source.rs",
];

/// What none of them names outside its tests.
const FOREIGN: [&str; 9] = [
    "tokio",
    "std::fs",
    "std::net",
    "std::thread",
    "Instant::now",
    "SystemTime",
    "prometheus",
    "tracing",
    "println!",
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    PURE.iter().flat_map(|place| check_place(tree, place)).collect()
}

fn check_place(tree: &Tree, place: &str) -> Vec<Finding> {
    if !tree.has(place) {
        return vec![Finding::new(place, 0, "tidy takes it for pure, but it is not there")];
    }
    let folder = format!("{place}/");
    let files = tree.ending(".rs").filter(|(path, _)| *path == place || path.starts_with(&folder));
    let files = files.filter(|(path, _)| !is_test(path));
    files.flat_map(|(path, text)| foreign_names(path, text)).collect()
}

fn foreign_names(path: &str, text: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    for (number, line) in code_lines(text) {
        let name = FOREIGN.iter().find(|name| names(line, name));
        found.extend(name.map(|name| Finding::new(path, number, format!("pure code names `{name}`"))));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_text(text: &str, lines: &[usize]) {
        let tree = Tree::of(&[("core/a.rs", text), ("core2/b.rs", "use tokio::net;")]);
        let found: Vec<_> = check_place(&tree, "core").into_iter().map(|finding| finding.line).collect();
        assert_eq!(found, lines, "{text}");
    }

    #[test]
    fn a_clock_a_file_and_a_runtime_are_found() {
        check_text(
            "use std::time::Instant;\nlet now = Instant::now();\nuse std::fs;\ntokio::spawn(x);\n",
            &[2, 3, 4],
        );
    }

    #[test]
    fn comments_tests_and_longer_names_are_not() {
        check_text(
            "// tokio would not do\nlet tokio_like = 1;\n#[cfg(test)]\nmod tests { use std::fs; }\n",
            &[],
        );
    }

    #[test]
    fn a_place_that_is_gone_is_found() {
        assert_eq!(check_place(&Tree::of(&[]), "core").len(), 1);
    }
}
