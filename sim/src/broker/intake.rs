//! Pushes: checked as the real link checks them, shown to the replicas, and then the image.

use std::sync::Arc;
use std::time::Instant;

use broker::link::intake::{Refusal, take};
use metadata::change::Change;
use metadata::delta::Delta;
use metadata::image::{ClusterImage, PartitionImage};
use protocol::types::BrokerId;

use super::Process;
use crate::bug::Bug;

/// What became of a push.
#[derive(Debug, PartialEq)]
pub enum Intake {
    Taken {
        revision: i64,
    },
    /// The stream is to be opened anew.
    Refused(Refusal),
}

impl Process {
    /// Takes a push in at a time.
    pub fn take(&mut self, mut delta: Delta, bug: Option<Bug>, now: Instant) -> Intake {
        if bug == Some(Bug::HighWatermarkBelowMinIsr) {
            delta.changes.iter_mut().for_each(forget_min_isr);
        }
        let taken = match take(&self.newest, &self.image, &delta) {
            Err(Refusal::StaleController { .. } | Refusal::WentBack { .. })
                if bug == Some(Bug::OldPushAccepted) && delta.from_revision.is_none() =>
            {
                let blank = ClusterImage::default().advanced_by(&delta);
                blank.map_err(Refusal::from)
            }
            taken => taken,
        };
        match taken {
            Ok(image) => self.show(Arc::new(image), now),
            Err(refusal) => {
                self.resumes = !matches!(refusal, Refusal::Missed(_));
                Intake::Refused(refusal)
            }
        }
    }

    fn show(&mut self, new: Arc<ClusterImage>, now: Instant) -> Intake {
        let old = std::mem::replace(&mut self.image, Arc::clone(&new));
        self.resumes = true;
        self.newest.take(&new);
        self.replicas.apply_at(&old, &new, now);
        self.forget_gone_brokers(&old, &new);
        let named = new.brokers.get(&self.broker).map(|broker| broker.epoch);
        if named != self.broker_epoch() {
            self.doubt_registration();
        }
        Intake::Taken { revision: new.revision }
    }

    /// A high watermark must not wait for a follower whose broker has died.
    fn forget_gone_brokers(&self, old: &ClusterImage, new: &ClusterImage) {
        let gone: Vec<BrokerId> =
            old.live_brokers().map(|broker| broker.id).filter(|&id| !new.is_live(id)).collect();
        if !gone.is_empty() {
            self.replicas.all().iter().for_each(|partition| partition.brokers_gone(&gone));
        }
    }
}

fn forget_min_isr(change: &mut Change) {
    if let Change::PartitionChanged { state, .. } = change {
        *state = Arc::new(PartitionImage { min_isr: 1, ..(**state).clone() });
    }
}
