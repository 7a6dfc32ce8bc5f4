//! Every dependency is named once with its version, at the root, and everything named there is used.

use std::collections::BTreeSet;

use super::Finding;
use super::manifest::{entries, members};
use super::tree::Tree;

const ROOT: &str = "Cargo.toml";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut used = BTreeSet::new();
    for (folder, text) in members(tree) {
        for entry in entries(text).into_iter().filter(|entry| entry.is_dependency()) {
            used.insert(entry.name);
            if !entry.text.replace(' ', "").contains("workspace=true") {
                let what = format!("{} names no version of its own: `workspace = true`", entry.name);
                found.push(Finding::new(&format!("{folder}/Cargo.toml"), entry.line, what));
            }
        }
    }
    let root = entries(tree.text(ROOT).unwrap_or_default());
    let unused =
        root.iter().filter(|entry| entry.table == "workspace.dependencies" && !used.contains(entry.name));
    found.extend(unused.map(|entry| Finding::new(ROOT, entry.line, format!("no crate uses {}", entry.name))));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_in_a_member_and_one_that_nobody_uses_are_found() {
        let tree = Tree::of(&[
            ("Cargo.toml", "[workspace.dependencies]\na = \"1\"\nb = \"1\"\nc = \"1\"\n"),
            ("x/Cargo.toml", "[dependencies]\na.workspace = true\nb = \"1\"\n"),
        ]);
        let found: Vec<_> = check(&tree).into_iter().map(|finding| (finding.path, finding.line)).collect();
        assert_eq!(found, [("x/Cargo.toml".to_owned(), 3), ("Cargo.toml".to_owned(), 4)]);
    }
}
