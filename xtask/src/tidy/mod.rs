//! `cargo xtask tidy`: the house rules that a machine can check.
//!
//! Each rule is a file with one pure function from the [`Tree`] to findings; what it allows stands as data at its top.
//! This file only reads the tree, runs the rules and prints.

mod crate_directions;
mod dead_files;
mod dead_paths;
mod file_length;
mod manifest;
mod openings;
mod purity;
mod source;
mod tree;
mod unfinished;
mod versions;

use std::fmt;
use std::path::Path;

use anyhow::{Context, bail};
use tree::Tree;

/// One rule: all places in the tree that break it.
type Rule = fn(&Tree) -> Vec<Finding>;

/// Every rule with its name, in the order in which findings are printed.
const RULES: [(&str, Rule); 8] = [
    ("opening", openings::check),
    ("direction", crate_directions::check),
    ("purity", purity::check),
    ("dead file", dead_files::check),
    ("dead path", dead_paths::check),
    ("length", file_length::check),
    ("unfinished", unfinished::check),
    ("version", versions::check),
];

/// One place that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    /// From 1; 0 speaks of the whole file.
    line: usize,
    what: String,
    /// A warning is printed and forgiven.
    forgiven: bool,
}

impl Finding {
    fn new(path: &str, line: usize, what: impl Into<String>) -> Finding {
        Finding { path: path.to_owned(), line, what: what.into(), forgiven: false }
    }

    fn warning(path: &str, line: usize, what: impl Into<String>) -> Finding {
        Finding { forgiven: true, ..Finding::new(path, line, what) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.what),
            line => write!(f, "{}:{line}: {}", self.path, self.what),
        }
    }
}

/// Checks the workspace that this program was built from; an error if any rule is broken.
pub(crate) fn run() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the workspace")?;
    let tree = Tree::read(root)?;
    let mut broken = 0;
    for (rule, check) in RULES {
        for finding in check(&tree) {
            broken += usize::from(!finding.forgiven);
            let weight = if finding.forgiven { "warning" } else { "error" };
            println!("{weight} ({rule}) {finding}");
        }
    }
    if broken > 0 {
        bail!("tidy: {broken} places break the house rules");
    }
    println!("tidy: {} files keep the house rules", tree.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_names_its_place() {
        assert_eq!(Finding::new("a.rs", 3, "why").to_string(), "a.rs:3: why");
        assert_eq!(Finding::warning("a.rs", 0, "why").to_string(), "a.rs: why");
    }
}
