//! From writes to batches: what a shard wants written at one time goes to the log together, as far as a batch may grow.

use std::sync::Arc;
use std::time::Duration;

use protocol::ErrorCode;
use protocol::records::Compression;
use protocol::types::{LeaderEpoch, Offset};
use tokio::time::Instant;

use super::in_flight::{Batch, InFlight};
use super::log::{CoordinatorLog, batch_of, coordinator_error};
use super::machine::{KeyValue, Write, Written};

/// A batch takes another write up to here. A single write may be larger; `max.message.bytes` of the topic bounds it.
const BATCH_BYTES_MAX: usize = 256 << 10;

/// Appends for one shard.
pub struct Appender {
    pub log: Arc<dyn CoordinatorLog>,
    pub partition: i32,
    /// By which this broker leads the partition.
    pub epoch: LeaderEpoch,
    pub compression: Compression,
    /// `offsets.commit.timeout.ms`
    pub commit_timeout: Duration,
}

/// Writes that become one batch.
#[derive(Default)]
struct Group {
    records: Vec<KeyValue>,
    bytes: usize,
    /// Each with the place of its first record.
    writes: Vec<(usize, Write)>,
}

impl Appender {
    /// Appends the writes in their order; returns those that ended at once, the failed ones among them.
    pub fn append(&self, writes: Vec<Write>, now_ms: i64, in_flight: &mut InFlight) -> Vec<(Write, Written)> {
        let mut ended = Vec::new();
        let mut group = Group::default();
        for write in writes {
            match encode(&write) {
                Ok(records) => {
                    if group.is_full_for(&records) {
                        ended.extend(self.append_group(std::mem::take(&mut group), now_ms, in_flight));
                    }
                    group.push(write, records);
                }
                Err(error) => ended.push((write, Err(error))),
            }
        }
        ended.extend(self.append_group(group, now_ms, in_flight));
        ended
    }

    fn append_group(&self, group: Group, now_ms: i64, in_flight: &mut InFlight) -> Vec<(Write, Written)> {
        if group.records.is_empty() {
            return group.writes.into_iter().filter_map(|(_, write)| join(write, in_flight)).collect();
        }
        let appended = match in_flight.is_full() {
            true => Err(ErrorCode::CoordinatorNotAvailable),
            false => batch_of(&group.records, self.compression, now_ms)
                .and_then(|batch| self.log.append(self.partition, self.epoch, batch)),
        };
        match appended {
            Ok(appending) => {
                let base = appending.base_offset;
                let placed = |(at, write): (usize, Write)| (base + i64::try_from(at).unwrap_or(0), write);
                let writes = group.writes.into_iter().map(placed).collect();
                let deadline = Some(Instant::now() + self.commit_timeout);
                in_flight.push(Batch { committed: appending.committed, writes, deadline });
                Vec::new()
            }
            Err(error) => {
                let error = coordinator_error(error);
                group.writes.into_iter().map(|(_, write)| (write, Err(error))).collect()
            }
        }
    }
}

impl Group {
    fn is_full_for(&self, records: &[KeyValue]) -> bool {
        self.bytes > 0 && self.bytes + bytes_of(records) > BATCH_BYTES_MAX
    }

    fn push(&mut self, write: Write, records: Vec<KeyValue>) {
        self.writes.push((self.records.len(), write));
        self.bytes += bytes_of(&records);
        self.records.extend(records);
    }
}

/// A write without records ends with the newest batch, or now if all are committed.
fn join(write: Write, in_flight: &mut InFlight) -> Option<(Write, Written)> {
    in_flight.join(write).map(|write| (write, Ok(Offset::UNKNOWN)))
}

fn encode(write: &Write) -> Result<Vec<KeyValue>, ErrorCode> {
    let encoded: Result<Vec<KeyValue>, _> = write.records.iter().map(|record| record.encode()).collect();
    encoded.map_err(|_| ErrorCode::UnknownServerError)
}

fn bytes_of(records: &[KeyValue]) -> usize {
    records.iter().map(|record| record.key.len() + record.value.as_ref().map_or(0, |value| value.len())).sum()
}
