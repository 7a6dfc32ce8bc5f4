//! What brokers ask for, beside their streams. An answer leaves when what it speaks of is committed; that of an admin call
//! also when the brokers have applied it, or have had their time to.

use metadata::convert::{partition_to_proto, uuid_from_proto, uuid_to_proto};
use proto::controller::{
    self as messages, AllocateProducerIdsRequest, AllocateProducerIdsResponse, AlterIsrRequest,
    AlterIsrResponse, ControlledShutdownRequest, ControlledShutdownResponse, ForwardRequest, ForwardResponse,
    IsrProposal, IsrResult, ReplicasOfflineRequest, ReplicasOfflineResponse,
};
use protocol::ErrorCode;
use protocol::types::{BrokerId, LeaderEpoch};
use tokio::time::Instant;
use tonic::Status;

use super::{Active, Answer};
use crate::acknowledgements::WAIT_MAX;
use crate::admin::{self, CallError, Decided};
use crate::commit::CommitError;
use crate::event::Reply;
use crate::plan::alter_isr::{Proposal, alter_isr};
use crate::plan::broker_gone::hand_over;
use crate::plan::elect_leaders::elect_missing_leaders;
use crate::plan::replicas_offline::replicas_offline;
use crate::producer_ids::next_block;
use crate::state::{OfflineReplicas, PartitionRef};

impl Active {
    /// An admin call of a client.
    pub(super) async fn forward(
        &mut self,
        request: ForwardRequest,
        reply: Reply<ForwardResponse>,
    ) -> Result<(), CommitError> {
        let decided = match admin::decide(&self.state, &request, &mut self.rng) {
            Ok(decided) => decided,
            Err(error) => {
                respond(reply, Err(status_of(&error)));
                return Ok(());
            }
        };
        let Decided { answer, plan } = decided;
        let (nothing_to_apply, alters_configs) = (plan.is_empty(), plan.alters_configs());
        self.carry_out(plan).await?;
        if alters_configs {
            // Unclean elections may be allowed by now where nobody leads.
            self.carry_out(elect_missing_leaders(&self.state)).await?;
        }
        let metadata_revision = self.state.image.revision;
        let response = ForwardResponse { body: answer, metadata_revision };
        if nothing_to_apply {
            respond(reply, Ok(response));
        } else {
            let deadline = Instant::now() + WAIT_MAX;
            self.acknowledgements.wait(metadata_revision, deadline, Answer { response, reply });
        }
        Ok(())
    }

    /// Proposals of a leader, all committed together.
    pub(super) async fn alter_isr(
        &mut self,
        request: AlterIsrRequest,
        reply: Reply<AlterIsrResponse>,
    ) -> Result<(), CommitError> {
        let broker = BrokerId(request.broker_id);
        if let Err(error) = self.check_broker_epoch(broker, request.broker_epoch) {
            respond(reply, Ok(AlterIsrResponse { error_code: code(error), results: Vec::new() }));
            return Ok(());
        }
        let proposals: Result<Vec<Proposal>, Status> = request.proposals.iter().map(proposal).collect();
        let proposals = match proposals {
            Ok(proposals) => proposals,
            Err(status) => {
                respond(reply, Err(status));
                return Ok(());
            }
        };
        let (plan, errors) = alter_isr(&self.state, broker, &proposals);
        self.carry_out(plan).await?;
        let results =
            proposals.iter().zip(errors).map(|(proposal, error)| self.isr_result(proposal, error)).collect();
        respond(reply, Ok(AlterIsrResponse { error_code: 0, results }));
        Ok(())
    }

    fn isr_result(&self, proposal: &Proposal, error: ErrorCode) -> IsrResult {
        let committed = self.state.partition(proposal.topic_id, proposal.partition);
        IsrResult {
            topic_id: uuid_to_proto(proposal.topic_id),
            partition: proposal.partition,
            error_code: code(error),
            state: committed.filter(|_| !error.is_error()).map(|state| partition_to_proto(state)),
        }
    }

    /// A block of producer ids that no other broker has or will have.
    pub(super) async fn allocate_producer_ids(
        &mut self,
        request: AllocateProducerIdsRequest,
        reply: Reply<AllocateProducerIdsResponse>,
    ) -> Result<(), CommitError> {
        let broker = BrokerId(request.broker_id);
        let refused = |error| Ok(AllocateProducerIdsResponse { error_code: code(error), first: 0, count: 0 });
        if let Err(error) = self.check_broker_epoch(broker, request.broker_epoch) {
            respond(reply, refused(error));
            return Ok(());
        }
        let Some((block, plan)) = next_block(&self.state, broker) else {
            tracing::error!("all producer ids have been given away");
            respond(reply, refused(ErrorCode::UnknownServerError));
            return Ok(());
        };
        self.carry_out(plan).await?;
        let response =
            AllocateProducerIdsResponse { error_code: 0, first: block.block_start, count: block.block_size };
        respond(reply, Ok(response));
        Ok(())
    }

