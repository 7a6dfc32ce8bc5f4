//! `milena groups delete`.

use clap::Args;
use serde_json::json;

use super::GroupNames;
use crate::arguments::Output;
use crate::connect::Connect;
use crate::outcomes::Outcomes;
use crate::output::{print, print_json};

/// Delete groups that have no members, with all that they have committed.
#[derive(Args)]
pub struct DeleteArguments {
    #[command(flatten)]
    connect: Connect,
    #[command(flatten)]
    groups: GroupNames,
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

pub async fn run(arguments: DeleteArguments) -> anyhow::Result<()> {
    let admin = arguments.connect.admin().await?;
    let mut outcomes = Outcomes::default();
    for group in arguments.groups.of(&admin).await? {
        let deleted = admin.delete_group(&group).await;
        outcomes.add(group, deleted);
    }
    match arguments.output {
        Output::Table => {
            let line = |group: &String| format!("Group {group}: deleted.\n");
            print(&outcomes.successes().map(|(group, ())| line(group)).collect::<String>())?;
        }
        Output::Json => {
            let row = |group: &String, error: Option<String>| json!({ "group": group, "error": error });
            print_json(
                &outcomes
                    .iter()
                    .map(|(group, outcome)| row(group, outcome.as_ref().err().map(ToString::to_string)))
                    .collect(),
            )?;
        }
    }
    outcomes.end("groups could not be deleted")
}
