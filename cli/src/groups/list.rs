//! `milena groups list`.

use clap::Args;
use client::GroupListing;
use serde_json::json;

use crate::arguments::Output;
use crate::connect::Connect;
use crate::output::{Table, or_dash, print_json};

/// What a group may be doing, in Kafka's words.
const STATES: [&str; 7] =
    ["Assigning", "CompletingRebalance", "Dead", "Empty", "PreparingRebalance", "Reconciling", "Stable"];
/// By which protocol a group may be coordinated.
const TYPES: [&str; 4] = ["classic", "consumer", "share", "streams"];

/// List groups.
#[derive(Args)]
pub struct ListArguments {
    #[command(flatten)]
    connect: Connect,
    /// Only groups in these states, comma-separated: Stable, Empty, PreparingRebalance, CompletingRebalance, Dead,
    /// Assigning, Reconciling.
    #[arg(long = "state", visible_alias = "states", value_name = "STATE,…", value_delimiter = ',', value_parser = state)]
    states: Vec<String>,
    /// Only groups of these types, comma-separated: classic, consumer, share, streams.
    #[arg(long = "type", visible_alias = "types", value_name = "TYPE,…", value_delimiter = ',', value_parser = group_type)]
    types: Vec<String>,
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

pub async fn run(arguments: ListArguments) -> anyhow::Result<()> {
    let admin = arguments.connect.admin().await?;
    let groups = admin.list_groups(&arguments.states, &arguments.types).await?;
    match arguments.output {
        Output::Table => table(&groups).print(),
        Output::Json => print_json(&groups.iter().map(json_of).collect()),
    }
}

fn table(groups: &[GroupListing]) -> Table {
    let mut table = Table::new(["GROUP", "TYPE", "PROTOCOL", "STATE"]);
    for group in groups {
        table.row([
            group.group_id.to_string(),
            or_dash(&group.group_type).to_ascii_lowercase(),
            or_dash(&group.protocol_type).to_owned(),
            or_dash(&group.state).to_owned(),
        ]);
    }
    table
}

fn json_of(group: &GroupListing) -> serde_json::Value {
    json!({
        "group": &*group.group_id,
        "type": group.group_type.to_ascii_lowercase(),
        "protocol": &*group.protocol_type,
        "state": &*group.state,
    })
}

fn state(text: &str) -> Result<String, String> {
    one_of(&STATES, text, "state")
}

fn group_type(text: &str) -> Result<String, String> {
    one_of(&TYPES, text, "type")
}

/// The word as Kafka spells it.
fn one_of(words: &[&str], text: &str, what: &str) -> Result<String, String> {
    let known = words.iter().find(|word| word.eq_ignore_ascii_case(text.trim()));
    known
        .map(|word| (*word).to_owned())
        .ok_or_else(|| format!("no {what} of a group; there are {}", words.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_and_types_are_taken_in_any_case() {
        assert_eq!(state("stable"), Ok("Stable".into()));
        assert_eq!(group_type("Classic"), Ok("classic".into()));
        assert!(state("Asleep").expect_err("there is none").contains("Stable"));
    }
}
