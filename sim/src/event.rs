//! All that can happen in a simulation: a closed enum, one arm and one call each in its loop.

use broker::replica::follower::{Answer, Ask};
use bytes::Bytes;
use controller::failure_detector::Dialled;
use proto::controller::{AlterIsrRequest, AlterIsrResponse};
use protocol::ErrorCode;
use protocol::types::BrokerId;

use crate::host::Host;

/// Counts the processes of a host: what was meant for an earlier one reaches no later one.
pub type ProcessId = u64;
/// A call to the store.
pub type CallId = u64;
/// A stream between a broker and a controller.
pub type ConnectionId = u64;

/// An end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Broker,
    Controller,
}

#[derive(Debug)]
pub enum Event {
    /// A process looks at its clock.
    Tick(Host, ProcessId),
    /// A follower asks its leader.
    Poll {
        broker: usize,
        process: ProcessId,
        partition: i32,
    },
    /// A leader looks for who left the ISR and who returns.
    Look {
        broker: usize,
        process: ProcessId,
    },
    /// A broker flushes its logs and writes its checkpoints.
    Tend {
        broker: usize,
        process: ProcessId,
    },
    /// A producer looks what it has to send.
    Produce(usize),
    /// A client hears what became of a batch.
    Produced {
        producer: usize,
        connection: u64,
        batch: usize,
        error: ErrorCode,
    },
    /// The nemesis strikes.
    Strike,
    Restart(Host),
    Resume(Host),
    /// A broker loses all ways to controllers.
    CutOff {
        broker: usize,
    },
    /// All links work again.
    LinksMended,
    StoreReturns,
    /// All watches are lost, and what was watched is read anew.
    WatchesLost,
    /// The store looks for leases that have expired.
    Leases,
    ToStore(CallId),
    FromStore(CallId),
    CallTimesOut(CallId),
    /// The next message of a watch arrives.
    Watch(u64),
    /// The next message of a stream arrives at the controller.
    Up(ConnectionId),
    /// The next push of a stream arrives at the broker.
    Down(ConnectionId),
    /// One side finds out that a stream has ended.
    Ended(ConnectionId, Side),
    /// A broker that shuts down waits no longer for the controller.
    Leave {
        broker: usize,
        process: ProcessId,
    },
    /// Somebody tried for a controller whether a broker listens.
    Dialled {
        controller: usize,
        process: ProcessId,
        broker: BrokerId,
        epoch: i64,
        outcome: Dialled,
    },
    Arrives(Message),
}

/// What travels by itself, and may be lost, late, or doubled.
#[derive(Clone, Debug)]
pub struct Message {
    pub from: Host,
    pub to: Host,
    pub content: Content,
}

#[derive(Clone, Debug)]
pub enum Content {
    Fetch {
        partition: i32,
        process: ProcessId,
        broker_epoch: Option<i64>,
        ask: Ask,
    },
    Fetched {
        partition: i32,
        process: ProcessId,
        ask: Ask,
        answer: Answer,
    },
    AlterIsr {
        process: ProcessId,
        call: u64,
        request: AlterIsrRequest,
    },
    /// `None`: whoever was asked is not active, and has done nothing.
    AlteredIsr {
        process: ProcessId,
        call: u64,
        response: Option<AlterIsrResponse>,
    },
    ShutDown {
        process: ProcessId,
        broker_epoch: i64,
    },
    ShutDownGranted {
        process: ProcessId,
    },
    Produce(Produce),
}

/// What a client sends.
#[derive(Clone, Debug)]
pub struct Produce {
    pub producer: usize,
    pub connection: u64,
    /// The process that the connection is to.
    pub process: ProcessId,
    pub batch: usize,
    pub values: Vec<u64>,
    pub records: Bytes,
}
