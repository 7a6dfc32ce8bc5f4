//! A small cluster for the tests of handlers: broker 1 lives, broker 2 is fenced, broker 3 has another listener.

use std::sync::Arc;

use metadata::image::{BrokerImage, ClusterImage, Endpoint, PartitionImage, TopicImage};
use protocol::types::{BrokerId, LeaderEpoch, Uuid};

use super::cluster_view::Outlook;

/// The listener of brokers 1 and 2.
pub(super) const CLIENTS: &str = "CLIENTS";
/// The one log directory that each broker has.
pub(super) const DIRECTORY: Uuid = Uuid([1; 16]);

pub(super) fn image() -> ClusterImage {
    let brokers = [broker(1, false, CLIENTS), broker(2, true, CLIENTS), broker(3, false, "INTERNAL")];
    let brokers = brokers.into_iter().map(|broker| (broker.id, broker)).collect();
    ClusterImage { cluster_id: "cluster".into(), brokers, ..ClusterImage::default() }
}

/// An image, where nothing else is known.
pub(super) fn outlook(image: ClusterImage) -> Outlook {
    Outlook { image: Arc::new(image), ..Outlook::default() }
}

/// Adds a topic whose partitions have these leaders, and all brokers and a stranger for replicas.
pub(super) fn with_topic(mut image: ClusterImage, name: &str, leaders: &[i32]) -> ClusterImage {
    let id = topic_id(name);
    let partitions = leaders.iter().map(|leader| Arc::new(led_by(*leader))).collect();
    image.topics.insert(name.into(), Arc::new(TopicImage { name: name.into(), id, partitions }));
    image.topic_names.insert(id, name.into());
    image
}

/// The id of a topic, by the first byte of its name.
pub(super) fn topic_id(name: &str) -> Uuid {
    Uuid([name.as_bytes()[0]; 16])
}

pub(super) fn led_by(leader: i32) -> PartitionImage {
    let replicas = [1, 2, 3, 4].map(BrokerId).to_vec();
    PartitionImage {
        isr: vec![BrokerId(1)],
        directories: vec![DIRECTORY, Uuid::ZERO, Uuid::ZERO, Uuid::ZERO],
        replicas,
        leader: BrokerId(leader),
        leader_epoch: LeaderEpoch(5),
        ..PartitionImage::default()
    }
}

fn broker(id: i32, fenced: bool, listener: &str) -> Arc<BrokerImage> {
    let endpoint = Endpoint {
        listener: listener.into(),
        host: format!("host{id}"),
        port: 9092,
        security_protocol: "PLAINTEXT".into(),
    };
    let (id, endpoints, log_dirs) = (BrokerId(id), vec![endpoint], vec![DIRECTORY]);
    Arc::new(BrokerImage { id, fenced, endpoints, log_dirs, ..BrokerImage::default() })
}
