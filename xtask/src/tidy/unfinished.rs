//! Nothing is left for later: no notes to oneself, no stubs, no silenced dead code.

use super::Finding;
use super::source::names;
use super::tree::Tree;

/// Written in two parts, so that this file does not find itself.
const MARKS: [[&str; 2]; 6] = [
    ["TO", "DO"],
    ["FIX", "ME"],
    ["X", "XX"],
    ["todo", "!"],
    ["unimplemented", "!"],
    ["allow(", "dead_code)"],
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let marks = MARKS.map(|parts| parts.concat());
    let mut found = Vec::new();
    for (path, text) in tree.all() {
        for (line, number) in text.lines().zip(1..) {
            let mark = marks.iter().find(|mark| names(line, mark));
            found.extend(mark.map(|mark| Finding::new(path, number, format!("`{mark}` is left in"))));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_in_every_text() {
        let note = format!("fn a() {{}}\n// {}: later\n", MARKS[0].concat());
        let tree = Tree::of(&[("a.rs", &note), ("b.rs", "//! An escape is \\uXXXX.\n"), ("c.py", &note)]);
        let found: Vec<_> = check(&tree).into_iter().map(|finding| (finding.path, finding.line)).collect();
        assert_eq!(found, [("a.rs".to_owned(), 2), ("c.py".to_owned(), 2)]);
    }
}
