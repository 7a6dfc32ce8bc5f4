//! `milena groups`: what consumers share, in the vocabulary of Kafka's own tool.
//!
//! * `list`, `describe`: which there are, how far they have come, who is in them.
//! * `reset`: sets what a group has committed.
//! * `delete`, `delete_offsets`: takes it away.

mod delete;
mod delete_offsets;
mod describe;
mod list;
mod reset;

use clap::{Args, Subcommand};
use client::{Admin, GroupListing};

/// Groups: list, describe, reset-offsets, delete, delete-offsets.
#[derive(Subcommand)]
pub enum GroupsCommand {
    List(list::ListArguments),
    Describe(describe::DescribeArguments),
    ResetOffsets(reset::ResetArguments),
    Delete(delete::DeleteArguments),
    DeleteOffsets(delete_offsets::DeleteOffsetsArguments),
}

/// Groups by name, bare or behind Kafka's `--group`, or all of them.
#[derive(Args, Clone, Debug)]
#[group(required = true, multiple = true)]
pub struct GroupNames {
    /// Names of groups.
    #[arg(value_name = "GROUP")]
    bare: Vec<String>,
    /// A group's name, as Kafka's tools take it; may be given again.
    #[arg(long = "group", value_name = "GROUP")]
    named: Vec<String>,
    /// Every group of consumers.
    #[arg(long, conflicts_with_all = ["bare", "named"])]
    all_groups: bool,
}

impl GroupNames {
    /// The names that are meant, each once and in order.
    async fn of(&self, admin: &Admin) -> Result<Vec<String>, client::Error> {
        let mut names = self.given();
        if self.all_groups {
            let listed = admin.list_groups(&[], &[]).await?.into_iter().filter(GroupListing::is_of_consumers);
            names = listed.map(|group| group.group_id.to_string()).collect();
        }
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn given(&self) -> Vec<String> {
        self.bare.iter().chain(&self.named).cloned().collect()
    }
}

pub async fn run(command: GroupsCommand) -> anyhow::Result<()> {
    match command {
        GroupsCommand::List(arguments) => list::run(arguments).await,
        GroupsCommand::Describe(arguments) => describe::run(arguments).await,
        GroupsCommand::ResetOffsets(arguments) => reset::run(arguments).await,
        GroupsCommand::Delete(arguments) => delete::run(arguments).await,
        GroupsCommand::DeleteOffsets(arguments) => delete_offsets::run(arguments).await,
    }
}
