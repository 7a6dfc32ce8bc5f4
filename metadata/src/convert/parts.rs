//! A delta larger than a gRPC message travels in parts and takes effect as a whole, with the part that says `last`.
//!
//! Invariant: a part stays below [`PUSH_BYTES_MAX`] plus one change, well under `proto::MESSAGE_BYTES_MAX`.

use proto::Message;
use proto::controller::Push;

use super::ConvertError;
use super::from_proto::change_from_proto;
use super::to_proto::change_to_proto;
use crate::change::Change;
use crate::delta::Delta;

/// Where a part ends.
const PUSH_BYTES_MAX: usize = 3 * 1024 * 1024;
/// The most changes of one delta: room for a million partitions and their topics.
const CHANGES_MAX: usize = 4_000_000;

/// The parts of a delta, in order; at least one.
pub fn pushes(delta: &Delta) -> Vec<Push> {
    let mut parts = Vec::new();
    let mut part = empty_part(delta);
    let mut part_bytes = 0;
    for change in delta.changes.iter().map(change_to_proto) {
        let bytes = change.encoded_len();
        if part_bytes + bytes > PUSH_BYTES_MAX && part_bytes > 0 {
            parts.push(std::mem::replace(&mut part, empty_part(delta)));
            part_bytes = 0;
        }
        part_bytes += bytes;
        part.changes.push(change);
    }
    part.last = true;
    parts.push(part);
    parts
}

fn empty_part(delta: &Delta) -> Push {
    Push {
        controller_epoch: delta.controller_epoch,
        controller_id: delta.controller_id,
        whole: delta.from_revision.is_none(),
        from_revision: delta.from_revision.unwrap_or(0),
        to_revision: delta.to_revision,
        changes: Vec::new(),
        last: false,
        cluster_id: delta.cluster_id.clone(),
        timeline: delta.timeline,
        controller_fence: delta.controller_fence,
    }
}

/// Puts the parts of one stream together again.
#[derive(Debug, Default)]
pub struct PushAssembly {
    pending: Option<Delta>,
}

impl PushAssembly {
    /// Takes the next part; gives the delta with its last one.
    pub fn accept(&mut self, push: Push) -> Result<Option<Delta>, ConvertError> {
        let delta = self.pending.get_or_insert_with(|| header(&push));
        if delta.to_revision != push.to_revision {
            return Err(ConvertError::Interleaved { got: push.to_revision, pending: delta.to_revision });
        }
        if delta.changes.len() + push.changes.len() > CHANGES_MAX {
            return Err(ConvertError::TooLarge { max: CHANGES_MAX });
        }
        collect(push.changes, &mut delta.changes)?;
        Ok(if push.last { self.pending.take() } else { None })
    }
}

fn header(push: &Push) -> Delta {
    Delta {
        timeline: push.timeline,
        controller_fence: push.controller_fence,
        controller_epoch: push.controller_epoch,
        controller_id: push.controller_id,
        cluster_id: push.cluster_id.clone(),
        from_revision: (!push.whole).then_some(push.from_revision),
        to_revision: push.to_revision,
        changes: Vec::new(),
    }
}

fn collect(wire: Vec<proto::controller::Change>, changes: &mut Vec<Change>) -> Result<(), ConvertError> {
    for change in wire {
        changes.extend(change_from_proto(change)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::ConfigResource;
    use std::collections::BTreeMap;
    use std::sync::Arc;

    /// A delta of about nine mebibytes.
    fn large() -> Delta {
        let values = Arc::new(BTreeMap::from([("key".to_owned(), "v".repeat(1000))]));
        let config = |n| Change::ConfigChanged {
            resource: ConfigResource::Topic(format!("topic-{n}")),
            values: Arc::clone(&values),
        };
        Delta { to_revision: 5, changes: (0..9000).map(config).collect(), ..Delta::default() }
    }

    #[test]
    fn a_large_delta_travels_in_parts_and_takes_effect_with_the_last() {
        let delta = large();
        let parts = pushes(&delta);
        assert!(parts.len() > 2);
        assert!(parts.iter().all(|part| part.encoded_len() < proto::MESSAGE_BYTES_MAX));
        let mut assembly = PushAssembly::default();
        let count = parts.len();
        for (at, part) in parts.into_iter().enumerate() {
            let whole = assembly.accept(part).unwrap();
            assert_eq!(whole.is_some(), at + 1 == count);
            assert!(whole.is_none_or(|whole| whole == delta));
        }
    }

    #[test]
    fn parts_of_different_pushes_do_not_mix() {
        let mut assembly = PushAssembly::default();
        assert_eq!(assembly.accept(Push { to_revision: 5, ..Push::default() }), Ok(None));
        let mixed = assembly.accept(Push { to_revision: 6, ..Push::default() });
        assert_eq!(mixed, Err(ConvertError::Interleaved { got: 6, pending: 5 }));
    }

    #[test]
    fn a_change_of_an_unknown_kind_is_passed_over() {
        let unknown = proto::controller::Change { change: None };
        let push = Push { changes: vec![unknown], last: true, ..Push::default() };
        let delta = PushAssembly::default().accept(push).unwrap().unwrap();
        assert_eq!(delta.changes, []);
    }
}
