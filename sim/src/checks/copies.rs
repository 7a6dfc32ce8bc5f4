//! What is in each replica's log, and how its offsets stand.

use broker::replica::inspect::Inspected;
use broker::replica::partition::Partition;
use broker::replica::role::Role;
use protocol::records::batches;
use protocol::types::{BrokerId, LeaderEpoch, Offset};
use storage::log::Log;

use super::{Checked, PartitionTruth, Violation, violated};
use crate::broker::bytes_of;
use crate::event::ProcessId;

/// One record, as a log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub epoch: LeaderEpoch,
    pub value: u64,
    /// −1: not of an idempotent producer.
    pub producer_id: i64,
    pub sequence: i32,
}

/// One replica, as it was when it was looked at last. A dead one's is what its page cache holds.
#[derive(Clone, Debug, Default)]
pub struct Copy {
    process: ProcessId,
    pub records: Vec<Record>,
    pub high_watermark: usize,
    /// Up to here it was compared with what others show.
    compared: usize,
    /// The epoch in which it led when it was looked at last.
    led: Option<LeaderEpoch>,
    /// Whether this process began with fewer pages than the last one had.
    began_without_pages: bool,
}

impl Copy {
    /// Nothing that was shown before counts any more.
    pub(super) fn forget(&mut self) {
        self.compared = 0;
        self.led = None;
    }

    /// Whether it was seen to lead in this epoch.
    pub(super) fn leads_in(&self, epoch: LeaderEpoch) -> bool {
        self.led == Some(epoch)
    }

    /// Whether it holds these values from this offset on.
    pub(super) fn holds(&self, base_offset: usize, values: &[u64]) -> bool {
        let held = self.records.iter().skip(base_offset).map(|record| record.value);
        held.take(values.len()).eq(values.iter().copied())
    }
}

/// How a replica stands just now.
struct Seen {
    led: Option<LeaderEpoch>,
    epoch: LeaderEpoch,
    is_below_min_isr: bool,
    high_watermark: usize,
    end: usize,
    /// Records behind those that are known.
    new: Vec<Record>,
    known: usize,
}

impl PartitionTruth {
    /// Looks at a replica after whatever happened to it. Whether its log was cut.
    pub fn look(
        &mut self,
        name: &str,
        broker: BrokerId,
        process: ProcessId,
        lost_pages: bool,
        partition: &Partition,
    ) -> Checked<bool> {
        let copy = &mut self.copies[broker.0 as usize];
        let began = copy.process != process;
        if began {
            *copy = Copy { process, began_without_pages: lost_pages, ..Copy::default() };
        }
        let (known, min_isr) = (copy.records.len(), self.min_isr);
        let Some(seen) = partition.inspect(|inspected| see(name, inspected, known, min_isr)) else {
            return Ok(false);
        };
        let seen = seen?;
        let was_cut = self.check_cut(name, broker, &seen)?;
        self.take_in(name, broker, &seen)?;
        self.check_high_watermark(name, broker, &seen, began || was_cut)?;
        self.check_visible(name, broker, &seen)?;
        self.check_leader(name, broker, &seen)?;
        Ok(was_cut)
    }

    /// Safety rule 6: nothing is cut below its own high watermark but after an unclean election, or where pages were lost.
    fn check_cut(&mut self, name: &str, broker: BrokerId, seen: &Seen) -> Checked<bool> {
        let excused = self.unclean_since.is_some();
        let copy = &mut self.copies[broker.0 as usize];
        if seen.known == copy.records.len() {
            return Ok(false);
        }
        let (end, high_watermark) = (seen.known, copy.high_watermark);
        copy.records.truncate(end);
        copy.compared = copy.compared.min(end);
        if end < high_watermark && !excused && !copy.began_without_pages {
            return violated(
                6,
                format!("{broker} cut {name} to {end}, below its high watermark {high_watermark}"),
            );
        }
        copy.high_watermark = high_watermark.min(end);
        Ok(true)
    }

    /// Safety rules 3 and 9: one leader per epoch wrote all of it; each producer's records are in order and without gaps.
    fn take_in(&mut self, name: &str, broker: BrokerId, seen: &Seen) -> Checked {
        for record in &seen.new {
            let records = &mut self.copies[broker.0 as usize].records;
            let offset = records.len();
            let written = *self.written.entry((record.epoch, offset)).or_insert(record.value);
            if written != record.value {
                let Record { epoch, value, .. } = record;
                return violated(
                    3,
                    format!("epoch {epoch} has {written} at {name} offset {offset}, and {value} on {broker}"),
                );
            }
            let is_one_of = |other: &&Record| other.producer_id == record.producer_id;
            let before = records.iter().rev().find(is_one_of).map_or(-1, |before| before.sequence);
            let follows = record.producer_id < 0 || record.sequence == before + 1;
            if !follows && self.unclean_since.is_none() {
                let Record { producer_id, sequence, .. } = record;
                return violated(
                    9,
                    format!(
                        "{broker} has {name} offset {offset}: producer {producer_id} wrote {sequence} after {before}"
                    ),
                );
            }
            records.push(record.clone());
        }
        debug_assert_eq!(self.copies[broker.0 as usize].records.len(), seen.end);
        Ok(())
    }

