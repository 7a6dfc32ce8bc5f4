//! Streams of brokers, from the hello to the end, in the place of the gRPC service.

use controller::event::{Event, StreamId};
use controller::push::{Subscription, feed};
use proto::controller::{Hello, Push};
use protocol::types::BrokerId;
use tokio::sync::{mpsc, oneshot};
use tonic::Status;

use super::{Controller, Said};
use crate::event::ConnectionId;
use crate::job::{Job, job, poll};

/// Pushes of one stream that wait for its connection, as the real service has it.
const PUSHES_MAX: usize = 4;

/// One stream.
pub(super) enum Stream {
    Opening(BrokerId, oneshot::Receiver<Result<Subscription, Status>>),
    Open {
        broker: BrokerId,
        stream: StreamId,
        feeding: Job<Option<()>>,
        pushes: mpsc::Receiver<Result<Push, Status>>,
    },
}

impl Controller {
    /// A broker says hello. A standby hangs up.
    pub fn hello(&mut self, connection: ConnectionId, hello: Hello) -> bool {
        if self.held.is_none() {
            return false;
        }
        let (reply, opened) = oneshot::channel();
        self.streams.insert(connection, Stream::Opening(BrokerId(hello.broker_id), opened));
        self.events.push_back(Event::Opened { hello, reply });
        true
    }

    /// A broker has applied what it was pushed.
    pub fn acknowledged(&mut self, connection: ConnectionId, revision: i64) {
        if let Some(Stream::Open { broker, stream, .. }) = self.streams.get(&connection) {
            let (broker, stream) = (*broker, *stream);
            self.events.push_back(Event::Acknowledged { broker, stream, revision });
        }
    }

    /// A stream has ended at the other side.
    pub fn closed(&mut self, connection: ConnectionId) {
        if let Some(Stream::Open { broker, stream, .. }) = self.streams.remove(&connection) {
            self.events.push_back(Event::Closed { broker, stream });
        }
    }

    /// Moves every stream on, and takes up what it pushes.
    pub(super) fn feed_streams(&mut self, said: &mut Vec<Said>) {
        let connections: Vec<ConnectionId> = self.streams.keys().copied().collect();
        for connection in connections {
            let Some(stream) = self.streams.remove(&connection) else { continue };
            match self.feed(connection, stream, said) {
                Some(stream) => {
                    self.streams.insert(connection, stream);
                }
                None => said.push(Said::HangsUp(connection)),
            }
        }
    }

    /// `None`: the stream is over.
    fn feed(&mut self, connection: ConnectionId, stream: Stream, said: &mut Vec<Said>) -> Option<Stream> {
        match stream {
            Stream::Opening(broker, mut opened) => match opened.try_recv() {
                Ok(Ok(subscription)) => {
                    let (id, (to, pushes)) = (subscription.stream, mpsc::channel(PUSHES_MAX));
                    let feeding = job(feed(subscription, self.asks.0.clone(), to));
                    self.feed(connection, Stream::Open { broker, stream: id, feeding, pushes }, said)
                }
                Err(oneshot::error::TryRecvError::Empty) => Some(Stream::Opening(broker, opened)),
                Ok(Err(refusal)) => {
                    said.push(Said::Refuses(connection, Box::new(refusal)));
                    None
                }
                Err(oneshot::error::TryRecvError::Closed) => None,
            },
            Stream::Open { broker, stream, mut feeding, mut pushes } => loop {
                let ended = poll(&mut feeding).is_some();
                let mut idle = true;
                while let Ok(push) = pushes.try_recv() {
                    idle = false;
                    match push {
                        Ok(push) => said.push(Said::Push(connection, push)),
                        Err(_) => return self.over(broker, stream),
                    }
                }
                if ended {
                    return self.over(broker, stream);
                }
                if idle {
                    return Some(Stream::Open { broker, stream, feeding, pushes });
                }
            },
        }
    }

    fn over(&mut self, broker: BrokerId, stream: StreamId) -> Option<Stream> {
        self.events.push_back(Event::Closed { broker, stream });
        None
    }
}
