//! No Rust file is dead: each is a crate's root or is reached from one by `mod` declarations.

use std::collections::BTreeSet;

use super::Finding;
use super::tree::Tree;

/// Where cargo finds the roots of a crate, below its folder.
const ROOTS: [&str; 3] = ["src/lib.rs", "src/main.rs", "build.rs"];
/// Folders in which every file, and every folder's `main.rs`, is a root.
const ROOT_FOLDERS: [&str; 5] = ["src/bin", "tests", "examples", "benches", "fuzz_targets"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut alive = BTreeSet::new();
    let mut unread: Vec<String> =
        tree.ending(".rs").filter(|(path, _)| is_root(tree, path)).map(|(path, _)| path.to_owned()).collect();
    while let Some(path) = unread.pop() {
        let text = tree.text(&path).unwrap_or_default();
        unread.extend(declared(tree, &path, text).into_iter().filter(|child| !alive.contains(child)));
        alive.insert(path);
    }
    let dead = tree.ending(".rs").filter(|(path, _)| !alive.contains(*path));
    dead.map(|(path, _)| Finding::new(path, 0, "no `mod` declaration reaches this file")).collect()
}

fn is_root(tree: &Tree, path: &str) -> bool {
    let crates = tree.ending("Cargo.toml").filter_map(|(manifest, _)| manifest.strip_suffix("Cargo.toml"));
    let mut below = crates.filter_map(|folder| path.strip_prefix(folder));
    below.any(|rest| {
        let folder = rest.rsplit_once('/').map_or("", |(folder, _)| folder);
        let own_folder = rest.strip_suffix("/main.rs").and_then(|own| own.rsplit_once('/'));
        ROOTS.contains(&rest)
            || ROOT_FOLDERS.contains(&folder)
            || own_folder.is_some_and(|(above, _)| ROOT_FOLDERS.contains(&above))
    })
}

/// The files that the `mod` declarations of one file name.
fn declared(tree: &Tree, path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut named_path = None;
    for line in text.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("#[path = \"") {
            named_path = rest.split('"').next();
        } else if let Some(module) = module_name(line) {
            let candidates = match named_path.take() {
                Some(named) => vec![normal(&format!("{}/{named}", parent(path)))],
                None => candidates(tree, path, module),
            };
            found.extend(candidates.into_iter().filter(|candidate| tree.text(candidate).is_some()));
        } else if let Some(rest) = line.split("include!(\"").nth(1) {
            let named = rest.split('"').next().unwrap_or_default();
            found.push(normal(&format!("{}/{named}", parent(path))));
        }
    }
    found
}

/// `name` of `pub(crate) mod name;`.
fn module_name(line: &str) -> Option<&str> {
    let line = line.rsplit_once(']').map_or(line, |(_, rest)| rest.trim_start());
    let line = match line.strip_prefix("pub") {
        Some(rest) => rest.trim_start_matches(|letter| letter != ' ').trim_start(),
        None => line,
    };
    line.strip_prefix("mod ")?.strip_suffix(';').map(str::trim)
}

fn candidates(tree: &Tree, path: &str, module: &str) -> Vec<String> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let folder = match name {
        "mod.rs" | "lib.rs" | "main.rs" => parent(path).to_owned(),
        _ if is_root(tree, path) => parent(path).to_owned(),
        _ => path.trim_end_matches(".rs").to_owned(),
    };
    let folder = if folder.is_empty() { folder } else { format!("{folder}/") };
    vec![format!("{folder}{module}.rs"), format!("{folder}{module}/mod.rs")]
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// The path without `.` and `..`.
pub(super) fn normal(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            other => segments.push(other),
        }
    }
    segments.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_files(files: &[(&str, &str)], dead: &[&str]) {
        let mut files = files.to_vec();
        files.push(("a/Cargo.toml", ""));
        let found: Vec<_> = check(&Tree::of(&files)).into_iter().map(|finding| finding.path).collect();
        assert_eq!(found, dead);
    }

    #[test]
    fn what_no_declaration_reaches_is_dead() {
        check_files(
            &[
                ("a/src/lib.rs", "mod one;\npub(crate) mod two;\n#[cfg(test)] mod tests;\n"),
                ("a/src/one.rs", "pub mod deep;\n"),
                ("a/src/one/deep.rs", ""),
                ("a/src/two/mod.rs", "mod inner;\n// mod gone;\n"),
                ("a/src/two/inner.rs", ""),
                ("a/src/two/gone.rs", ""),
                ("a/src/tests.rs", ""),
                ("a/src/three.rs", "mod four;\n"),
                ("a/src/three/four.rs", ""),
            ],
            &["a/src/three.rs", "a/src/three/four.rs", "a/src/two/gone.rs"],
        );
    }

    #[test]
    fn cargo_finds_its_roots_by_itself() {
        check_files(
            &[
                ("a/src/main.rs", ""),
                ("a/build.rs", "#[path = \"../tools/gen.rs\"]\nmod gen;\n"),
                ("tools/gen.rs", ""),
                ("a/src/bin/other.rs", ""),
                ("a/tests/e2e.rs", "mod harness;\n"),
                ("a/tests/harness/mod.rs", "mod ports;\n"),
                ("a/tests/harness/ports.rs", ""),
                ("a/tests/suite/main.rs", "mod part;\n"),
                ("a/tests/suite/part.rs", ""),
                ("a/tests/suite/lost.rs", ""),
            ],
            &["a/tests/suite/lost.rs"],
        );
    }
}
