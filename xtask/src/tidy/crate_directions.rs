//! Which crate may know which, and of some only a part.

use super::Finding;
use super::manifest::{entries, members};
use super::source::code_lines;
use super::tree::Tree;

/// Our crates, each with those that it may link. Nothing links the last six but torture, which links e2e.
const MAY_KNOW: [(&str, &[&str]); 14] = [
    ("proto", &[]),
    ("protocol", &[]),
    ("node", &[]),
    ("storage", &["protocol"]),
    ("metadata", &["proto", "protocol", "storage"]),
    ("client", &["protocol"]),
    ("controller", &["metadata", "proto", "protocol", "storage", "node"]),
    ("broker", &["metadata", "proto", "protocol", "storage", "node", "client"]),
    ("cli", &["broker", "controller", "metadata", "proto", "protocol", "storage", "node", "client"]),
    ("e2e", &["client", "protocol"]),
    ("torture", &["e2e", "protocol"]),
    ("bench", &["client", "protocol"]),
    ("sim", &["broker", "controller", "metadata", "proto", "protocol", "storage", "node"]),
    ("xtask", &[]),
];

/// Who may use of a crate only these modules and names.
const ONLY: [(&str, &str, &[&str]); 3] = [
    ("storage", "protocol", &["records", "types"]),
    ("metadata", "protocol", &["types"]),
    ("metadata", "storage", &["durable", "IoFailure"]),
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    members(tree).flat_map(|(folder, text)| links(folder, text)).chain(modules(tree)).collect()
}

fn links(folder: &str, manifest: &str) -> Vec<Finding> {
    let path = format!("{folder}/Cargo.toml");
    let Some((_, allowed)) = MAY_KNOW.iter().find(|(name, _)| *name == folder) else {
        return vec![Finding::new(&path, 0, "tidy does not say whom this crate may know")];
    };
    let is_ours = |name: &str| MAY_KNOW.iter().any(|(ours, _)| *ours == name);
    let linked = entries(manifest).into_iter().filter(|entry| entry.is_linked() && is_ours(entry.name));
    let wrong = linked.filter(|entry| !allowed.contains(&entry.name));
    wrong
        .map(|entry| Finding::new(&path, entry.line, format!("{folder} may not know {}", entry.name)))
        .collect()
}

fn modules(tree: &Tree) -> impl Iterator<Item = Finding> {
    ONLY.iter().flat_map(move |(from, to, modules)| {
        let files = tree.ending(".rs").filter(move |(path, _)| path.starts_with(&format!("{from}/src/")));
        files.flat_map(move |(path, text)| foreign_modules(path, text, to, modules))
    })
}

fn foreign_modules(path: &str, text: &str, to: &str, modules: &[&str]) -> Vec<Finding> {
    let is_allowed = |named: &str| modules.iter().any(|module| named.starts_with(module));
    let wrong = code_lines(text).filter(|(_, line)| !named_in(line, to).all(is_allowed));
    let what = format!("of {to} only {} may be used here, and by its full name", modules.join(", "));
    wrong.map(|(line, _)| Finding::new(path, line, what.clone())).collect()
}

/// What follows each `to::` of the line.
fn named_in<'a>(line: &'a str, to: &str) -> impl Iterator<Item = &'a str> {
    let start = format!("{to}::");
    let is_name = |letter: char| letter.is_alphanumeric() || letter == '_';
    let places: Vec<usize> = line.match_indices(&start).map(|(at, _)| at).collect();
    let whole = places.into_iter().filter(move |at| !line[..*at].ends_with(is_name));
    whole.map(move |at| &line[at + start.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_files(files: &[(&str, &str)], expected: &[(&str, usize)]) {
        let found = check(&Tree::of(files));
        let places: Vec<_> = found.iter().map(|finding| (finding.path.as_str(), finding.line)).collect();
        assert_eq!(places, expected);
    }

    #[test]
    fn a_link_against_the_direction_is_found() {
        let manifest = "[dependencies]\nprotocol.workspace = true\nbroker.workspace = true\n[dev-dependencies]\nnode.workspace = true\n";
        check_files(&[("storage/Cargo.toml", manifest)], &[("storage/Cargo.toml", 3)]);
    }

    #[test]
    fn a_crate_that_is_not_in_the_table_is_found() {
        check_files(&[("stranger/Cargo.toml", "")], &[("stranger/Cargo.toml", 0)]);
    }

    #[test]
    fn a_module_that_one_may_not_know_is_found() {
        let text =
            "//! A.\nuse protocol::types::Uuid;\nuse protocol::messages::FetchRequest;\n// protocol::wire\n";
        check_files(&[("metadata/src/image.rs", text)], &[("metadata/src/image.rs", 3)]);
        check_files(&[("broker/src/lib.rs", text)], &[]);
        check_files(
            &[("metadata/src/keys.rs", "//! A.\nuse remote_protocol::X;\nuse ::protocol::wire;\n")],
            &[("metadata/src/keys.rs", 3)],
        );
    }
}
