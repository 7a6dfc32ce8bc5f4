//! Everything that dashboards, rules, runbooks and documents name, held against what Prometheus has scraped.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use e2e::prometheus::Prometheus;
use e2e::scratch::files_below;
use e2e::workspace;
use serde_json::Value;

use super::expression::{Named, named};

/// Ours by their first letters; what stands in a document and begins so is a metric.
const PREFIXES: [&str; 3] = ["kafka_", "milena_", "etcd_"];

/// What a histogram or summary is called in prose, and what its series are.
const SERIES_OF: [&str; 3] = ["", "_bucket", "_sum"];

/// The table of all metrics, which has a test of its own.
const HELD_ELSEWHERE: &str = "docs/metrics.md";

/// An expression, and where it stands.
#[derive(Clone)]
pub(super) struct Asked {
    pub place: String,
    pub expression: String,
    /// The labels that a legend shows.
    pub shown: BTreeSet<String>,
}

/// The queries of all dashboards, with their variables replaced: everything is chosen, and a minute is looked back.
pub(super) fn of_dashboards() -> Result<Vec<Asked>> {
    let mut asked = Vec::new();
    for path in files_below(&workspace::root().join("deploy/grafana/dashboards"), ".json")? {
        let dashboard: Value = serde_json::from_str(&fs::read_to_string(&path)?)?;
        for panel in dashboard["panels"].as_array().context("a dashboard has panels")? {
            for target in panel["targets"].as_array().into_iter().flatten() {
                let text = |key: &str| target[key].as_str().unwrap_or_default();
                let place = format!("{} {}", dashboard["uid"], panel["title"]);
                asked.push(Asked {
                    place,
                    expression: chosen(text("expr")),
                    shown: legend(text("legendFormat")),
                });
            }
        }
        for variable in dashboard["templating"]["list"].as_array().into_iter().flatten() {
            asked.extend(of_variable(variable));
        }
    }
    Ok(asked)
}

fn chosen(expression: &str) -> String {
    let replaced = expression.replace("$__rate_interval", "1m").replace("$__range", "1h");
    ["$broker", "$topic", "$group"].iter().fold(replaced, |text, name| text.replace(name, ".*"))
}

/// The names in double braces.
fn legend(format: &str) -> BTreeSet<String> {
    let parts = format.split("{{").skip(1).filter_map(|rest| rest.split("}}").next());
    parts.map(str::to_owned).collect()
}

/// `label_values(METRIC, LABEL)` shows a label of a metric.
fn of_variable(variable: &Value) -> Option<Asked> {
    let (metric, label) = variable["definition"]
        .as_str()?
        .strip_prefix("label_values(")?
        .strip_suffix(')')?
        .split_once(", ")?;
    let place = format!("variable {}", variable["name"]);
    Some(Asked { place, expression: metric.to_owned(), shown: BTreeSet::from([label.to_owned()]) })
}

/// The expressions of all rules.
pub(super) fn of_rules(prometheus: &Prometheus) -> Result<Vec<Asked>> {
    let asked = |rule: &Value| Asked {
        place: format!("rule {}", rule["name"]),
        expression: rule["query"].as_str().unwrap_or_default().to_owned(),
        shown: BTreeSet::new(),
    };
    Ok(prometheus.rules()?.iter().map(asked).collect())
}

/// What the runbooks ask Prometheus.
pub(super) fn of_runbooks() -> Result<Vec<Asked>> {
    let mut asked = Vec::new();
    for path in files_below(&workspace::root().join("docs/runbooks"), ".md")? {
        let page = fs::read_to_string(&path)?;
        let queries =
            page.lines().filter_map(|line| line.strip_prefix("promtool query instant $PROMETHEUS '"));
        asked.extend(queries.map(|query| Asked {
            place: path.display().to_string(),
            expression: query.trim_end_matches('\'').to_owned(),
            shown: BTreeSet::new(),
        }));
    }
    Ok(asked)
}

/// Each metric exists, with each label; each label that groups, or is shown, exists on some metric of its expression.
pub(super) fn check(prometheus: &Prometheus, all: &[Asked]) -> Result<()> {
    let mut known = Known { prometheus, labels: BTreeMap::new() };
    let mut missing = Vec::new();
    for asked in all {
        let Named { metrics, groupings } = named(&asked.expression);
        ensure!(!metrics.is_empty(), "{} names no metric: {}", asked.place, asked.expression);
        let mut united = BTreeSet::new();
        for (metric, labels) in metrics {
            let exported = known.labels(&metric)?;
            missing.extend(
                labels.difference(&exported).map(|label| format!("{}: {metric} {{{label}}}", asked.place)),
            );
            missing.extend(exported.is_empty().then(|| format!("{}: {metric}", asked.place)));
            united.extend(exported);
        }
        let wanted: BTreeSet<_> = groupings.union(&asked.shown).cloned().collect();
        missing.extend(
            wanted.difference(&united).map(|label| format!("{}: no metric has {label}", asked.place)),
        );
    }
    missing.sort();
    missing.dedup();
    ensure!(missing.is_empty(), "named, and not exported:\n{}", missing.join("\n"));
    Ok(())
}

/// What documents name in prose, outside of blocks of commands.
pub(super) fn check_documents(prometheus: &Prometheus) -> Result<()> {
    let mut known = Known { prometheus, labels: BTreeMap::new() };
    let mut missing = Vec::new();
    let documents = files_below(&workspace::root().join("docs"), ".md")?;
    let readme = workspace::root().join("README.md");
    let all = documents.iter().chain([&readme]);
    for path in all.filter(|path| !path.ends_with(HELD_ELSEWHERE)) {
        for (metric, labels) in of_document(path)? {
            let exported = known.any_of(&metric)?;
            let is_there = !exported.is_empty() && labels.is_subset(&exported);
            missing.extend((!is_there).then(|| format!("{}: {metric} {labels:?}", path.display())));
        }
    }
    ensure!(missing.is_empty(), "named, and not exported:\n{}", missing.join("\n"));
    Ok(())
}

/// Metrics between backticks, with the labels in their braces.
fn of_document(path: &Path) -> Result<Vec<(String, BTreeSet<String>)>> {
    let text = fs::read_to_string(path)?;
    let prose = text.split("```").step_by(2).collect::<Vec<_>>().join("\n");
    let spans = prose.split('`').skip(1).step_by(2);
    let ours = spans.filter(|span| PREFIXES.iter().any(|prefix| span.starts_with(prefix)));
    // `name*`, `name…` and `name_` speak of many at once.
    let whole = ours.filter(|span| !span.contains(['*', '…', '/']) && !span.ends_with('_'));
    Ok(whole.flat_map(|span| named(span).metrics).collect())
}

/// The labels of each metric, asked once.
struct Known<'a> {
    prometheus: &'a Prometheus,
    labels: BTreeMap<String, BTreeSet<String>>,
}

impl Known<'_> {
    fn labels(&mut self, metric: &str) -> Result<BTreeSet<String>> {
        if let Some(known) = self.labels.get(metric) {
            return Ok(known.clone());
        }
        let labels = self.prometheus.labels(metric)?;
        self.labels.insert(metric.to_owned(), labels.clone());
        Ok(labels)
    }

    fn any_of(&mut self, metric: &str) -> Result<BTreeSet<String>> {
        let mut united = BTreeSet::new();
        for ending in SERIES_OF {
            united.extend(self.labels(&format!("{metric}{ending}"))?);
        }
        Ok(united)
    }
}