    /// A high watermark never goes back, and does not move below `min.insync.replicas` (safety rule 14).
    fn check_high_watermark(
        &mut self,
        name: &str,
        broker: BrokerId,
        seen: &Seen,
        is_another: bool,
    ) -> Checked {
        let copy = &mut self.copies[broker.0 as usize];
        let (before, now) =
            (std::mem::replace(&mut copy.high_watermark, seen.high_watermark), seen.high_watermark);
        if is_another {
            return Ok(());
        }
        if now < before {
            return violated(
                2,
                format!("the high watermark of {name} on {broker} went from {before} to {now}"),
            );
        }
        let goes_on = seen.led.is_some() && copy.led == seen.led;
        if now > before && goes_on && seen.is_below_min_isr {
            return violated(
                14,
                format!("{name} on {broker}: {before} to {now} with too few in sync (epoch {})", seen.epoch),
            );
        }
        Ok(())
    }

    /// Safety rule 2: what one shows is what any other showed.
    fn check_visible(&mut self, name: &str, broker: BrokerId, seen: &Seen) -> Checked {
        let since = self.unclean_since;
        if since.is_some_and(|since| seen.led.is_none_or(|led| led < since)) {
            return Ok(());
        }
        let copy = &mut self.copies[broker.0 as usize];
        for offset in copy.compared..seen.high_watermark {
            let value = copy.records[offset].value;
            match self.visible.get(offset) {
                None => self.visible.push(value),
                Some(shown) if *shown == value => {}
                Some(shown) => {
                    return violated(
                        2,
                        format!("{broker} shows {value} at {name} offset {offset}, where {shown} was shown"),
                    );
                }
            }
        }
        copy.compared = copy.compared.max(seen.high_watermark);
        Ok(())
    }

    /// Safety rules 1 and 3: whoever leads was elected in that epoch, and has all that was acknowledged.
    fn check_leader(&mut self, name: &str, broker: BrokerId, seen: &Seen) -> Checked {
        let copy = &mut self.copies[broker.0 as usize];
        let led_before = std::mem::replace(&mut copy.led, seen.led);
        let Some(epoch) = seen.led.filter(|_| seen.led != led_before) else { return Ok(()) };
        if self.leaders.get(&epoch) != Some(&broker) {
            let elected = self.leaders.get(&epoch);
            return violated(3, format!("{broker} leads {name} in epoch {epoch}; elected was {elected:?}"));
        }
        if epoch != self.state.leader_epoch {
            return Ok(());
        }
        let copy = &self.copies[broker.0 as usize];
        for (offset, value) in &self.acknowledged {
            if !copy.holds(*offset as usize, &[*value]) {
                let held = copy.records.get(*offset as usize);
                return violated(
                    1,
                    format!(
                        "{broker} leads {name} in epoch {epoch} without {value}, acknowledged at {offset}: {held:?}"
                    ),
                );
            }
        }
        Ok(())
    }
}

fn see(name: &str, inspected: Inspected, known: usize, min_isr: usize) -> Checked<Seen> {
    let Inspected { role, high_watermark, last_stable_offset, log } = inspected;
    let (start, end) = (log.log_start_offset(), log.log_end_offset());
    if !(start <= last_stable_offset && last_stable_offset <= high_watermark && high_watermark <= end) {
        return violated(8, format!("{name}: {start} {last_stable_offset} {high_watermark} {end}"));
    }
    let (led, is_below_min_isr) = match role {
        Role::Leader(leader) if leader.epoch_start.is_some() => {
            (Some(leader.epoch), leader.isr.len() < min_isr)
        }
        Role::Leader(_) | Role::Follower(_) | Role::Unassigned => (None, false),
    };
    let (known, end) = (known.min(index(end)), index(end));
    let new = read(log, known)?;
    Ok(Seen {
        led,
        epoch: role.epoch(),
        is_below_min_isr,
        high_watermark: index(high_watermark),
        end,
        new,
        known,
    })
}

/// All records from an offset on.
fn read(log: &mut Log, from: usize) -> Checked<Vec<Record>> {
    let mut records = Vec::new();
    let broken = |error: &dyn std::fmt::Display| Violation(format!("a log cannot be read: {error}"));
    loop {
        let (at, end) = (Offset((from + records.len()) as i64), log.log_end_offset());
        if at >= end {
            return Ok(records);
        }
        let slice = log.read(at, usize::MAX, end, true).map_err(|error| broken(&error))?;
        let Some(range) = slice.range else { return Ok(records) };
        for batch in batches(&bytes_of(&range)) {
            let batch = batch.map_err(|error| broken(&error))?;
            let header = batch.header;
            for (number, record) in batch.records(usize::MAX).map_err(|error| broken(&error))?.enumerate() {
                let record = record.map_err(|error| broken(&error))?;
                if record.offset < at {
                    continue;
                }
                let value = record.value.as_deref().and_then(|value| value.try_into().ok());
                records.push(Record {
                    epoch: header.partition_leader_epoch,
                    value: value.map(u64::from_be_bytes).unwrap_or_default(),
                    producer_id: header.producer_id,
                    sequence: header.base_sequence + number as i32,
                });
            }
        }
    }
}

fn index(offset: Offset) -> usize {
    usize::try_from(offset.0).unwrap_or_default()
}
