//! `milena log-dirs`: where brokers keep what, how much of it, and which directories have failed.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use clap::Args;
use client::{Admin, LogDirDescription, ReplicaDescription};
use protocol::ErrorCode;
use protocol::types::BrokerId;
use serde_json::json;
use tokio::task::JoinSet;

use crate::arguments::Output;
use crate::connect::Connect;
use crate::outcomes::Outcomes;
use crate::output::{DASH, Table, bytes, print, print_json};

/// Show the log directories of brokers: state, size, room, and the replicas in them.
#[derive(Args)]
pub struct LogDirsArguments {
    #[command(flatten)]
    connect: Connect,
    /// Only these brokers, comma-separated.
    #[arg(long = "broker", visible_alias = "broker-list", value_name = "ID,…", value_delimiter = ',')]
    brokers: Vec<i32>,
    /// Only replicas of these topics, comma-separated.
    #[arg(long = "topic", visible_alias = "topic-list", value_name = "TOPIC,…", value_delimiter = ',')]
    topics: Vec<String>,
    /// A row for each replica too, as with --topic.
    #[arg(long)]
    replicas: bool,
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

type Dirs = Vec<LogDirDescription>;

pub async fn run(arguments: LogDirsArguments) -> Result<()> {
    let admin = arguments.connect.admin().await?;
    let asked = arguments.asked(&admin)?;
    let mut outcomes = ask(&admin, asked).await;
    outcomes.each_mut(|dirs| arguments.narrow(dirs));
    match arguments.output {
        Output::Table => print(&arguments.text_of(&outcomes))?,
        Output::Json => print_json(&outcomes.iter().map(|(id, outcome)| json_of(*id, outcome)).collect())?,
    }
    outcomes.end("brokers did not answer")
}

/// Asks brokers side by side.
async fn ask(admin: &Admin, brokers: BTreeSet<BrokerId>) -> Outcomes<BrokerId, Dirs> {
    let mut asked = JoinSet::new();
    for broker in brokers {
        let admin = admin.clone();
        asked.spawn(async move { (broker, admin.describe_log_dirs(broker).await) });
    }
    let mut answers = asked.join_all().await;
    answers.sort_by_key(|(broker, _)| *broker);
    Outcomes::from_iter(answers)
}

impl LogDirsArguments {
    /// The brokers that are meant.
    fn asked(&self, admin: &Admin) -> Result<BTreeSet<BrokerId>> {
        let there: BTreeSet<_> = admin.cluster().metadata().brokers().map(|broker| broker.id).collect();
        if self.brokers.is_empty() {
            return Ok(there);
        }
        let named: BTreeSet<_> = self.brokers.iter().copied().map(BrokerId).collect();
        if let Some(missing) = named.difference(&there).next() {
            let there: Vec<_> = there.iter().map(BrokerId::to_string).collect();
            bail!("there is no broker {missing}; these are up: {}", there.join(", "));
        }
        Ok(named)
    }

    fn narrow(&self, dirs: &mut Dirs) {
        for dir in dirs {
            dir.replicas.retain(|replica| {
                self.topics.is_empty() || self.topics.iter().any(|topic| *topic == *replica.partition.topic)
            });
            dir.replicas.sort_by(|one, other| one.partition.cmp(&other.partition));
        }
    }

    fn text_of(&self, outcomes: &Outcomes<BrokerId, Dirs>) -> String {
        let mut text = dirs_table(outcomes).render();
        let replicas = replicas_table(outcomes);
        if (self.replicas || !self.topics.is_empty()) && !replicas.is_empty() {
            text += "\n";
            text += &replicas.render();
        }
        text
    }
}

fn dirs_table(outcomes: &Outcomes<BrokerId, Dirs>) -> Table {
    let mut table =
        Table::new(["BROKER", "DIRECTORY", "STATE", "REPLICAS", "SIZE", "LAG MAX", "FREE", "TOTAL"]);
    let size = |size: Option<u64>| size.map_or(DASH.to_owned(), bytes);
    for (broker, dir) in dirs(outcomes) {
        table.row([
            broker.to_string(),
            dir.path.clone(),
            state(dir.error).to_owned(),
            dir.replicas.len().to_string(),
            bytes(dir.replicas.iter().map(|replica| replica.bytes).sum()),
            dir.replicas.iter().map(|replica| replica.lag).max().unwrap_or(0).to_string(),
            size(dir.usable_bytes),
            size(dir.total_bytes),
        ]);
    }
    table
}

fn replicas_table(outcomes: &Outcomes<BrokerId, Dirs>) -> Table {
    let mut table = Table::new(["BROKER", "DIRECTORY", "PARTITION", "SIZE", "LAG", "FUTURE"]);
    for (broker, dir) in dirs(outcomes) {
        for replica in &dir.replicas {
            table.row([
                broker.to_string(),
                dir.path.clone(),
                replica.partition.to_string(),
                bytes(replica.bytes),
                replica.lag.to_string(),
                if replica.is_future { "yes" } else { "no" }.to_owned(),
            ]);
        }
    }
    table
}

fn dirs(outcomes: &Outcomes<BrokerId, Dirs>) -> impl Iterator<Item = (BrokerId, &LogDirDescription)> {
    outcomes.successes().flat_map(|(broker, dirs)| dirs.iter().map(|dir| (*broker, dir)))
}

fn state(error: ErrorCode) -> &'static str {
    match error {
        ErrorCode::None => "online",
        ErrorCode::KafkaStorageError => "failed",
        other => other.name(),
    }
}

fn json_of(broker: BrokerId, outcome: &Result<Dirs, client::Error>) -> serde_json::Value {
    let replica = |replica: &ReplicaDescription| {
        json!({
            "topic": &*replica.partition.topic,
            "partition": replica.partition.partition,
            "bytes": replica.bytes,
            "lag": replica.lag,
            "future": replica.is_future,
        })
    };
    let dir = |dir: &LogDirDescription| {
        json!({
            "path": dir.path,
            "error": (dir.error != ErrorCode::None).then(|| dir.error.name()),
            "usable_bytes": dir.usable_bytes,
            "total_bytes": dir.total_bytes,
            "replicas": dir.replicas.iter().map(replica).collect::<Vec<_>>(),
        })
    };
    json!({
        "broker": broker.0,
        "error": outcome.as_ref().err().map(ToString::to_string),
        "dirs": outcome.as_ref().ok().map(|dirs| dirs.iter().map(dir).collect::<Vec<_>>()),
    })
}
