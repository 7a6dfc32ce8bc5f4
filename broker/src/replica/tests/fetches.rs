//! How followers ask, and what leaders answer.

use std::time::Instant;

use bytes::Bytes;
use protocol::ErrorCode;
use protocol::types::Offset;

use super::cluster::{Cluster, Message, index};
use super::node::bytes_of;
use crate::replica::follower::{Answer, Ask, Divergence};
use crate::replica::read::{Reach, Read};

impl Cluster {
    /// A follower asks its leader, as it knows it.
    pub(super) fn poll(&mut self, node: usize) {
        let follower = &self.nodes[node];
        let Some((leader, leader_epoch)) = follower.follows() else { return };
        let Some(partition) = &follower.partition else { return };
        let position = partition.position(leader_epoch).expect("it follows");
        let ask = Ask { leader_epoch, position };
        let broker_epoch = follower.broker_epoch;
        self.messages.push(Message::Fetch { leader: index(leader), follower: node, broker_epoch, ask });
    }

    pub(super) fn answer(
        &self,
        leader: usize,
        follower: usize,
        broker_epoch: i64,
        ask: &Ask,
    ) -> Option<Answer> {
        let read = Read {
            from: ask.position.log_end,
            bytes_max: 300,
            at_least_one: true,
            reach: Reach::LogEnd(self.nodes[follower].id),
            expected_epoch: Some(ask.leader_epoch),
            last_fetched_epoch: ask.position.last_epoch,
            broker_epoch: Some(broker_epoch),
            log_start: Some(ask.position.log_start),
            asked_at: Instant::now(),
        };
        let nothing = |error| Answer {
            error,
            diverging: None,
            high_watermark: Offset(-1),
            log_start: Offset(-1),
            records: Bytes::new(),
        };
        Some(match self.nodes[leader].partition.as_ref()?.read(&read) {
            Ok(read) => Answer {
                diverging: read.diverging.map(|(epoch, end)| Divergence { epoch, end }),
                high_watermark: read.high_watermark,
                log_start: read.log_start_offset,
                records: read.records.as_ref().map(bytes_of).unwrap_or_default(),
                ..nothing(ErrorCode::None)
            },
            Err(error) => nothing(error.code()),
        })
    }
}
