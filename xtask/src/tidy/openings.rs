//! Every Rust file opens with `//!`: what it owns, what it leaves to whom.

use super::Finding;
use super::tree::Tree;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let closed = tree.ending(".rs").filter(|(_, text)| !text.starts_with("//!"));
    closed.map(|(path, _)| Finding::new(path, 1, "the file does not open with `//!`")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_an_opening_is_found() {
        let tree = Tree::of(&[("a.rs", "//! Owns a.\n"), ("b.rs", "\n//! Late.\n"), ("c.rs", "fn c() {}")]);
        let found: Vec<_> = check(&tree).into_iter().map(|finding| finding.path).collect();
        assert_eq!(found, ["b.rs", "c.rs"]);
    }
}
