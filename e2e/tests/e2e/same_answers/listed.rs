//! The differences that are meant, read from the table in docs/compatibility.md, where users find them as well.
//!
//! A row names an API and a path of its answer, the calls (`all`, or words of the comment above them in the script), what
//! each broker answers, and why. `*` stands for anything.

use std::fs;

use anyhow::{Context, Result, ensure};
use e2e::workspace;

use super::compare::Difference;

pub const PAGE: &str = "docs/compatibility.md";
const ANY: &str = "all";

/// One row.
#[derive(Debug)]
pub struct Listed {
    pub row: String,
    place: String,
    calls: String,
    kafka: String,
    milena: String,
}

/// All rows of the page.
pub fn read() -> Result<Vec<Listed>> {
    let text = fs::read_to_string(workspace::root().join(PAGE)).context(PAGE)?;
    text.lines().filter(|line| line.starts_with("| `")).map(row).collect()
}

fn row(line: &str) -> Result<Listed> {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let [place, calls, kafka, milena, why] = cells[..] else { anyhow::bail!("a row has five cells: {line}") };
    ensure!(!why.is_empty(), "no reason is given: {line}");
    let bare = |cell: &str| cell.trim_matches('`').to_owned();
    Ok(Listed {
        row: line.to_owned(),
        place: bare(place),
        calls: calls.to_owned(),
        kafka: bare(kafka),
        milena: bare(milena),
    })
}

impl Listed {
    /// Whether this row says it of this call.
    pub fn covers(&self, api: &str, title: &str, difference: &Difference) -> bool {
        let place = format!("{api} {}", difference.path);
        let is_called = self.calls == ANY || title.contains(&self.calls);
        is_called
            && matches(&self.place, &place)
            && matches(&self.kafka, &difference.kafka)
            && matches(&self.milena, &difference.milena)
    }
}

/// Whether a text is as a pattern, in which `*` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len()).any(|at| rest.is_char_boundary(at) && matches(after, &rest[at..]))
        }),
    }
}

#[test]
fn a_row_covers_what_it_says() {
    let listed = row("| `Fetch responses[].*` | zstd | `0` | `*` | For a reason. |").expect("a row");
    let difference = |path: &str| Difference { path: path.into(), kafka: "0".into(), milena: "7".into() };
    assert!(listed.covers("Fetch", "with zstd", &difference("responses[].error_code")));
    assert!(!listed.covers("Fetch", "plain", &difference("responses[].error_code")));
    assert!(!listed.covers("Fetch", "with zstd", &difference("error_code")));
    assert!(row("| `Fetch` | all | `0` | `1` | |").is_err());
}
