//! The way to the store and back.

use std::time::Duration;

use metadata::embedded::state::Batch;
use metadata::image::{ConfigResource, PartitionImage};
use metadata::keys::topic::TopicRecord;
use metadata::keys::{Key, config, partition};
use protocol::types::{BrokerId, Uuid};

use super::{BROKERS, World};
use crate::broker::{TOPIC, TOPIC_ID};
use crate::checks::Checked;
use crate::event::{CallId, Event};
use crate::host::Host;
use crate::store::PREFIX;

/// How long a caller waits for an answer.
const CALL_TIME_MAX: Duration = Duration::from_millis(1500);
/// Between two looks for expired leases.
const LEASES_EVERY: Duration = Duration::from_millis(50);
/// How long a watch without a way to its watcher is kept.
const STALL: Duration = Duration::from_millis(200);
const STALLS_MAX: u32 = 8;
/// Segments hold a few batches, so that they roll often.
const SEGMENT_BYTES: &str = "700";

impl World {
    /// A topic that nobody leads yet, and whose replicas are all in sync, for they are empty.
    pub(super) fn found_cluster(&mut self) -> Checked {
        let config = [
            ("segment.bytes", SEGMENT_BYTES.to_owned()),
            ("min.insync.replicas", self.temper.min_isr.to_string()),
        ];
        let config = config.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let record = TopicRecord { topic_id: TOPIC_ID, partitions: self.temper.partitions };
        let mut entries = vec![
            (Key::ClusterId, b"simulated".to_vec()),
            (Key::Topic(TOPIC.to_owned()), record.encode()),
            (Key::Config(ConfigResource::Topic(TOPIC.to_owned())), config::encode(&config)),
        ];
        for index in 0..self.temper.partitions {
            entries
                .push((Key::Partition(TOPIC_ID, index), partition::encode(&new_partition(index as usize))));
        }
        let entries = entries.into_iter().map(|(key, value)| (key.path(PREFIX), value)).collect();
        match self.store.found(entries) {
            Some(batch) => self.committed(Host::Store, &batch),
            None => Ok(()),
        }
    }

    /// Takes up the calls that were just made, and the messages that watches have for somebody.
    pub(super) fn post(&mut self) {
        let sent: Vec<_> = self.outbox.lock().drain(..).collect();
        for (host, request, asker) in sent {
            let call = self.store.sent(host, request, asker);
            self.plan(CALL_TIME_MAX, Event::CallTimesOut(call));
            let (at, lost) = (self.latency(), self.temper.lost / 4);
            if !self.befalls(lost) {
                self.plan(at, Event::ToStore(call));
            }
        }
        for watch in self.store.watches.take_due() {
            let at = self.clock.now() + self.latency();
            let Some(watching) = self.store.watches.get(watch) else { continue };
            watching.last_at = watching.last_at.max(at);
            let at = watching.last_at;
            self.queue.plan(at, Event::Watch(watch));
        }
    }

    pub(super) fn call_arrives(&mut self, id: CallId) -> Checked {
        let Some(from) = self.store.call(id).map(|call| call.from) else { return Ok(()) };
        if !self.store.is_up || self.network.is_cut(from, Host::Store) {
            return Ok(());
        }
        let now = self.clock.now();
        if let Some(batch) = self.store.carry_out(id, now) {
            self.committed(from, &batch)?;
        }
        let (at, lost) = (self.latency(), self.temper.lost / 4);
        if !self.befalls(lost) {
            self.plan(at, Event::FromStore(id));
        }
        self.post();
        Ok(())
    }

    pub(super) fn call_ends(&mut self, id: CallId, in_time: bool) -> Checked {
        let Some(to) = self.store.call(id).map(|call| call.from) else { return Ok(()) };
        let reaches = in_time && !self.network.is_cut(to, Host::Store);
        if in_time && !reaches {
            return Ok(());
        }
        self.store.settle(id, in_time);
        self.wake(to)
    }

    pub(super) fn watch_arrives(&mut self, id: u64) -> Checked {
        let Some(watching) = self.store.watches.get(id) else { return Ok(()) };
        let owner = watching.owner;
        if self.network.is_cut(owner, Host::Store) || !self.store.is_up {
            watching.stalls += 1;
            match watching.stalls <= STALLS_MAX {
                true => self.plan(STALL, Event::Watch(id)),
                false => self.store.watches.lose(id),
            }
        } else {
            self.store.watches.deliver(id);
        }
        self.wake(owner)
    }

    pub(super) fn expire_leases(&mut self) -> Checked {
        self.plan(LEASES_EVERY, Event::Leases);
        let now = self.clock.now();
        while self.store.is_up
            && let Some(batch) = self.store.expire(now)
        {
            self.note(|| "a lease has expired".to_owned());
            self.committed(Host::Store, &batch)?;
        }
        self.post();
        Ok(())
    }

    /// Something stands in the store by now.
    pub(super) fn committed(&mut self, by: Host, batch: &Batch) -> Checked {
        let committed = self.truth.committed(batch)?;
        for line in committed.lines {
            self.note(|| format!("{by} commits at {}: {line}", batch.revision));
        }
        for index in committed.unclean {
            self.note(|| {
                format!("t-{index}: the election is unclean, and what was acknowledged may be lost")
            });
            for producer in self.producers.iter_mut().filter(|producer| producer.partition == index) {
                producer.begin_anew(&mut self.rng);
            }
        }
        Ok(())
    }

    /// Lets a host go on, unless it stands still.
    pub(super) fn wake(&mut self, host: Host) -> Checked {
        if self.network.is_paused(host) {
            return Ok(());
        }
        match host {
            Host::Broker(id) => self.wake_broker(id),
            Host::Controller(id) => self.wake_controller(id),
            Host::Store => Ok(()),
        }
    }
}

fn new_partition(first: usize) -> PartitionImage {
    let replicas: Vec<BrokerId> = (0..BROKERS).map(|id| BrokerId(((first + id) % BROKERS) as i32)).collect();
    PartitionImage {
        directories: vec![Uuid::ZERO; replicas.len()],
        isr: replicas.clone(),
        replicas,
        leader: BrokerId::NONE,
        ..PartitionImage::default()
    }
}
