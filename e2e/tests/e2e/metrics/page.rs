//! A page of metrics, taken apart.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};

/// One metric, as it is announced and as its series have it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Metric {
    /// `counter`, `gauge`, `histogram` or `summary`.
    pub kind: String,
    pub help: String,
    /// Of all its series together, but for `le` and `quantile`.
    pub labels: BTreeSet<String>,
}

/// By name.
pub(super) type Page = BTreeMap<String, Metric>;

pub(super) fn parse(text: &str) -> Result<Page> {
    let mut page = Page::new();
    let mut last = String::new();
    for line in text.lines() {
        if let Some(announced) = line.strip_prefix("# HELP ") {
            let (name, help) = announced.split_once(' ').with_context(|| line.to_owned())?;
            page.entry(name.to_owned()).or_default().help = help.to_owned();
        } else if let Some(announced) = line.strip_prefix("# TYPE ") {
            let (name, kind) = announced.split_once(' ').with_context(|| line.to_owned())?;
            page.entry(name.to_owned()).or_default().kind = kind.to_owned();
            last = name.to_owned();
        } else {
            ensure!(line.starts_with(&last), "{line} does not belong to {last}");
            let metric = page.get_mut(&last).with_context(|| line.to_owned())?;
            metric
                .labels
                .extend(labels(line).filter(|label| !["le", "quantile"].contains(label)).map(str::to_owned));
        }
    }
    Ok(page)
}

/// Takes the metrics of another page in.
pub(super) fn join(page: &mut Page, other: Page) {
    for (name, metric) in other {
        let known = page.entry(name).or_insert_with(|| metric.clone());
        known.labels.extend(metric.labels);
    }
}

/// The names before `="`. A value may hold anything but a quote that is not behind a backslash.
fn labels(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line.split_once('{').map_or("", |(_, rest)| rest);
    std::iter::from_fn(move || {
        let (name, value) = rest.trim_start_matches([',', ' ']).split_once("=\"")?;
        let mut escaped = false;
        let end = value.find(|letter| {
            let is_end = letter == '"' && !escaped;
            escaped = letter == '\\' && !escaped;
            is_end
        })?;
        rest = &value[end + 1..];
        Some(name)
    })
}

#[test]
fn a_page_is_taken_apart() -> Result<()> {
    let text = "# HELP a What it is.\n# TYPE a histogram\na_bucket{x=\"\\\"{,\",le=\"1\"} 3\na_count{x=\"2\",y=\"3\"} 4\n";
    let page = parse(text)?;
    let labels = ["x", "y"].map(str::to_owned).into();
    let metric = Metric { kind: "histogram".into(), help: "What it is.".into(), labels };
    assert_eq!(page, Page::from([("a".to_owned(), metric)]));
    Ok(())
}
