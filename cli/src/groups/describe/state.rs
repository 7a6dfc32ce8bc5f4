//! The state of groups: one row a group.

use client::GroupDescription;
use serde_json::json;

use crate::arguments::Output;
use crate::output::{DASH, Table, or_dash, print, print_json};

pub fn show(groups: &[&GroupDescription], verbose: bool, output: Output) -> anyhow::Result<()> {
    match output {
        Output::Json => print_json(&groups.iter().map(|group| json_of(group)).collect()),
        Output::Table if groups.is_empty() => Ok(()),
        Output::Table => print(&table(groups, verbose).render()),
    }
}

fn table(groups: &[&GroupDescription], verbose: bool) -> Table {
    let mut titles = vec!["GROUP", "COORDINATOR (ID)", "TYPE", "ASSIGNMENT-STRATEGY", "STATE"];
    if verbose {
        titles.extend(["GROUP-EPOCH", "TARGET-ASSIGNMENT-EPOCH"]);
    }
    titles.push("#MEMBERS");
    let mut table = Table::new(titles);
    groups.iter().for_each(|group| table.row(cells(group, verbose)));
    table
}

fn cells(group: &GroupDescription, verbose: bool) -> Vec<String> {
    let epoch = |epoch: Option<i32>| epoch.map_or(DASH.to_owned(), |epoch| epoch.to_string());
    let coordinator = group.coordinator.as_ref();
    let mut cells = vec![
        group.group_id.to_string(),
        coordinator.map_or(DASH.into(), |broker| format!("{} ({})", broker.address(), broker.id)),
        group.group_type.to_owned(),
        or_dash(&group.assignor).to_owned(),
        group.state.to_string(),
    ];
    if verbose {
        cells.extend([epoch(group.epoch), epoch(group.assignment_epoch)]);
    }
    cells.push(group.members.len().to_string());
    cells
}

fn json_of(group: &GroupDescription) -> serde_json::Value {
    let coordinator = group.coordinator.as_ref();
    json!({
        "group": &*group.group_id,
        "type": group.group_type,
        "state": &*group.state,
        "assignment_strategy": &*group.assignor,
        "coordinator": coordinator.map(|broker| json!({ "id": broker.id.0, "address": broker.address() })),
        "group_epoch": group.epoch,
        "target_assignment_epoch": group.assignment_epoch,
        "members": group.members.len(),
    })
}