    /// A broker is about to stop: it is relieved of what it leads first.
    pub(super) async fn controlled_shutdown(
        &mut self,
        request: ControlledShutdownRequest,
        reply: Reply<ControlledShutdownResponse>,
    ) -> Result<(), CommitError> {
        let broker = BrokerId(request.broker_id);
        if let Err(error) = self.check_broker_epoch(broker, request.broker_epoch) {
            respond(
                reply,
                Ok(ControlledShutdownResponse { error_code: code(error), partitions_remaining: 0 }),
            );
            return Ok(());
        }
        self.state.shutting_down.insert(broker);
        self.carry_out(hand_over(&self.state, broker)).await?;
        tracing::info!(%broker, "controlled shutdown: relieved of its leaderships");
        // What it alone has in sync stays with it until it goes.
        let is_left = |of: &PartitionRef| of.state.leader == broker && of.state.isr.len() > 1;
        let led = self.state.partitions().filter(is_left).count();
        let partitions_remaining = u32::try_from(led).unwrap_or(u32::MAX);
        respond(reply, Ok(ControlledShutdownResponse { error_code: 0, partitions_remaining }));
        Ok(())
    }

    /// Log directories of a broker failed: its replicas there lead nothing any more and are in sync with nothing. Or they are
    /// full: then its followers there leave the ISRs.
    pub(super) async fn replicas_offline(
        &mut self,
        request: ReplicasOfflineRequest,
        reply: Reply<ReplicasOfflineResponse>,
    ) -> Result<(), CommitError> {
        let broker = BrokerId(request.broker_id);
        if let Err(error) = self.check_broker_epoch(broker, request.broker_epoch) {
            respond(reply, Ok(ReplicasOfflineResponse { error_code: code(error) }));
            return Ok(());
        }
        let offline = match offline(&request.replicas) {
            Ok(offline) => offline,
            Err(status) => {
                respond(reply, Err(status));
                return Ok(());
            }
        };
        let (failed, full) = (offline.failed.len(), offline.full.len());
        tracing::warn!(%broker, failed, full, "replicas are offline, or followers without room");
        self.state.offline_replicas.insert(broker, offline);
        self.carry_out(replicas_offline(&self.state, broker)).await?;
        respond(reply, Ok(ReplicasOfflineResponse { error_code: 0 }));
        Ok(())
    }

    fn check_broker_epoch(&self, broker: BrokerId, epoch: i64) -> Result<(), ErrorCode> {
        match self.state.broker_of_epoch(broker, epoch) {
            Some(_) => Ok(()),
            None => Err(ErrorCode::StaleBrokerEpoch),
        }
    }
}

fn proposal(proposal: &IsrProposal) -> Result<Proposal, Status> {
    let topic_id = uuid_from_proto(&proposal.topic_id, "a topic id");
    Ok(Proposal {
        topic_id: topic_id.map_err(|error| Status::invalid_argument(error.to_string()))?,
        partition: proposal.partition,
        leader_epoch: LeaderEpoch(proposal.leader_epoch),
        partition_epoch: proposal.partition_epoch,
        isr: proposal.isr.iter().map(|member| (BrokerId(member.broker_id), member.broker_epoch)).collect(),
    })
}

fn offline(told: &[messages::OfflineReplicas]) -> Result<OfflineReplicas, Status> {
    let mut offline = OfflineReplicas::default();
    for replicas in told {
        let topic_id = uuid_from_proto(&replicas.topic_id, "a topic id");
        let topic_id = topic_id.map_err(|error| Status::invalid_argument(error.to_string()))?;
        let kind = if replicas.full { &mut offline.full } else { &mut offline.failed };
        kind.extend(replicas.partitions.iter().map(|partition| (topic_id, *partition)));
    }
    Ok(offline)
}

fn status_of(error: &CallError) -> Status {
    match error {
        CallError::NotServed { .. } => Status::unimplemented(error.to_string()),
        CallError::Decode(_) => Status::invalid_argument(error.to_string()),
        CallError::Encode(_) => Status::internal(error.to_string()),
    }
}

fn code(error: ErrorCode) -> i32 {
    error.code().into()
}

pub(super) fn respond<T>(reply: Reply<T>, response: Result<T, Status>) {
    // Who has gone away wants no answer.
    let _ = reply.send(response);
}
