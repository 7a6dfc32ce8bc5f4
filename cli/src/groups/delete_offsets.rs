//! `milena groups delete-offsets`.

use std::collections::BTreeSet;

use clap::Args;
use client::TopicPartition;
use serde_json::json;

use crate::arguments::{Output, TopicScope, topic_scope};
use crate::connect::Connect;
use crate::outcomes::Outcomes;
use crate::output::{Table, print_json};

/// Delete what a group has committed for topics that it does not read now.
#[derive(Args)]
pub struct DeleteOffsetsArguments {
    #[command(flatten)]
    connect: Connect,
    /// The group's name.
    #[arg(value_name = "GROUP", required_unless_present = "named")]
    group: Option<String>,
    /// The group, as Kafka's tools take it.
    #[arg(long = "group", id = "named", value_name = "GROUP", conflicts_with = "group")]
    named: Option<String>,
    /// A topic, or some of its partitions; may be given again.
    #[arg(long = "topic", value_name = "TOPIC[:PARTITION,…]", required = true, value_parser = topic_scope)]
    topics: Vec<TopicScope>,
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

pub async fn run(arguments: DeleteOffsetsArguments) -> anyhow::Result<()> {
    let admin = arguments.connect.admin().await?;
    let group = arguments.group.as_deref().or(arguments.named.as_deref()).unwrap_or_default();
    let mut partitions = BTreeSet::new();
    for scope in &arguments.topics {
        let count = match scope.partitions {
            Some(_) => 0,
            None => admin.cluster().topic(&scope.topic).await?.partitions.len(),
        };
        partitions.extend(scope.partitions(count));
    }
    let partitions: Vec<_> = partitions.into_iter().collect();
    let deleted = admin.delete_committed_offsets(group, &partitions).await?;
    let outcomes = Outcomes::from_iter(deleted);
    match arguments.output {
        Output::Table => table(&outcomes).print()?,
        Output::Json => print_json(&outcomes.iter().map(|(at, outcome)| json_of(at, outcome)).collect())?,
    }
    outcomes.end("partitions keep their offsets")
}

fn table(outcomes: &Outcomes<TopicPartition, ()>) -> Table {
    let mut table = Table::new(["TOPIC", "PARTITION", "STATUS"]);
    for (at, outcome) in outcomes.iter() {
        let status = match outcome {
            Ok(()) => "deleted".to_owned(),
            Err(error) => error.code().map_or_else(|| error.to_string(), |code| code.name().to_owned()),
        };
        table.row([at.topic.to_string(), at.partition.to_string(), status]);
    }
    table
}

fn json_of(at: &TopicPartition, outcome: &Result<(), client::Error>) -> serde_json::Value {
    json!({
        "topic": &*at.topic,
        "partition": at.partition,
        "error": outcome.as_ref().err().map(ToString::to_string),
    })
}
