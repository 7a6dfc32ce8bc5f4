//! `milena records`: records deleted from the front of partitions.
//!
//! * `targets`: which, and up to where, from the command line or Kafka's JSON file. Pure.

mod delete;
mod targets;

use clap::Subcommand;

/// Records: delete.
#[derive(Subcommand)]
pub enum RecordsCommand {
    Delete(delete::DeleteArguments),
}

pub async fn run(command: RecordsCommand) -> anyhow::Result<()> {
    match command {
        RecordsCommand::Delete(arguments) => delete::run(arguments).await,
    }
}
