//! Clients: producers and what they wait for.

use std::sync::Arc;
use std::time::Duration;

use broker::replica::ack_waits::AckWait;
use broker::replica::append::{Acks, Moment};
use broker::replica::role::Role;
use fastrand::Rng;
use protocol::ErrorCode;
use protocol::types::LeaderEpoch;

use super::{Weather, World};
use crate::bug::Bug;
use crate::checks::{Checked, violated};
use crate::event::{Content, Event, Message, ProcessId, Produce};
use crate::host::Host;
use crate::producer::Producer;
use crate::temper::{Temper, about};

/// Between two looks of a producer while it has something to send.
const SEND_EVERY: Duration = Duration::from_millis(20);
/// Before a leader that refused is asked again.
const RETRY_BACKOFF: Duration = Duration::from_millis(40);

/// A request that waits for replication.
pub(super) struct Pending {
    broker: usize,
    process: ProcessId,
    partition: i32,
    producer: usize,
    connection: u64,
    batch: usize,
    base_offset: i64,
    values: Vec<u64>,
    wait: Wait,
}

enum Wait {
    Acks(Arc<AckWait>, usize),
    /// For the high watermark to be here (a deliberate bug's duplicates).
    HighWatermark(usize),
}

impl Pending {
    /// Whether it waits at this broker.
    pub(super) fn is_at(&self, broker: usize) -> bool {
        self.broker == broker
    }
}

/// One idempotent producer a partition at least, and one that asks for nothing but the leader.
pub(super) fn producers(rng: &mut Rng, temper: &Temper) -> Vec<Producer> {
    let mut producers = Vec::new();
    for partition in 0..temper.partitions {
        for _ in 0..rng.usize(1..=2) {
            producers.push(Producer::new(producers.len(), partition, true));
        }
        if rng.bool() {
            producers.push(Producer::new(producers.len(), partition, false));
        }
    }
    producers
}

impl World {
    pub(super) fn produce(&mut self, id: usize) -> Checked {
        let produce_every = self.temper.produce_every;
        let again = about(&mut self.rng, produce_every).min(SEND_EVERY);
        self.plan(again, Event::Produce(id));
        let now = self.clock.now();
        let chance = again.as_secs_f64() / produce_every.as_secs_f64();
        if self.weather == Weather::Storm && self.rng.f64() < chance {
            let count = self.rng.u64(1..4);
            let values = (0..count).map(|more| self.next_value + more).collect();
            self.next_value += count;
            self.producers[id].add(values);
        }
        if self.producers[id].is_overdue(now) {
            self.producers[id].reconnect(now);
        }
        self.find_leader(id);
        while let Some((broker, process)) = self.producers[id].broker
            && let Some((batch, records)) = self.producers[id].next_to_send(now)
        {
            let connection = self.producers[id].connection;
            let values = self.producers[id].batches[batch].values.clone();
            let request = Produce { producer: id, connection, process, batch, values, records };
            let at = self.in_order(id);
            let to = Host::Broker(broker);
            let content = Content::Produce(request);
            self.queue.plan(at, Event::Arrives(Message { from: to, to, content }));
        }
        Ok(())
    }

    /// Requests of one connection arrive in order.
    fn in_order(&mut self, id: usize) -> Duration {
        let at = self.clock.now() + self.latency();
        let producer = &mut self.producers[id];
        producer.last_at = producer.last_at.max(at);
        producer.last_at
    }

    /// Asks some broker who leads.
    fn find_leader(&mut self, id: usize) {
        if self.producers[id].broker.is_some() {
            return;
        }
        let asked = self.rng.usize(..self.machines.len());
        let index = self.producers[id].partition as usize;
        let image = self.machines[asked].running.as_ref().map(|running| running.image.clone());
        let partition = image.as_ref().and_then(|image| image.partition(crate::broker::TOPIC, index as i32));
        let newest = self.producers[id].leader_epoch;
        let leads = partition.filter(|partition| partition.has_leader() && partition.leader_epoch >= newest);
        let Some((leader, epoch)) = leads.map(|leads| (leads.leader.0 as usize, leads.leader_epoch)) else {
            return;
        };
        self.producers[id].leader_epoch = epoch;
        if let Some(running) = &self.machines[leader].running {
            self.producers[id].broker = Some((leader, running.id));
        }
    }

