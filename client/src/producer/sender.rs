//! The task behind a producer: it takes records, sends batches when they are due, and repeats those that failed.

use std::collections::HashMap;
use std::time::Duration;

use protocol::messages::InitProducerIdRequest;
use protocol::types::BrokerId;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};

use super::batch::{Batch, Identity, Outgoing};
use super::queue::{Limits, Queues};
use super::request::{Outcome, produce};
use super::{EVENTS_MAX, ProducerConfig};
use crate::{Cluster, Error, TopicPartition};

/// How far off a wait is that nothing but an event ends.
const IDLE: Duration = Duration::from_secs(3600);
/// A request's records stay below this, for brokers take 100 MiB at most.
const REQUEST_BYTES_MAX: usize = 16 << 20;

/// What the handle tells the task.
pub enum Event {
    Append(TopicPartition, Outgoing),
    Flush(oneshot::Sender<()>),
}

/// What the task's own tasks come back with.
enum Finished {
    Produced(Vec<Outcome>),
    Identified(Result<Identity, Error>),
}

/// An idempotent producer sends nothing before the brokers have given it an identity, and takes a new one when a
/// batch was lost that may have been appended.
enum Identification {
    NotNeeded,
    Needed,
    Asked,
    Known(Identity),
}

pub struct Sender {
    cluster: Cluster,
    config: ProducerConfig,
    events: mpsc::Receiver<Event>,
    queues: Queues,
    work: JoinSet<Finished>,
    identity: Identification,
    flushing: Vec<oneshot::Sender<()>>,
    /// The handle was dropped: deliver what is left, then end.
    closing: bool,
}

impl Sender {
    pub fn new(cluster: Cluster, config: ProducerConfig, events: mpsc::Receiver<Event>) -> Sender {
        let ProducerConfig { compression, batch_bytes, linger, delivery_timeout, .. } = config;
        let limits = Limits { compression, batch_bytes, linger, delivery_timeout };
        let identity = if config.idempotent { Identification::Needed } else { Identification::NotNeeded };
        Sender {
            cluster,
            config,
            events,
            queues: Queues::new(limits),
            work: JoinSet::new(),
            identity,
            flushing: Vec::new(),
            closing: false,
        }
    }

    pub async fn run(mut self) {
        let mut received = Vec::with_capacity(EVENTS_MAX);
        while !self.is_done() {
            self.send_due(Instant::now());
            let due = self.wake_at(Instant::now());
            tokio::select! {
                count = self.events.recv_many(&mut received, EVENTS_MAX), if !self.closing => {
                    self.closing = count == 0;
                    received.drain(..).for_each(|event| self.take(event));
                }
                Some(finished) = self.work.join_next() => self.finish(finished),
                () = sleep_until(due) => {}
            }
            self.finish_flush();
        }
    }

    fn is_done(&self) -> bool {
        self.closing && self.queues.is_empty()
    }

    fn in_a_hurry(&self) -> bool {
        self.closing || !self.flushing.is_empty()
    }

