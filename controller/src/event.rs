//! All that can happen to an active controller: a closed enum, one arm and one call each in its loop.

use std::sync::Arc;

use metadata::image::ClusterImage;
use metadata::store::{Revision, WatchMessage};
use proto::controller::{
    AllocateProducerIdsRequest, AllocateProducerIdsResponse, AlterIsrRequest, AlterIsrResponse,
    ControlledShutdownRequest, ControlledShutdownResponse, ForwardRequest, ForwardResponse, Hello,
    RecoverRequest, RecoverResponse, ReplicasOfflineRequest, ReplicasOfflineResponse,
};
use protocol::types::BrokerId;
use tokio::sync::oneshot;
use tonic::Status;

use crate::failure_detector::Dialled;
use crate::push::Subscription;

/// Where an answer goes. A caller that has gone away wants none.
pub type Reply<T> = oneshot::Sender<Result<T, Status>>;

/// Tells the streams of one broker apart.
pub type StreamId = u64;

pub enum Event {
    /// What the watch on `/brokers/ids` tells; `None`: it is lost.
    Registrations(Option<WatchMessage>),
    /// A broker opened its stream and said hello.
    Opened {
        hello: Hello,
        reply: Reply<Subscription>,
    },
    /// A broker has applied everything up to this revision.
    Acknowledged {
        broker: BrokerId,
        stream: StreamId,
        revision: Revision,
    },
    /// A stream ended, whoever ended it.
    Closed {
        broker: BrokerId,
        stream: StreamId,
    },
    /// What came of dialling a broker that has no stream.
    Dialled {
        broker: BrokerId,
        epoch: i64,
        outcome: Dialled,
    },
    /// A stream fell behind what is remembered.
    WholeImage {
        reply: oneshot::Sender<Arc<ClusterImage>>,
    },
    Forward {
        request: ForwardRequest,
        reply: Reply<ForwardResponse>,
    },
    AlterIsr {
        request: AlterIsrRequest,
        reply: Reply<AlterIsrResponse>,
    },
    AllocateProducerIds {
        request: AllocateProducerIdsRequest,
        reply: Reply<AllocateProducerIdsResponse>,
    },
    ControlledShutdown {
        request: ControlledShutdownRequest,
        reply: Reply<ControlledShutdownResponse>,
    },
    ReplicasOffline {
        request: ReplicasOfflineRequest,
        reply: Reply<ReplicasOfflineResponse>,
    },
    /// An administrator wants the cluster to go on though its store went back.
    Recover {
        request: RecoverRequest,
        reply: Reply<RecoverResponse>,
    },
    /// Some deadline has passed: of a broker without a stream, of an answer that waits, of the metrics.
    Timer,
    /// Our `/controller` is gone, or may be.
    LeaseDoubtful,
    Shutdown,
}

impl Event {
    /// As metrics call it.
    pub fn name(&self) -> &'static str {
        match self {
            Event::Registrations(_) => "registrations",
            Event::Opened { .. } => "opened",
            Event::Acknowledged { .. } => "acknowledged",
            Event::Closed { .. } => "closed",
            Event::Dialled { .. } => "dialled",
            Event::WholeImage { .. } => "whole_image",
            Event::Forward { .. } => "forward",
            Event::AlterIsr { .. } => "alter_isr",
            Event::AllocateProducerIds { .. } => "allocate_producer_ids",
            Event::ControlledShutdown { .. } => "controlled_shutdown",
            Event::ReplicasOffline { .. } => "replicas_offline",
            Event::Recover { .. } => "recover",
            Event::Timer => "timer",
            Event::LeaseDoubtful => "lease_doubtful",
            Event::Shutdown => "shutdown",
        }
    }

    /// Whether this is a call whose caller has gone away, as after a long wait for the store: it is not carried out any more.
    pub fn is_abandoned(&self) -> bool {
        match self {
            Event::Opened { reply, .. } => reply.is_closed(),
            Event::Forward { reply, .. } => reply.is_closed(),
            Event::AlterIsr { reply, .. } => reply.is_closed(),
            Event::AllocateProducerIds { reply, .. } => reply.is_closed(),
            Event::ControlledShutdown { reply, .. } => reply.is_closed(),
            Event::ReplicasOffline { reply, .. } => reply.is_closed(),
            _ => false,
        }
    }
}
