//! Offsets that nobody needs any more go after `offsets.retention.minutes`, and with the last of them the group (KIP-211).

use protocol::wire::Str;

use super::committed::{CommittedOffset, OffsetKey};
use crate::group::machine::classic::Retention;
use crate::group::machine::groups::{Group, Groups};
use crate::group::machine::notice::Notice;
use crate::group::machine::records::CoordinatorRecord;
use crate::group::machine::turn::{Now, Turn};

impl Groups {
    /// Looks at every group once.
    pub(in crate::group::machine) fn expire(&mut self, turn: &mut Turn<'_>) {
        let (now, retention_ms) = (turn.now, millis(turn.settings.offsets_retention));
        let due: Vec<Due> = self
            .iter()
            .map(|(id, group)| self.due(id, group, now, retention_ms))
            .filter(Due::is_some)
            .collect();
        let (offsets, groups) =
            due.iter().fold((0, 0), |sum, due| (sum.0 + due.offsets.len(), sum.1 + usize::from(due.group)));
        for due in due {
            self.remove_due(due, turn);
        }
        if offsets + groups > 0 {
            turn.notice(Notice::Expired { groups, offsets });
        }
    }

    fn due(&self, id: &Str, group: &Group, now: Now, retention_ms: i64) -> Due {
        let retention = group.classic.retention();
        let subscribed = group.classic.subscriptions_of_topics();
        let is_due = |key: &OffsetKey, committed: &CommittedOffset| {
            !subscribed.contain(&key.topic)
                && is_expired(committed, &retention, now.wall_ms, retention_ms)
                && !self.in_flight.contains(key)
                && !self.transactions.contains(key)
        };
        let (mut offsets, mut all) = (Vec::new(), 0);
        for (topic, partitions) in group.offsets.topics() {
            for (partition, committed) in partitions {
                all += 1;
                let key = OffsetKey { group: id.clone(), topic: topic.clone(), partition: *partition };
                if is_due(&key, committed) {
                    offsets.push(key);
                }
            }
        }
        let used =
            self.in_flight.of_group(id).next().is_some() || self.transactions.of_group(id).next().is_some();
        Due { id: id.clone(), group: offsets.len() == all && !used && group.classic.is_forsaken(), offsets }
    }

    fn remove_due(&mut self, due: Due, turn: &mut Turn<'_>) {
        self.remove_offsets(&due.id, due.offsets, turn);
        if due.group {
            self.end_group(due.id, Vec::<CoordinatorRecord>::new(), None, turn);
        }
    }
}

/// What goes of one group.
struct Due {
    id: Str,
    offsets: Vec<OffsetKey>,
    /// Nothing remains, so the group itself goes.
    group: bool,
}

impl Due {
    fn is_some(&self) -> bool {
        self.group || !self.offsets.is_empty()
    }
}

/// A commit with an expiry of its own goes by that.
fn is_expired(committed: &CommittedOffset, retention: &Retention, now_ms: i64, retention_ms: i64) -> bool {
    let since_ms = match retention {
        Retention::Keep => return false,
        Retention::SinceCommit => committed.commit_timestamp_ms,
        Retention::SinceEmpty(since_ms) => *since_ms,
    };
    match committed.expire_timestamp_ms {
        Some(at_ms) => now_ms >= at_ms,
        None => now_ms.saturating_sub(since_ms) >= retention_ms,
    }
}

fn millis(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
