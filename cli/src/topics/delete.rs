//! `milena topics delete`.

use clap::Args;
use protocol::ErrorCode;

use super::TopicNames;
use crate::connect::Connect;
use crate::output::print;

/// Delete topics, with all their records.
#[derive(Args)]
pub struct DeleteArguments {
    #[command(flatten)]
    connect: Connect,
    #[command(flatten)]
    topics: TopicNames,
    /// A topic that does not exist is no error.
    #[arg(long)]
    if_exists: bool,
}

pub async fn run(arguments: DeleteArguments) -> anyhow::Result<()> {
    let names = arguments.topics.some()?;
    let admin = arguments.connect.admin().await?;
    for name in names {
        let outcome = match admin.delete_topics(std::slice::from_ref(&name)).await {
            Ok(()) => "deleted",
            Err(error) if arguments.if_exists && error.code() == Some(ErrorCode::UnknownTopicOrPartition) => {
                "does not exist"
            }
            Err(error) => return Err(error.into()),
        };
        print(&format!("Topic {name}: {outcome}.\n"))?;
    }
    Ok(())
}
