//! Made-up images for the tests of this crate, the same for the same seed.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::types::{BrokerId, LeaderEpoch, Uuid};

use crate::change::Change;
use crate::image::{BrokerImage, ClusterImage, ConfigResource, Endpoint, PartitionImage};

/// A small cluster; neighbouring seeds share most of it.
pub(crate) fn image(seed: u64) -> ClusterImage {
    let mut image = ClusterImage {
        cluster_id: "sample".to_owned(),
        revision: seed as i64 + 1,
        controller_epoch: 3,
        ..ClusterImage::default()
    };
    let mut changes = Vec::new();
    for id in (1..6).filter(|id| !one_in(5, mix(seed, *id))) {
        changes.push(Change::BrokerChanged(Arc::new(broker(id as i32, mix(seed, id + 100)))));
    }
    for topic in (0..6).filter(|topic| !one_in(4, mix(seed, 200 + topic))) {
        // Some topics come back under their name with another id.
        let id = Uuid([topic as u8 + 10 * (mix(seed, 300 + topic) % 2) as u8 + 1; 16]);
        changes.push(Change::TopicCreated { name: format!("topic-{topic}"), id });
        for partition in 0..mix(seed, 400 + topic) % 4 {
            let state = Arc::new(self::partition(mix(seed, 500 + 10 * topic + partition) % 3));
            changes.push(Change::PartitionChanged { topic_id: id, partition: partition as i32, state });
        }
        let values = BTreeMap::from([("retention.ms".to_owned(), (mix(seed, topic) % 2).to_string())]);
        let resource = ConfigResource::Topic(format!("topic-{topic}"));
        changes.push(Change::ConfigChanged { resource, values: Arc::new(values) });
    }
    image.apply(&changes).expect("made-up changes fit");
    image
}

fn broker(id: i32, salt: u64) -> BrokerImage {
    BrokerImage {
        id: BrokerId(id),
        epoch: (salt % 2) as i64,
        incarnation: Uuid([id as u8; 16]),
        endpoints: vec![Endpoint {
            listener: "PLAINTEXT".to_owned(),
            host: "127.0.0.1".to_owned(),
            port: 9092,
            security_protocol: "PLAINTEXT".to_owned(),
        }],
        rack: one_in(3, salt).then(|| "a".to_owned()),
        fenced: one_in(7, salt),
        log_dirs: vec![Uuid([9; 16])],
    }
}

fn partition(salt: u64) -> PartitionImage {
    let members = vec![BrokerId(1), BrokerId(2), BrokerId(3)];
    PartitionImage {
        replicas: members.clone(),
        isr: members[..2].to_vec(),
        elr: members[2..].to_vec(),
        leader: BrokerId([1, 2, -1][salt as usize]),
        leader_epoch: LeaderEpoch(salt as i32),
        partition_epoch: salt as i32,
        directories: vec![Uuid::ZERO; 3],
        min_isr: 1,
        ..PartitionImage::default()
    }
}

fn mix(seed: u64, salt: u64) -> u64 {
    // The seed enters coarsely, so that neighbours differ in few places.
    let base = ((seed + salt) / 7) ^ salt.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (base ^ (base >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33
}

fn one_in(n: u64, salt: u64) -> bool {
    salt.is_multiple_of(n)
}
