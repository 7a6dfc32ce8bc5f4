//! `cargo xtask dashboards`: writes `deploy/grafana/dashboards` anew from the few words in which they are described here.
//!
//! One file a page; [`panel`] is the vocabulary, [`json`] what Grafana wants to hear. A test sees to it that the files are
//! those that this would write, so that nobody edits them by hand, in vain.

mod broker;
mod cluster;
mod group;
mod json;
mod panel;
mod topic;

use std::path::Path;

use anyhow::Context;
use panel::Dashboard;

const FOLDER: &str = "deploy/grafana/dashboards";

fn all() -> [Dashboard; 4] {
    [cluster::dashboard(), broker::dashboard(), topic::dashboard(), group::dashboard()]
}

/// Writes every dashboard.
pub(crate) fn run() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the workspace")?;
    for dashboard in all() {
        let path = root.join(FOLDER).join(format!("{}.json", dashboard.name));
        std::fs::write(&path, text(&dashboard)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn text(dashboard: &Dashboard) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(&json::dashboard(dashboard))? + "\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::panel::WIDTH;
    use super::*;

    fn panels(dashboard: &Dashboard) -> Vec<Value> {
        json::dashboard(dashboard)["panels"].as_array().cloned().unwrap_or_default()
    }

    /// Every cell of the grid that a panel covers, as (column, row).
    fn cells(panel: &Value) -> Vec<(u64, u64)> {
        let of = |key: &str| panel["gridPos"][key].as_u64().expect("a number");
        let (x, y, width, height) = (of("x"), of("y"), of("w"), of("h"));
        (x..x + width).flat_map(|column| (y..y + height).map(move |row| (column, row))).collect()
    }

    #[test]
    fn the_files_are_those_that_would_be_written() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace");
        for dashboard in all() {
            let file = std::fs::read_to_string(root.join(FOLDER).join(format!("{}.json", dashboard.name)));
            let expected = text(&dashboard).expect("is JSON");
            assert!(
                file.is_ok_and(|file| file == expected),
                "{}: run cargo xtask dashboards",
                dashboard.name
            );
        }
    }

    #[test]
    fn panels_have_numbers_of_their_own_and_lie_side_by_side() {
        for dashboard in all() {
            let (mut ids, mut covered) = (BTreeSet::new(), BTreeSet::new());
            for panel in panels(&dashboard) {
                assert!(ids.insert(panel["id"].as_u64()), "{}", panel["title"]);
                for cell in cells(&panel) {
                    assert!(cell.0 < u64::from(WIDTH) && covered.insert(cell), "{} {cell:?}", panel["title"]);
                }
            }
        }
    }

    #[test]
    fn every_panel_says_what_it_shows_and_in_which_unit() {
        for dashboard in all() {
            let mut titles = BTreeSet::new();
            for panel in dashboard.rows.iter().flat_map(|row| &row.panels) {
                assert!(titles.insert(panel.title), "{} twice", panel.title);
                assert!(panel.help.ends_with('.') && !panel.unit.is_empty(), "{}", panel.title);
                assert!(!panel.queries.is_empty(), "{}", panel.title);
            }
        }
    }

    #[test]
    fn uids_differ_and_every_variable_is_used() {
        let mut uids = BTreeSet::new();
        for dashboard in all() {
            assert!(uids.insert(dashboard.name));
            let text = text(&dashboard).expect("is JSON");
            for variable in &dashboard.variables {
                assert!(
                    text.contains(&format!("${}", variable.name)),
                    "{} {}",
                    dashboard.name,
                    variable.name
                );
            }
        }
    }
}
