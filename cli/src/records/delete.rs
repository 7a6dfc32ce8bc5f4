//! `milena records delete`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use client::TopicPartition;
use serde_json::json;

use super::targets::{from_json, target, unique};
use crate::arguments::Output;
use crate::connect::Connect;
use crate::outcomes::Outcomes;
use crate::output::{DASH, Table, print_json};

/// Delete the records of partitions before an offset, for ever.
#[derive(Args)]
pub struct DeleteArguments {
    #[command(flatten)]
    connect: Connect,
    /// A partition, and the first offset that stays; end deletes all that is committed.
    #[arg(
        value_name = "TOPIC:PARTITION=OFFSET",
        value_parser = target,
        required_unless_present = "offset_json_file"
    )]
    targets: Vec<(TopicPartition, i64)>,
    /// Kafka's file: {"partitions": [{"topic": "orders", "partition": 0, "offset": 100}], "version": 1}.
    #[arg(long, value_name = "FILE", conflicts_with = "targets")]
    offset_json_file: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

pub async fn run(arguments: DeleteArguments) -> Result<()> {
    let targets = unique(arguments.targets()?)?;
    let admin = arguments.connect.admin().await?;
    let outcomes = Outcomes::from_iter(admin.delete_records(&targets).await);
    match arguments.output {
        Output::Table => table(&outcomes).print()?,
        Output::Json => print_json(&outcomes.iter().map(|(at, outcome)| json_of(at, outcome)).collect())?,
    }
    outcomes.end("partitions keep their records")
}

impl DeleteArguments {
    fn targets(&self) -> Result<Vec<(TopicPartition, i64)>> {
        let Some(path) = &self.offset_json_file else { return Ok(self.targets.clone()) };
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        from_json(&text).with_context(|| path.display().to_string())
    }
}

fn table(outcomes: &Outcomes<TopicPartition, i64>) -> Table {
    let mut table = Table::new(["TOPIC", "PARTITION", "LOW-WATERMARK"]);
    for (at, outcome) in outcomes.iter() {
        let low_watermark = match outcome {
            Ok(offset) => offset.to_string(),
            Err(error) => error.code().map_or(DASH, |code| code.name()).to_owned(),
        };
        table.row([at.topic.to_string(), at.partition.to_string(), low_watermark]);
    }
    table
}

fn json_of(at: &TopicPartition, outcome: &Result<i64, client::Error>) -> serde_json::Value {
    json!({
        "topic": &*at.topic,
        "partition": at.partition,
        "low_watermark": outcome.as_ref().ok(),
        "error": outcome.as_ref().err().map(ToString::to_string),
    })
}
