//! `milena topics list`.

use clap::Args;
use client::Topic;
use serde_json::json;

use crate::arguments::Output;
use crate::connect::Connect;
use crate::output::{print, print_json};

/// List topics.
#[derive(Args)]
pub struct ListArguments {
    #[command(flatten)]
    connect: Connect,
    /// Leave out the topics that the brokers keep for themselves.
    #[arg(long)]
    exclude_internal: bool,
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

pub async fn run(arguments: ListArguments) -> anyhow::Result<()> {
    let mut topics = arguments.connect.admin().await?.list_topics().await?;
    topics.retain(|topic| !(arguments.exclude_internal && topic.internal));
    match arguments.output {
        Output::Table => print(&topics.iter().map(|topic| format!("{}\n", topic.name)).collect::<String>()),
        Output::Json => print_json(&topics.iter().map(|topic| json_of(topic)).collect()),
    }
}

fn json_of(topic: &Topic) -> serde_json::Value {
    json!({
        "name": &*topic.name,
        "topic_id": topic.id.to_string(),
        "internal": topic.internal,
        "partitions": topic.partitions.len(),
    })
}
