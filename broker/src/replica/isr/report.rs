//! Tells of each replica that is out of sync why it is, when that changes, and counts them.

use std::collections::BTreeMap;

use protocol::types::BrokerId;

use super::leader::Circumstances;
use crate::replica::approach::OutOfSync;
use crate::replica::followers::Followers;
use crate::replica::partition::Partition;
use crate::replica::role::Role;

/// What was last told of a partition's replicas; those in sync are not in it.
pub type Told = BTreeMap<BrokerId, OutOfSync>;

impl Partition {
    /// Why each replica out of the ISR is there; nothing where this broker does not lead.
    pub(super) fn out_of_sync(&self, circumstances: &Circumstances) -> Vec<OutOfSync> {
        let mut state = self.lock();
        let judged = match &state.role {
            Role::Leader(leader) if leader.isr.len() < leader.replicas.len() => {
                let out = leader.replicas.iter().copied().filter(|id| !leader.isr.contains(id));
                let out = out.collect::<Vec<_>>();
                let followers = &mut state.followers;
                out.into_iter().map(|id| (id, judge(followers, id, circumstances))).collect()
            }
            _ if state.out_of_sync.is_empty() => return Vec::new(),
            _ => Told::new(),
        };
        let before = std::mem::replace(&mut state.out_of_sync, judged.clone());
        drop(state);
        self.tell(&before, &judged);
        judged.into_values().collect()
    }

    fn tell(&self, before: &Told, now: &Told) {
        let partition = &self.at;
        for (replica, cause) in now.iter().filter(|(id, cause)| before.get(id) != Some(cause)) {
            tracing::info!(%partition, %replica, cause = cause.name(), "out of sync");
        }
        for replica in before.keys().filter(|id| !now.contains_key(id)) {
            tracing::info!(%partition, %replica, "out of sync no more, or no longer followed from here");
        }
    }
}

fn judge(followers: &mut Followers, id: BrokerId, circumstances: &Circumstances) -> OutOfSync {
    match (circumstances.registered)(id) {
        Some(_) => followers.judge(id, circumstances.lag_time_max, circumstances.now),
        None => OutOfSync::Stuck,
    }
}
