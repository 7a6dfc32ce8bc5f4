//! What the rules need of a `Cargo.toml`: its tables and their entries, line by line. It is no TOML parser.

use super::tree::Tree;

/// One entry of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    /// `dependencies`, `workspace.dependencies`, `bin`.
    pub table: &'a str,
    /// The key up to its first dot: `tokio` of `tokio.workspace = true`.
    pub name: &'a str,
    /// The whole line.
    pub text: &'a str,
    pub line: usize,
}

impl Entry<'_> {
    /// Whether it names something that a member depends on, at build and test time too.
    pub fn is_dependency(&self) -> bool {
        !self.table.starts_with("workspace.") && self.table.ends_with("dependencies")
    }

    /// Whether it holds for the crate that others see: not only for its tests and its build script.
    pub fn is_linked(&self) -> bool {
        self.is_dependency() && !self.table.starts_with("dev-") && !self.table.starts_with("build-")
    }
}

/// Every `key = value` line of the manifest.
pub(super) fn entries(text: &str) -> Vec<Entry<'_>> {
    let mut table = "";
    let mut found = Vec::new();
    for (raw, line) in text.lines().zip(1..) {
        let text = raw.trim();
        if let Some(header) = text.strip_prefix('[').filter(|_| text.ends_with(']') && !text.contains('=')) {
            table = header.trim_matches(['[', ']']);
        } else if let Some((key, _)) = text.split_once('=').filter(|_| !text.starts_with('#')) {
            let name = key.split('.').next().unwrap_or(key).trim().trim_matches('"');
            found.push(Entry { table, name, text, line });
        }
    }
    found
}

/// The members of the workspace: the folder of each and its manifest.
pub(super) fn members(tree: &Tree) -> impl Iterator<Item = (&str, &str)> {
    let manifests = tree.ending("/Cargo.toml").filter(|(path, text)| is_member(path, text));
    manifests.filter_map(|(path, text)| Some((path.strip_suffix("/Cargo.toml")?, text)))
}

/// Crates that keep their own lockfile open a workspace of their own.
fn is_member(path: &str, text: &str) -> bool {
    !path.contains("/fuzz/") && !text.lines().any(|line| line.trim() == "[workspace]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_know_their_table() {
        let text = "[package]\nname = \"a\"\n\n[dependencies]\ntokio.workspace = true # why\nnix = { workspace = true }\n\
                    [dev-dependencies]\n# none = \"1\"\nx = \"1\"\n";
        let all = entries(text);
        let read: Vec<_> = all.iter().map(|entry| (entry.table, entry.name, entry.line)).collect();
        assert_eq!(
            read,
            [
                ("package", "name", 2),
                ("dependencies", "tokio", 5),
                ("dependencies", "nix", 6),
                ("dev-dependencies", "x", 9)
            ]
        );
        assert!(
            all[1].is_linked() && all[3].is_dependency() && !all[3].is_linked() && !all[0].is_dependency()
        );
    }

    #[test]
    fn crates_with_a_workspace_of_their_own_are_no_members() {
        let tree = Tree::of(&[("Cargo.toml", ""), ("a/Cargo.toml", ""), ("b/Cargo.toml", "[workspace]\n")]);
        assert_eq!(members(&tree).map(|(folder, _)| folder).collect::<Vec<_>>(), ["a"]);
    }
}
