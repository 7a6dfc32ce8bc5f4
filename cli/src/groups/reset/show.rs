//! Plans on stdout: a table, JSON, or CSV.

use serde_json::json;

use super::{Reset, csv};
use crate::arguments::Output;
use crate::output::{DASH, Table, print, print_json, say};

pub fn show(resets: &[Reset], output: Output) -> anyhow::Result<()> {
    match output {
        Output::Table => table(resets).print(),
        Output::Json => print_json(&resets.iter().flat_map(rows).collect()),
    }
}

fn table(resets: &[Reset]) -> Table {
    let mut table = Table::new(["GROUP", "TOPIC", "PARTITION", "CURRENT-OFFSET", "NEW-OFFSET"]);
    for reset in resets {
        for (at, target) in &reset.targets {
            table.row([
                reset.group.clone(),
                at.topic.to_string(),
                at.partition.to_string(),
                target.before.map_or(DASH.into(), |before| before.to_string()),
                target.offset.to_string(),
            ]);
        }
    }
    table
}

fn rows(reset: &Reset) -> impl Iterator<Item = serde_json::Value> {
    reset.targets.iter().map(|(at, target)| {
        json!({
            "group": reset.group,
            "topic": &*at.topic,
            "partition": at.partition,
            "current_offset": target.before,
            "new_offset": target.offset,
        })
    })
}

/// As Kafka's tool exports: without the group where there is only one.
pub fn export(resets: &[Reset], single: bool) -> anyhow::Result<()> {
    let lines = |reset: &Reset| {
        let group = (!single).then(|| reset.group.clone());
        let line = |(at, target): (&_, &super::Target)| csv::line(group.as_deref(), at, target.offset);
        reset.targets.iter().map(line).collect::<String>()
    };
    print(&resets.iter().map(lines).collect::<String>())
}

/// Where a target is not what was asked for.
pub fn note(reset: &Reset) {
    for (at, target) in &reset.targets {
        if let Some(remark) = target.remark() {
            say(format!("warning: {at} of group '{}': {remark}", reset.group));
        }
    }
}
