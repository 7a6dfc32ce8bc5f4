//! `milena topics create`.

use clap::Args;
use client::NewTopic;
use protocol::ErrorCode;
use protocol::types::BrokerId;

use super::TopicNames;
use crate::arguments::key_value;
use crate::connect::Connect;
use crate::output::print;

/// Create topics.
#[derive(Args)]
pub struct CreateArguments {
    #[command(flatten)]
    connect: Connect,
    #[command(flatten)]
    topics: TopicNames,
    /// How many partitions; the cluster's num.partitions if not given.
    #[arg(long, value_parser = clap::value_parser!(i32).range(1..))]
    partitions: Option<i32>,
    /// How many replicas of each; the cluster's default.replication.factor if not given.
    #[arg(long, value_parser = clap::value_parser!(i16).range(1..))]
    replication_factor: Option<i16>,
    /// The brokers of each partition instead: 1:2,2:3 puts partition 0 on 1 and 2, partition 1 on 2 and 3.
    #[arg(long, value_name = "ID:ID,…", value_parser = assignment, conflicts_with_all = ["partitions", "replication_factor"])]
    replica_assignment: Option<Assignment>,
    /// A topic config; may be given again.
    #[arg(long = "config", value_name = "NAME=VALUE", value_parser = key_value)]
    configs: Vec<(String, String)>,
    /// A topic that exists is no error, and stays as it is.
    #[arg(long)]
    if_not_exists: bool,
    /// Only say whether it could be created.
    #[arg(long)]
    validate_only: bool,
}

/// A broker list for each partition; a type of its own, since clap takes a bare `Vec` for a repeated argument.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assignment(pub Vec<Vec<BrokerId>>);

pub async fn run(arguments: CreateArguments) -> anyhow::Result<()> {
    let names = arguments.topics.some()?;
    let admin = arguments.connect.admin().await?;
    for name in names {
        let topic = NewTopic {
            name: name.clone(),
            partitions: arguments.partitions,
            replication_factor: arguments.replication_factor,
            assignment: arguments.replica_assignment.clone().unwrap_or_default().0,
            configs: arguments.configs.clone(),
        };
        let outcome = match admin.create_topics(&[topic], arguments.validate_only).await {
            Ok(()) if arguments.validate_only => "could be created",
            Ok(()) => "created",
            Err(error) if arguments.if_not_exists && error.code() == Some(ErrorCode::TopicAlreadyExists) => {
                "exists already"
            }
            Err(error) => return Err(error.into()),
        };
        print(&format!("Topic {name}: {outcome}.\n"))?;
    }
    Ok(())
}

/// Reads an [`Assignment`].
pub fn assignment(text: &str) -> Result<Assignment, String> {
    let broker = |id: &str| id.trim().parse().map(BrokerId).map_err(|_| format!("'{id}' is no broker id"));
    let replicas = |partition: &str| partition.split(':').map(broker).collect::<Result<Vec<_>, _>>();
    text.split(',').map(replicas).collect::<Result<_, _>>().map(Assignment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_lists_the_brokers_of_each_partition() {
        let expected = vec![vec![BrokerId(1), BrokerId(2)], vec![BrokerId(3)]];
        assert_eq!(assignment("1:2,3"), Ok(Assignment(expected)));
        assert!(assignment("1:x").is_err());
    }
}
