//! `milena topics alter`: more partitions. Configs are altered by `milena configs alter`.

use clap::Args;
use client::{Admin, Topic};
use protocol::ErrorCode;

use super::TopicNames;
use super::create::{Assignment, assignment};
use crate::connect::Connect;
use crate::output::{print, say};

/// Give topics more partitions; their configs are altered by `milena configs alter`.
#[derive(Args)]
pub struct AlterArguments {
    #[command(flatten)]
    connect: Connect,
    #[command(flatten)]
    topics: TopicNames,
    /// How many partitions there shall be in all.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    partitions: i32,
    /// The brokers of each partition, the ones that are there included: 1:2,2:3 for two partitions in all.
    #[arg(long, value_name = "ID:ID,…", value_parser = assignment)]
    replica_assignment: Option<Assignment>,
    /// A topic that does not exist is no error.
    #[arg(long)]
    if_exists: bool,
    /// Only say whether it could be done.
    #[arg(long)]
    validate_only: bool,
}

pub async fn run(arguments: AlterArguments) -> anyhow::Result<()> {
    let names = arguments.topics.some()?;
    let admin = arguments.connect.admin().await?;
    for name in names {
        let outcome = match admin.cluster().topic(&name).await {
            Ok(topic) => arguments.grow(&admin, &topic).await?,
            Err(error) if arguments.if_exists && error.code() == Some(ErrorCode::UnknownTopicOrPartition) => {
                "does not exist".to_owned()
            }
            Err(error) => return Err(error.into()),
        };
        print(&format!("Topic {name}: {outcome}.\n"))?;
    }
    Ok(())
}

impl AlterArguments {
    async fn grow(&self, admin: &Admin, topic: &Topic) -> anyhow::Result<String> {
        let (before, after) = (topic.partitions.len(), self.partitions);
        let new = self.new_partitions(before)?;
        admin.create_partitions(&topic.name, after, new.as_deref(), self.validate_only).await?;
        if self.validate_only {
            return Ok(format!("could grow from {before} to {after} partitions"));
        }
        say(format!(
            "warning: keys of topic '{}' are spread over {after} partitions now: a record may go to another partition \
             than the earlier ones with its key",
            topic.name
        ));
        Ok(format!("grown from {before} to {after} partitions"))
    }

    /// Of an assignment, what is for the new ones.
    fn new_partitions(&self, before: usize) -> anyhow::Result<Option<Vec<Vec<protocol::types::BrokerId>>>> {
        let Some(Assignment(all)) = &self.replica_assignment else { return Ok(None) };
        anyhow::ensure!(
            all.len() == self.partitions as usize,
            "--replica-assignment names the brokers of {} partitions, and --partitions asks for {}",
            all.len(),
            self.partitions
        );
        Ok(Some(all.iter().skip(before).cloned().collect()))
    }
}
