//! What is written to the store.

use metadata::embedded::state::Batch;
use metadata::image::PartitionImage;
use metadata::keys::admitted_broker::AdmittedBroker;
use metadata::keys::{Key, partition};
use metadata::store::WatchEvent;
use protocol::types::BrokerId;

use super::{Checked, PartitionTruth, Truth, Violation, violated};
use crate::broker::TOPIC_ID;
use crate::store::PREFIX;

/// What a commit changed that others have to know.
#[derive(Debug, Default)]
pub struct Committed {
    /// Lines for the history.
    pub lines: Vec<String>,
    /// Partitions whose new leader may lack acknowledged records, and is known to.
    pub unclean: Vec<i32>,
}

impl Truth {
    /// Looks at all changes of one revision, before they are known to anybody.
    pub fn committed(&mut self, batch: &Batch) -> Checked<Committed> {
        let mut committed = Committed::default();
        let lost_pages: Vec<BrokerId> = self.lost_pages.keys().copied().collect();
        self.revision = self.revision.max(batch.revision);
        for event in &batch.events {
            match (Key::parse(PREFIX, event.key()), event) {
                (Some(Key::AdmittedBroker(id)), WatchEvent::Put(entry)) => {
                    let admitted = AdmittedBroker::decode(id, &entry.value);
                    let admitted = admitted.map_err(|error| Violation(error.to_string()))?;
                    committed.lines.push(format!(
                        "{id} is {} under epoch {}",
                        if admitted.fenced { "fenced" } else { "admitted" },
                        admitted.epoch
                    ));
                    self.admit(id, &admitted)?;
                }
                (Some(Key::Controller), WatchEvent::Put(entry)) => {
                    committed.lines.push(format!("/controller: {}", String::from_utf8_lossy(&entry.value)));
                }
                (Some(key), WatchEvent::Deleted { .. }) => committed.lines.push(format!("{key} is gone")),
                (Some(Key::Broker(id)), WatchEvent::Put(entry)) => {
                    committed.lines.push(format!("{id} registers as {}", entry.create_revision));
                }
                _ => {}
            }
        }
        for event in &batch.events {
            if let WatchEvent::Put(entry) = event
                && let Some(Key::Partition(TOPIC_ID, index)) = Key::parse(PREFIX, &entry.key)
            {
                let new = partition::decode(TOPIC_ID, index, &entry.value);
                let new = new.map_err(|error| Violation(error.to_string()))?;
                committed.lines.push(format!("t-{index}: {}", describe(&new)));
                if self.partitions[index as usize].commit(index, new, &lost_pages)? {
                    committed.unclean.push(index);
                }
            }
        }
        Ok(committed)
    }

    /// Whether so many brokers were admitted.
    pub fn has_admitted(&self, brokers: usize) -> bool {
        self.admitted.len() == brokers
    }

    /// Safety rule 7: whoever lost pages is in no ISR and no ELR when it is admitted.
    fn admit(&mut self, id: BrokerId, admitted: &AdmittedBroker) -> Checked {
        let known = self.admitted.insert(id, admitted.epoch);
        let Some(loss) = self.lost_pages.get(&id).copied().filter(|_| !admitted.fenced) else {
            return Ok(());
        };
        if known == Some(admitted.epoch) || admitted.epoch <= loss.at {
            return Ok(());
        }
        for (index, PartitionTruth { state, .. }) in self.partitions.iter().enumerate() {
            if loss.is_real && (state.isr.contains(&id) || state.elr.contains(&id)) {
                let state = describe(state);
                return violated(7, format!("{id} lost pages and is admitted, yet t-{index} is {state}"));
            }
        }
        self.lost_pages.remove(&id);
        Ok(())
    }
}

impl PartitionTruth {
    /// Safety rules 3 and 4. Whether the election is an unclean one.
    fn commit(&mut self, index: i32, new: PartitionImage, lost_pages: &[BrokerId]) -> Checked<bool> {
        let old = std::mem::replace(&mut self.state, new);
        let new = &self.state;
        if old.replicas.is_empty() {
            return Ok(false);
        }
        let (was, is) = (describe(&old), describe(new));
        if new.partition_epoch != old.partition_epoch + 1 {
            return violated(4, format!("t-{index} was overwritten: {was}, then {is}"));
        }
        let changed = new.leader != old.leader;
        if new.leader_epoch.0 != old.leader_epoch.0 + i32::from(changed) {
            return violated(
                3,
                format!("t-{index}: the leader epoch does not count leaders: {was}, then {is}"),
            );
        }
        if let Some(what) = new.broken_invariant() {
            return violated(3, format!("t-{index}: {what}: {is}"));
        }
        if !changed || !new.has_leader() {
            return Ok(false);
        }
        self.leaders.insert(new.leader_epoch, new.leader);
        let was_counted_on = old.isr.contains(&new.leader) || old.elr.contains(&new.leader);
        if was_counted_on {
            return Ok(false);
        }
        let nobody_is_left = old.isr.iter().chain(&old.elr).all(|member| lost_pages.contains(member));
        if !nobody_is_left || old.last_known_elr != [new.leader] {
            return violated(1, format!("t-{index}: an unclean election without need: {was}, then {is}"));
        }
        self.unclean_since = Some(new.leader_epoch);
        self.acknowledged.clear();
        self.visible.clear();
        self.written.clear();
        self.copies.iter_mut().for_each(|copy| copy.forget());
        Ok(true)
    }
}

/// A partition's state in one line.
pub fn describe(state: &PartitionImage) -> String {
    let ids = |ids: &[BrokerId]| ids.iter().map(|id| id.0.to_string()).collect::<Vec<_>>().join(" ");
    let PartitionImage { leader, leader_epoch, partition_epoch, isr, elr, last_known_elr, .. } = state;
    let mut text = format!("led by {leader} in epoch {leader_epoch}.{partition_epoch}, isr [{}]", ids(isr));
    if !elr.is_empty() {
        text += &format!(", elr [{}]", ids(elr));
    }
    if !last_known_elr.is_empty() {
        text += &format!(", last led by [{}]", ids(last_known_elr));
    }
    text
}
