//! What followers say of later epochs, to leaders that may not have heard: true words, late ones, and lies.

use std::sync::Arc;
use std::time::Instant;

use metadata::image::PartitionImage;
use protocol::types::{LeaderEpoch, Offset};

use super::cluster::{Cluster, Message};
use crate::replica::read::{Reach, Read};
use crate::replica::role::{Role, UNCONFIRMED_MAX};

impl Cluster {
    /// A node takes an image, and if it leaves a leader by it says so.
    pub(super) fn take_image(&mut self, node: usize, broker_epoch: i64, image: &Arc<PartitionImage>) {
        let Some(taking) = self.started(node, broker_epoch) else { return };
        let (left, Some(partition)) = (taking.follows(), taking.partition.clone()) else { return };
        partition.assume(image, Instant::now());
        if let Some((leader, epoch)) = left
            && epoch < image.leader_epoch
            && leader != image.leader
        {
            let leader = super::cluster::index(leader);
            self.messages.push(Message::Farewell { leader, follower: node, epoch: image.leader_epoch });
        }
    }

    /// Anybody may claim anything.
    pub(super) fn lie(&mut self, follower: usize) {
        let leader = self.rng.usize(..self.nodes.len());
        let epoch = LeaderEpoch(self.truth.leader_epoch.0 + self.rng.i32(0..3));
        self.messages.push(Message::Farewell { leader, follower, epoch });
    }

    pub(super) fn hear_farewell(&mut self, leader: usize, follower: usize, epoch: LeaderEpoch) {
        let read = Read {
            from: Offset(-1),
            bytes_max: 0,
            at_least_one: true,
            reach: Reach::LogEnd(self.nodes[follower].id),
            expected_epoch: Some(epoch),
            last_fetched_epoch: None,
            broker_epoch: Some(self.nodes[follower].broker_epoch),
            log_start: None,
            asked_at: Instant::now(),
        };
        if let Some(partition) = &self.nodes[leader].partition {
            partition.read(&read).expect_err("there is nothing to read");
            self.stood_down += usize::from(partition.lock().later_epoch().is_some());
        }
    }

    /// Nobody has confirmed what it was told.
    pub(super) fn forget_farewells(&mut self, node: usize) {
        let Some(partition) = &self.nodes[node].partition else { return };
        if let Role::Leader(leader) = &mut partition.lock().role
            && let Some(later) = &mut leader.later
        {
            later.heard_at -= UNCONFIRMED_MAX;
        }
    }
}
