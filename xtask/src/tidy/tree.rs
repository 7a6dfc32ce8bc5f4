//! The workspace as the rules see it: the text of every file that a person wrote, and the names of all others.
//!
//! Paths are relative to the workspace and use `/`. What git ignores and what hides behind a dot is not read.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::Context;

/// Folders that are made, not written.
const UNREAD: [&str; 2] = ["target", "milena-data"];

/// Endings of the files whose text the rules look at.
const TEXT_ENDINGS: [&str; 9] = [".rs", ".md", ".toml", ".proto", ".sh", ".py", ".java", ".yml", "Makefile"];

/// Folders, files, and the text of those that have one.
#[derive(Debug, Default)]
pub(super) struct Tree {
    texts: BTreeMap<String, String>,
    paths: BTreeSet<String>,
}

impl Tree {
    /// Reads everything below `root`.
    pub fn read(root: &Path) -> anyhow::Result<Tree> {
        let mut tree = Tree::default();
        tree.read_folder(root, "")?;
        Ok(tree)
    }

    fn read_folder(&mut self, root: &Path, folder: &str) -> anyhow::Result<()> {
        let absolute = root.join(folder);
        for entry in fs::read_dir(&absolute).with_context(|| format!("cannot read {}", absolute.display()))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            if UNREAD.contains(&name.as_str()) || name == ".git" {
                continue;
            }
            self.paths.insert(path.clone());
            if entry.file_type()?.is_dir() {
                self.read_folder(root, &path)?;
            } else if TEXT_ENDINGS.iter().any(|ending| name.ends_with(ending)) {
                let text =
                    fs::read_to_string(root.join(&path)).with_context(|| format!("cannot read {path}"))?;
                self.texts.insert(path, text);
            }
        }
        Ok(())
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether there is such a file or folder.
    pub fn has(&self, path: &str) -> bool {
        self.paths.contains(path.trim_end_matches('/'))
    }

    pub fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    /// Path and text of every file whose path ends so.
    pub fn ending(&self, ending: &str) -> impl Iterator<Item = (&str, &str)> {
        let ending = ending.to_owned();
        self.all().filter(move |(path, _)| path.ends_with(&ending))
    }

    /// Path and text of every file that has one.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The first segments of all paths.
    pub fn top(&self) -> BTreeSet<&str> {
        self.paths.iter().filter(|path| !path.contains('/')).map(String::as_str).collect()
    }

    /// A tree of these files, for tests.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Tree {
        let mut tree = Tree::default();
        for (path, text) in files {
            tree.texts.insert((*path).to_owned(), (*text).to_owned());
            let ends = path.match_indices('/').map(|(index, _)| index).chain([path.len()]);
            tree.paths.extend(ends.map(|end| path[..end].to_owned()));
        }
        tree
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_files_are_known() {
        let tree = Tree::of(&[("a/src/lib.rs", ""), ("README.md", "")]);
        assert!(tree.has("a") && tree.has("a/src/") && tree.has("a/src/lib.rs"));
        assert!(!tree.has("a/src/main.rs"));
        assert_eq!(tree.top(), BTreeSet::from(["README.md", "a"]));
        assert_eq!(tree.ending(".rs").count(), 1);
    }
}
