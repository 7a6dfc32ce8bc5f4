//! `milena cluster recover`: lets a cluster go on whose metadata store went back to an older state. The active controller does
//! it; here it is found, asked, and its findings are shown.

use anyhow::{Context, bail};
use clap::Args;
use metadata::etcd::EtcdStore;
use metadata::keys::controller_key::{self, ActiveController};
use metadata::store::get;
use proto::controller::controller_client::ControllerClient;
use proto::controller::{RecoverRequest, RecoverResponse};
use tonic::transport::Endpoint;

use super::MetadataEndpoints;
use crate::output::print;

/// Begin a new timeline after the metadata store was restored from a backup.
///
/// Start every broker first: while all replicas of a partition are known, nothing that was acknowledged is lost.
#[derive(Args)]
pub struct RecoverArguments {
    #[command(flatten)]
    metadata: MetadataEndpoints,
    /// Go on without the brokers that are missing; what they alone hold is given up.
    #[arg(long)]
    unclean: bool,
}

pub async fn run(arguments: RecoverArguments) -> anyhow::Result<()> {
    let active = active(&arguments.metadata).await?;
    let channel = Endpoint::from_shared(active.endpoint.clone())?.connect().await;
    let channel =
        channel.with_context(|| format!("controller {} at {} is not reached", active.id, active.endpoint))?;
    let request = RecoverRequest { unclean: arguments.unclean };
    let answer = ControllerClient::new(channel).recover(request).await;
    let RecoverResponse { refusal, findings } =
        answer.with_context(|| format!("controller {} did not recover the cluster", active.id))?.into_inner();
    findings.iter().try_for_each(|finding| print(&format!("{finding}\n")))?;
    if !refusal.is_empty() {
        bail!("not recovered: {refusal}");
    }
    print("recovered: a new timeline begins, and leaders are elected as brokers return\n")
}

async fn active(metadata: &MetadataEndpoints) -> anyhow::Result<ActiveController> {
    anyhow::ensure!(
        !metadata.endpoints.is_empty(),
        "say where the metadata is: --metadata-endpoints http://HOST:PORT,…"
    );
    let store = EtcdStore::connect(&metadata.endpoints).await?;
    let entry = get(&store, controller_key::key(&metadata.prefix)).await?;
    let entry = entry.context("no controller is active: start one, and ask again")?;
    Ok(ActiveController::decode(&entry.value)?)
}
