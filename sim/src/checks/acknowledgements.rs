//! What clients were told.

use protocol::types::{BrokerId, LeaderEpoch};

use super::{Checked, PartitionTruth, Truth, violated};

impl Truth {
    /// A leader acknowledges records to a client that asked for all (safety rules 1 and 5).
    pub fn acknowledge(
        &mut self,
        index: i32,
        leader: BrokerId,
        epoch: Option<LeaderEpoch>,
        base_offset: i64,
        values: &[u64],
    ) -> Checked {
        let lost_pages: Vec<BrokerId> = self.lost_pages.keys().copied().collect();
        let partition = &mut self.partitions[index as usize];
        if partition.unclean_since.is_some_and(|since| epoch.is_none_or(|epoch| epoch < since)) {
            return Ok(());
        }
        partition.note(index, base_offset, values)?;
        let PartitionTruth { state, copies, .. } = partition;
        if epoch != Some(state.leader_epoch) {
            return partition.check_new_leader(index, base_offset, values);
        }
        for member in state.isr.iter().filter(|member| !lost_pages.contains(member)) {
            if !copies[member.0 as usize].holds(base_offset as usize, values) {
                return violated(
                    5,
                    format!(
                        "{leader} acknowledges {values:?} at t-{index} offset {base_offset}, which {member} of its ISR lacks"
                    ),
                );
            }
        }
        Ok(())
    }
}

impl PartitionTruth {
    fn note(&mut self, index: i32, base_offset: i64, values: &[u64]) -> Checked {
        for (offset, value) in (base_offset..).zip(values) {
            let known = *self.acknowledged.entry(offset).or_insert(*value);
            if known != *value {
                return violated(
                    1,
                    format!("{value} is acknowledged at t-{index} offset {offset}, where {known} was"),
                );
            }
        }
        Ok(())
    }

    /// A deposed leader acknowledges: whoever leads by now must have it too.
    fn check_new_leader(&self, index: i32, base_offset: i64, values: &[u64]) -> Checked {
        let leader = self.state.leader;
        let Some(copy) = self.copies.get(usize::try_from(leader.0).unwrap_or(usize::MAX)) else {
            return Ok(());
        };
        if copy.leads_in(self.state.leader_epoch) && !copy.holds(base_offset as usize, values) {
            return violated(
                1,
                format!(
                    "{values:?} are acknowledged at t-{index} offset {base_offset}, but {leader} leads without them"
                ),
            );
        }
        Ok(())
    }
}
