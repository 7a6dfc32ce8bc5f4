//! How a leader has the ISR of its partitions changed: one call for many of them.

use std::time::Duration;

use bytes::Bytes;
use metadata::convert::partition_from_proto;
use metadata::image::PartitionImage;
use proto::controller::{AlterIsrRequest, IsrMember, IsrResult};
use protocol::ErrorCode;
use protocol::types::{BrokerId, LeaderEpoch, Uuid};
use tokio::time::Instant;

use super::{ControllerLink, ForwardError, Session};

/// The ISR that a leader wants for one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IsrProposal {
    pub topic_id: Uuid,
    pub partition: i32,
    pub leader_epoch: LeaderEpoch,
    /// What it is to replace; another one in its place voids the proposal.
    pub partition_epoch: i32,
    /// Each member with the broker epoch by which it fetched; −1 where that is not known.
    pub isr: Vec<(BrokerId, i64)>,
}

/// What became of one proposal.
#[derive(Debug, Clone, PartialEq)]
pub enum IsrOutcome {
    Committed(Box<PartitionImage>),
    Refused(ErrorCode),
}

impl ControllerLink {
    /// Proposes, and hears of each proposal in its place. An error says that any of them may be committed or not.
    pub async fn alter_isr(
        &self,
        proposals: &[IsrProposal],
        wait_max: Duration,
    ) -> Result<Vec<IsrOutcome>, ForwardError> {
        let broker_epoch = self.broker_epoch().ok_or(ForwardError::NoController)?;
        let request = AlterIsrRequest {
            broker_id: self.identity.broker_id.0,
            broker_epoch,
            proposals: proposals.iter().map(to_proto).collect(),
        };
        let ask = |mut session: Session| {
            let request = request.clone();
            async move { session.client.alter_isr(request).await }
        };
        let response = self.ask(Instant::now() + wait_max, ask).await?;
        match code(response.error_code) {
            ErrorCode::None => Ok(response.results.iter().map(outcome).collect()),
            error => Err(ForwardError::Refused(error)),
        }
    }
}

fn to_proto(proposal: &IsrProposal) -> proto::controller::IsrProposal {
    let member = |&(id, broker_epoch): &(BrokerId, i64)| IsrMember { broker_id: id.0, broker_epoch };
    proto::controller::IsrProposal {
        topic_id: Bytes::copy_from_slice(&proposal.topic_id.0),
        partition: proposal.partition,
        leader_epoch: proposal.leader_epoch.0,
        partition_epoch: proposal.partition_epoch,
        isr: proposal.isr.iter().map(member).collect(),
    }
}

/// A commit that cannot be read is as good as none: a push tells of it.
fn outcome(result: &IsrResult) -> IsrOutcome {
    let state = result.state.as_ref().and_then(|state| partition_from_proto(state).ok());
    match (code(result.error_code), state) {
        (ErrorCode::None, Some(state)) => IsrOutcome::Committed(Box::new(state)),
        (ErrorCode::None, None) => IsrOutcome::Refused(ErrorCode::UnknownServerError),
        (error, _) => IsrOutcome::Refused(error),
    }
}

fn code(code: i32) -> ErrorCode {
    ErrorCode::from_code(i16::try_from(code).unwrap_or(-1))
}
