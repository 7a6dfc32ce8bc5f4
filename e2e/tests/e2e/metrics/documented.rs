//! docs/metrics.md against what is exported: each has a line, and each line is true.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result, ensure};
use e2e::workspace;

use super::page::{Metric, Page};

/// What there is nothing of while nothing fails.
const OF_FAILURES: [&str; 2] = ["milena_metadata_store_errors_total", "milena_controller_state_doubts_total"];

/// Behind it stands what there is not.
const END: &str = "\n## What Kafka has and Milena does not\n";

/// What the first cell of a line of the tables begins with.
const LINE: &str = "| `";

/// Each exported metric has a line that says its type, its labels and its help as they are; and no line is left over.
pub(super) fn check(exported: &Page) -> Result<()> {
    let documented = read()?;
    for (name, metric) in exported {
        let line =
            documented.get(name).with_context(|| format!("docs/metrics.md lacks\n{}", line(name, metric)))?;
        ensure!(line == metric, "docs/metrics.md should say\n{}", self::line(name, metric));
    }
    let is_left_over =
        |name: &&String| !exported.contains_key(*name) && !OF_FAILURES.contains(&name.as_str());
    let left_over: Vec<_> = documented.keys().filter(is_left_over).collect();
    ensure!(left_over.is_empty(), "docs/metrics.md tells of what is not exported: {left_over:?}");
    Ok(())
}

fn read() -> Result<BTreeMap<String, Metric>> {
    let text = fs::read_to_string(workspace::root().join("docs/metrics.md"))?;
    let mut documented = BTreeMap::new();
    let (text, _) = text.split_once(END).context("docs/metrics.md ends with what there is not")?;
    for line in text.lines().filter(|line| line.starts_with(LINE)) {
        let cells: Vec<_> =
            line.trim_matches('|').split(" | ").map(|cell| cell.trim().trim_matches('`')).collect();
        let [name, kind, labels, help, ..] = cells[..] else { anyhow::bail!("{line}") };
        let labels: BTreeSet<_> = labels
            .split(", ")
            .map(|label| label.trim_matches('`'))
            .filter(|label| *label != "–")
            .map(str::to_owned)
            .collect();
        let metric = Metric { kind: kind.to_owned(), help: help.to_owned(), labels };
        ensure!(documented.insert(name.to_owned(), metric).is_none(), "{name} has two lines");
    }
    Ok(documented)
}

/// The line that would be true.
fn line(name: &str, metric: &Metric) -> String {
    let labels: Vec<_> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
    let labels = if labels.is_empty() { "–".to_owned() } else { labels.join(", ") };
    format!("| `{name}` | {} | {labels} | {} | |", metric.kind, metric.help)
}
