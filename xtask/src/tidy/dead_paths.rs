//! The documents name only what is there: links, and paths between backticks.
//!
//! A word between backticks is taken for a path of ours if its first segment is a folder of the workspace. Patterns
//! (`*`, `{…}`, `<…>`, `…`) and commands (with spaces) are left alone.

use std::collections::BTreeSet;

use super::Finding;
use super::dead_files::normal;
use super::tree::Tree;

/// Letters that no path of ours has.
const PATTERN_LETTERS: [char; 9] = ['*', '{', '<', '$', ' ', '…', '(', ':', '='];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let top = tree.top();
    tree.ending(".md").flat_map(|(path, text)| check_document(tree, &top, path, text)).collect()
}

fn check_document(tree: &Tree, top: &BTreeSet<&str>, path: &str, text: &str) -> Vec<Finding> {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let beside = |named: &str| tree.has(&normal(&format!("{folder}/{named}")));
    let mut found = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let dead_links = links(line).filter(|link| !beside(link));
        let dead_paths =
            backticked(line).filter(|word| is_path(word, top) && !tree.has(word) && !beside(word));
        let dead = dead_links.chain(dead_paths);
        found.extend(dead.map(|named| Finding::new(path, number, format!("`{named}` is not there"))));
    }
    found
}

fn is_path(word: &str, top: &BTreeSet<&str>) -> bool {
    let first = word.split('/').next().unwrap_or(word);
    word.contains('/') && top.contains(first) && !word.contains(PATTERN_LETTERS)
}

/// What stands between pairs of backticks.
fn backticked(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// The targets of links into this workspace, without their anchors.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let targets = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let ours = targets.filter(|target| !target.contains("://") && !target.starts_with(['#', '<']));
    ours.map(|target| target.split('#').next().unwrap_or(target))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_text(path: &str, text: &str, dead: &[&str]) {
        let tree = Tree::of(&[(path, text), ("a/src/lib.rs", ""), ("docs/adr/0001-x.md", "")]);
        let found: Vec<_> = check(&tree).into_iter().map(|finding| finding.what).collect();
        let expected: Vec<_> = dead.iter().map(|named| format!("`{named}` is not there")).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn paths_between_backticks_are_looked_up() {
        check_text("README.md", "see `a/src/lib.rs`, `a/src/` and `a/src/gone.rs`", &["a/src/gone.rs"]);
        check_text("README.md", "`/metrics`, `b/c`, `a/src/*.rs`, `a/x {y}`, `etc/a`", &[]);
    }

    #[test]
    fn links_are_looked_up_beside_their_document() {
        check_text(
            "docs/x.md",
            "[one](adr/0001-x.md#part) [two](../a/src/lib.rs) [three](adr/0002.md)",
            &["adr/0002.md"],
        );
        check_text("docs/x.md", "[web](https://kafka.apache.org/x) [here](#part)", &[]);
    }
}