    /// A leader is sent a batch.
    pub(super) fn append(&mut self, id: usize, request: Produce) -> Checked {
        let Produce { producer, connection, process, batch, values, records } = request;
        let index = self.producers[producer].partition;
        let is_running = self.machines[id].running.as_ref().is_some_and(|running| running.id == process);
        if !is_running {
            return self.tell(producer, connection, batch, ErrorCode::NetworkException);
        }
        let now = Moment { instant: self.clock.instant(), wall_ms: self.wall_ms(id) };
        let Some(replica) = self.machines[id].running.as_ref().and_then(|running| running.partition(index))
        else {
            return self.tell(producer, connection, batch, ErrorCode::UnknownTopicOrPartition);
        };
        let leads = replica.inspect(|seen| seen.role.is_leader()).unwrap_or_default();
        let key = (id, process, values[0]);
        let remembered =
            self.remembered.get(&key).filter(|_| leads && self.bug == Some(Bug::StaleProducerState));
        let acks = if self.producers[producer].is_idempotent { Acks::All } else { Acks::Leader };
        let mut wait = None;
        let (base_offset, wait) = match remembered {
            Some((base, last)) => (*base, Some(Wait::HighWatermark(*last as usize + 1))),
            None => match replica.append(&records, acks, &mut wait, now) {
                Ok(append) => {
                    let appended = &append.appended;
                    self.remembered.insert(key, (appended.base_offset.0, appended.last_offset.0));
                    let place = append.place.zip(wait).map(|(place, wait)| Wait::Acks(wait, place));
                    (appended.base_offset.0, place)
                }
                Err(error) => {
                    let code = error.code();
                    drop(replica);
                    self.note(|| format!("broker {id} refuses {values:?} for t-{index}: {error}"));
                    self.tell(producer, connection, batch, code)?;
                    return self.touch(id);
                }
            },
        };
        drop(replica);
        self.note(|| {
            format!("broker {id} has t-{index} at {base_offset}: {values:?} of producer {producer}")
        });
        let partition = index;
        match wait {
            Some(wait) => {
                self.pending.push(Pending {
                    broker: id,
                    process,
                    partition,
                    producer,
                    connection,
                    batch,
                    base_offset,
                    values,
                    wait,
                });
                self.touch(id)
            }
            None => {
                self.touch(id)?;
                if acks == Acks::All {
                    self.acknowledge(id, partition, base_offset, &values)?;
                }
                self.tell(producer, connection, batch, ErrorCode::None)
            }
        }
    }

    /// Answers what has come to an end at a broker.
    pub(super) fn settle(&mut self, id: usize) -> Checked {
        let process = self.machines[id].running.as_ref().map(|running| running.id);
        let mut waiting = Vec::new();
        for pending in std::mem::take(&mut self.pending) {
            if pending.broker != id {
                waiting.push(pending);
            } else if process != Some(pending.process) {
                self.tell(pending.producer, pending.connection, pending.batch, ErrorCode::NetworkException)?;
            } else {
                match self.outcome(&pending) {
                    None => waiting.push(pending),
                    Some(error) => {
                        if error == ErrorCode::None {
                            self.acknowledge(id, pending.partition, pending.base_offset, &pending.values)?;
                        }
                        self.tell(pending.producer, pending.connection, pending.batch, error)?;
                    }
                }
            }
        }
        self.pending = waiting;
        Ok(())
    }

    fn outcome(&self, pending: &Pending) -> Option<ErrorCode> {
        match &pending.wait {
            Wait::Acks(wait, place) => {
                let outcome = wait.outcomes()[*place];
                (outcome != ErrorCode::RequestTimedOut).then_some(outcome)
            }
            Wait::HighWatermark(required) => {
                let copy = &self.truth.partitions[pending.partition as usize].copies[pending.broker];
                (copy.high_watermark >= *required).then_some(ErrorCode::None)
            }
        }
    }

    fn acknowledge(&mut self, id: usize, index: i32, base_offset: i64, values: &[u64]) -> Checked {
        let Some(running) = &self.machines[id].running else { return Ok(()) };
        let epoch: Option<LeaderEpoch> = running.partition(index).and_then(|partition| {
            partition.inspect(|seen| match seen.role {
                Role::Leader(leader) => Some(leader.epoch),
                Role::Follower(_) | Role::Unassigned => None,
            })?
        });
        let broker = running.broker;
        self.note(|| format!("broker {id} acknowledges t-{index} at {base_offset}: {values:?}"));
        self.truth.acknowledge(index, broker, epoch, base_offset, values)
    }

    /// Sends an answer to a client.
    fn tell(&mut self, producer: usize, connection: u64, batch: usize, error: ErrorCode) -> Checked {
        let at = self.in_order(producer);
        self.queue.plan(at, Event::Produced { producer, connection, batch, error });
        Ok(())
    }

    pub(super) fn produced(&mut self, id: usize, connection: u64, batch: usize, error: ErrorCode) -> Checked {
        let now = self.clock.now();
        let producer = &mut self.producers[id];
        if producer.connection != connection {
            return Ok(());
        }
        match error {
            ErrorCode::None => producer.acknowledged(batch),
            ErrorCode::OutOfOrderSequenceNumber | ErrorCode::InvalidProducerEpoch
                if producer.is_head(batch) =>
            {
                let index = producer.partition;
                if self.truth.partitions[index as usize].unclean_since.is_none() {
                    return violated(9, format!("producer {id} is refused for good at t-{index}: {error}"));
                }
                producer.begin_anew(&mut self.rng);
                self.refused_for_good += 1;
            }
            _ => producer.reconnect(now + RETRY_BACKOFF),
        }
        Ok(())
    }
}
