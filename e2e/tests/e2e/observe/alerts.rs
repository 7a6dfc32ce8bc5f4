//! The rules as Prometheus holds them: sound, silent while all is well, and each with a page that says the same of it.

use std::fs;

use anyhow::{Context, Result, ensure};
use e2e::prometheus::Prometheus;
use e2e::workspace;
use serde_json::Value;

/// About the disk of whoever runs the test.
const NOT_OURS: [&str; 2] = ["DiskFilling", "DiskAlmostFull"];

fn alerts(prometheus: &Prometheus) -> Result<Vec<Value>> {
    Ok(prometheus.rules()?.into_iter().filter(|rule| rule["type"] == "alerting").collect())
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// No rule fails, and no alert fires or is about to.
pub(super) fn check_quiet(prometheus: &Prometheus) -> Result<()> {
    for rule in prometheus.rules()? {
        let name = text(&rule, "name");
        ensure!(rule["health"] == "ok", "{name}: {rule}");
        let is_ours = rule["type"] == "alerting" && !NOT_OURS.contains(&name);
        ensure!(!is_ours || rule["state"] == "inactive", "{name} is {}: {rule}", rule["state"]);
    }
    Ok(())
}

/// How an alert stands: `inactive`, `pending` or `firing`.
pub(super) fn state(prometheus: &Prometheus, name: &str) -> Result<String> {
    let alerts = alerts(prometheus)?;
    let alert = alerts.iter().find(|alert| alert["name"] == name);
    Ok(text(alert.with_context(|| format!("no alert {name}"))?, "state").to_owned())
}

/// Each alert has a page that names its severity and patience, a line in the index, and a unit test; and no page is left over.
pub(super) fn check_pages(prometheus: &Prometheus) -> Result<()> {
    let folder = workspace::root().join("docs/runbooks");
    let index = fs::read_to_string(folder.join("README.md"))?;
    let tests = all_tests()?;
    let alerts = alerts(prometheus)?;
    for alert in &alerts {
        let name = text(alert, "name");
        let runbook = text(&alert["annotations"], "runbook_url");
        ensure!(runbook == format!("docs/runbooks/{name}.md"), "{name}: runbook_url {runbook}");
        let page = fs::read_to_string(workspace::root().join(runbook)).with_context(|| runbook.to_owned())?;
        let (severity, after) = (text(&alert["labels"], "severity"), after(alert));
        ensure!(
            page.starts_with(&format!("# {name}\n\n**{severity}**, {after}\n")),
            "{runbook}: {severity}, {after}"
        );
        let line = format!("| [{name}]({name}.md) | {severity} | {after} |\n");
        ensure!(index.contains(&line), "docs/runbooks/README.md lacks {line}");
        ensure!(
            tests.contains(&format!("alertname=\"{name}\", alertstate=\"firing\"")),
            "{name} has no unit test"
        );
    }
    let pages = fs::read_dir(&folder)?.count() - 1;
    ensure!(pages == alerts.len(), "{pages} runbooks for {} alerts", alerts.len());
    Ok(())
}

/// The patience of an alert, in the words of the pages.
fn after(alert: &Value) -> String {
    match alert["duration"].as_f64().unwrap_or_default() as u64 {
        0 => "at once".to_owned(),
        seconds if seconds % 3_600 == 0 => format!("after {}h", seconds / 3_600),
        seconds if seconds % 60 == 0 => format!("after {}m", seconds / 60),
        seconds => format!("after {seconds}s"),
    }
}

fn all_tests() -> Result<String> {
    let mut all = String::new();
    for test in fs::read_dir(workspace::root().join("deploy/prometheus/tests"))? {
        all += &fs::read_to_string(test?.path())?;
    }
    Ok(all)
}
