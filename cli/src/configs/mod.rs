//! `milena configs`: what is in force for topics, brokers, groups, and changes of it, in the vocabulary of Kafka's own tool.
//!
//! * `entity`: what configs belong to, as it is named on the command line.
//! * `changes`: what is to be set and deleted. Pure.

mod alter;
mod changes;
mod describe;
mod entity;

use clap::Subcommand;

/// Configs: describe, alter.
#[derive(Subcommand)]
pub enum ConfigsCommand {
    Describe(describe::DescribeArguments),
    Alter(alter::AlterArguments),
}

pub async fn run(command: ConfigsCommand) -> anyhow::Result<()> {
    match command {
        ConfigsCommand::Describe(arguments) => describe::run(arguments).await,
        ConfigsCommand::Alter(arguments) => alter::run(arguments).await,
    }
}