    fn wake_at(&self, now: Instant) -> Instant {
        let next = match self.identity {
            Identification::Needed | Identification::Asked => None,
            Identification::NotNeeded | Identification::Known(_) => {
                self.queues.next_due(now, self.in_a_hurry())
            }
        };
        next.unwrap_or(now + IDLE)
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Append(partition, record) => self.queues.push(partition, record, Instant::now()),
            Event::Flush(flushed) => self.flushing.push(flushed),
        }
    }

    fn finish_flush(&mut self) {
        if self.queues.is_empty() {
            for flushed in self.flushing.drain(..) {
                let _ = flushed.send(());
            }
        }
    }

    fn send_due(&mut self, now: Instant) {
        let identity = match self.identity {
            Identification::NotNeeded => None,
            Identification::Known(identity) => Some(identity),
            Identification::Asked => return,
            Identification::Needed if self.queues.is_empty() => return,
            Identification::Needed => return self.ask_identity(),
        };
        for batch in self.queues.take_expired(now) {
            let error = Error::NoLeader { partition: batch.partition.clone() };
            self.lose(batch, error);
        }
        let due = self.queues.take_due(now, identity, self.in_a_hurry());
        for (leader, batches) in self.by_leader(due) {
            let (cluster, acks) = (self.cluster.clone(), self.config.acks);
            self.work.spawn(async move { Finished::Produced(produce(cluster, leader, acks, batches).await) });
        }
    }

    /// Groups batches by the broker that leads their partitions, in requests of bounded size.
    fn by_leader(&self, due: Vec<Batch>) -> Vec<(Option<BrokerId>, Vec<Batch>)> {
        let metadata = self.cluster.metadata();
        let mut open: HashMap<Option<BrokerId>, (usize, Vec<Batch>)> = HashMap::new();
        let mut full = Vec::new();
        for batch in due {
            let (leader, _) = metadata.leader(&batch.partition);
            let (bytes, batches) = open.entry(leader).or_default();
            if *bytes + batch.size_in_bytes() > REQUEST_BYTES_MAX && !batches.is_empty() {
                full.push((leader, std::mem::take(batches)));
                *bytes = 0;
            }
            *bytes += batch.size_in_bytes();
            batches.push(batch);
        }
        full.extend(open.into_iter().map(|(leader, (_, batches))| (leader, batches)));
        full
    }

    fn finish(&mut self, finished: Result<Finished, JoinError>) {
        match finished {
            Ok(Finished::Produced(outcomes)) => outcomes.into_iter().for_each(|outcome| self.land(outcome)),
            Ok(Finished::Identified(Ok(identity))) => self.identity = Identification::Known(identity),
            Ok(Finished::Identified(Err(error))) => {
                self.identity = Identification::Needed;
                self.queues.take_all().into_iter().for_each(|batch| batch.fail(&error));
            }
            // The runtime is going down, and this task with it.
            Err(_) => self.closing = true,
        }
    }

    fn land(&mut self, Outcome { batch, result }: Outcome) {
        let now = Instant::now();
        let error = match result {
            Ok(appended) => {
                self.queues.landed(&batch.partition);
                return batch.acknowledge(appended);
            }
            Err(error) => error,
        };
        let retry_at = now + self.config.retry.wait(batch.attempts);
        let in_time = retry_at < batch.created_at + self.config.delivery_timeout;
        if error.is_retriable() && in_time {
            tracing::debug!(partition = %batch.partition, %error, "a batch will be sent again");
            return self.queues.put_back(batch, retry_at);
        }
        self.queues.landed(&batch.partition);
        self.lose(batch, error);
    }

    /// Whether a lost batch was appended is not known: what follows it goes under a new identity, so that no leader
    /// takes the gap, or the overlap, for a fault.
    fn lose(&mut self, batch: Batch, error: Error) {
        if batch.was_taken() && matches!(self.identity, Identification::Known(_)) {
            self.identity = Identification::Needed;
        }
        let error = match error.is_retriable() {
            true => Error::DeliveryTimeout {
                partition: batch.partition.clone(),
                after: self.config.delivery_timeout,
                last: Box::new(error),
            },
            false => error,
        };
        batch.fail(&error);
    }

    fn ask_identity(&mut self) {
        self.identity = Identification::Asked;
        let cluster = self.cluster.clone();
        self.work.spawn(async move { Finished::Identified(identify(&cluster).await) });
    }
}

async fn identify(cluster: &Cluster) -> Result<Identity, Error> {
    let mut backoff = cluster.config().retry.start();
    loop {
        match try_identify(cluster).await {
            Err(error) if error.is_retriable() && backoff.wait().await => {}
            identified => return identified,
        }
    }
}

async fn try_identify(cluster: &Cluster) -> Result<Identity, Error> {
    let request = InitProducerIdRequest {
        transactional_id: None,
        transaction_timeout_ms: i32::MAX,
        ..Default::default()
    };
    let answer = cluster.any_broker().await?.send(&request).await?;
    Error::check("InitProducerId", "the producer", answer.error_code, None)?;
    Ok(Identity { producer_id: answer.producer_id, producer_epoch: answer.producer_epoch })
}
