//! `milena topics`: create, list, describe, alter and delete, in the vocabulary of Kafka's own tool.

mod alter;
mod create;
mod delete;
mod describe;
mod list;

use clap::{Args, Subcommand};

/// Topics: create, list, describe, alter, delete.
#[derive(Subcommand)]
pub enum TopicsCommand {
    Create(create::CreateArguments),
    List(list::ListArguments),
    Describe(describe::DescribeArguments),
    Alter(alter::AlterArguments),
    Delete(delete::DeleteArguments),
}

/// Topics by name, bare or behind Kafka's `--topic`.
#[derive(Args, Clone, Debug)]
pub struct TopicNames {
    /// Names of topics.
    #[arg(value_name = "TOPIC")]
    bare: Vec<String>,
    /// A topic's name, as Kafka's tools take it; several with commas.
    #[arg(long = "topic", value_name = "TOPIC", value_delimiter = ',')]
    named: Vec<String>,
}

impl TopicNames {
    /// Every name that was given, if any.
    pub fn all(&self) -> Vec<String> {
        self.bare.iter().chain(&self.named).cloned().collect()
    }

    /// One name at least.
    pub fn some(&self) -> anyhow::Result<Vec<String>> {
        let names = self.all();
        anyhow::ensure!(!names.is_empty(), "no topic is named; say which: milena topics … TOPIC");
        Ok(names)
    }
}

pub async fn run(command: TopicsCommand) -> anyhow::Result<()> {
    match command {
        TopicsCommand::Create(arguments) => create::run(arguments).await,
        TopicsCommand::List(arguments) => list::run(arguments).await,
        TopicsCommand::Describe(arguments) => describe::run(arguments).await,
        TopicsCommand::Alter(arguments) => alter::run(arguments).await,
        TopicsCommand::Delete(arguments) => delete::run(arguments).await,
    }
}
