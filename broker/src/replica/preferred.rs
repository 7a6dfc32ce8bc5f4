//! From which replica a consumer had best read (KIP-392), as its leader sees it.

use protocol::types::{BrokerId, Offset};

use super::partition::{LogState, Partition};
use super::role::Role;

/// A follower that a consumer may be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readable {
    pub replica: BrokerId,
    pub log_end: Offset,
}

/// The one with the longest log of those in the consumer's rack.
pub fn in_rack(readable: &[Readable], is_in_rack: impl Fn(BrokerId) -> bool) -> Option<BrokerId> {
    let near = readable.iter().filter(|readable| is_in_rack(readable.replica));
    near.max_by_key(|readable| readable.log_end).map(|readable| readable.replica)
}

impl Partition {
    /// The followers that have the offset, where this broker leads. Only those in sync: a consumer must not fall behind with a
    /// replica that does.
    pub fn readable_followers(&self, offset: Offset) -> Vec<Readable> {
        let state = self.lock();
        let (LogState::Open(_), Role::Leader(leader)) = (&state.log, &state.role) else { return Vec::new() };
        let in_sync = leader.isr.iter().copied().filter(|&id| id != self.broker);
        let readable = in_sync.filter_map(|replica| {
            let log_end = state.followers.log_end(replica).filter(|&end| end >= offset)?;
            let has_it = state.followers.log_start(replica).is_some_and(|start| start <= offset);
            has_it.then_some(Readable { replica, log_end })
        });
        readable.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_log_of_the_rack_is_read() {
        let readable = [(1, 50), (2, 70), (3, 90)]
            .map(|(id, log_end)| Readable { replica: BrokerId(id), log_end: Offset(log_end) });
        assert_eq!(in_rack(&readable, |id| id.0 < 3), Some(BrokerId(2)));
        assert_eq!(in_rack(&readable, |_| false), None);
    }
}
