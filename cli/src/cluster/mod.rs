//! `milena cluster`: the whole cluster on one page. Brokers are asked over Kafka's wire; who controls them is read from the
//! metadata store, where its endpoints are given.
//!
//! * `recover`: what is done when that store went back to an older state.
//! * `census`: what was found; `ask` and `store` find it.
//! * `tally`, `trouble`: what follows from it; `page` and `json` show it.

mod ask;
mod census;
mod json;
mod page;
mod recover;
mod store;
mod tally;
mod trouble;

use clap::{Args, Subcommand};

use crate::arguments::Output;
use crate::connect::Connect;
use crate::output::{print, print_json};

/// Show the cluster on one page: brokers, controller, metadata store, partitions in trouble.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ClusterArguments {
    #[command(subcommand)]
    command: Option<ClusterCommand>,
    #[command(flatten)]
    connect: Connect,
    #[command(flatten)]
    metadata: MetadataEndpoints,
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

#[derive(Subcommand)]
enum ClusterCommand {
    Recover(recover::RecoverArguments),
}

/// Where the cluster's metadata is kept.
#[derive(Args, Clone, Debug)]
pub struct MetadataEndpoints {
    /// etcd's members, comma-separated: without them the controller is not shown.
    #[arg(long = "metadata-endpoints", value_name = "http://HOST:PORT,…", value_delimiter = ',')]
    pub endpoints: Vec<String>,
    /// What every key begins with.
    #[arg(long = "metadata-prefix", value_name = "PREFIX", default_value = "/milena")]
    pub prefix: String,
}

pub async fn run(arguments: ClusterArguments) -> anyhow::Result<()> {
    if let Some(ClusterCommand::Recover(arguments)) = arguments.command {
        return recover::run(arguments).await;
    }
    let admin = arguments.connect.admin().await?;
    let (census, store) = tokio::join!(
        ask::census(&admin),
        store::look(&arguments.metadata.endpoints, &arguments.metadata.prefix)
    );
    let census = census?;
    match arguments.output {
        Output::Table => print(&page::render(&census, store.as_ref())),
        Output::Json => print_json(&json::of(&census, store.as_ref())),
    }
}
