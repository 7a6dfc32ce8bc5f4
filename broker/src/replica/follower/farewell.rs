//! Tells a leader that is fenced, or gone by the image, but may well live, that a later epoch has begun: it may be cut off from the
//! controllers, and its clients wait (`replica::standing_down`). Who is live hears it from the controller.
//!
//! A courtesy: it is said once, and where it does not arrive nothing is lost but time. One connection for each leader at a
//! time; what comes up meanwhile goes by the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use client::{Connection, ConnectionConfig, ConnectionError};
use metadata::image::{ClusterImage, PartitionImage};
use parking_lot::Mutex;
use protocol::types::{BrokerId, LeaderEpoch};
use tokio::task::JoinSet;

use super::ask::PartitionKey;
use super::assignment::Change;
use super::fetcher::CONNECT_TIME_MAX;
use super::request::{self, Sender};
use crate::Broker;

/// The epochs that have begun, by partition.
pub type Later = BTreeMap<PartitionKey, LeaderEpoch>;

/// What is still to be said, by leader; an entry stands as long as a task says it.
type Unsaid = Arc<Mutex<BTreeMap<BrokerId, Later>>>;

/// Which leaders of `old`, none of which `new` knows as live, have lost what.
pub fn deposed(changes: &[Change], old: &ClusterImage, new: &ClusterImage) -> BTreeMap<BrokerId, Later> {
    let mut deposed = BTreeMap::<BrokerId, Later>::new();
    for key in changes.iter().map(Change::key) {
        let (Some(before), Some(after)) = (state(old, &key), state(new, &key)) else { continue };
        let has_lost = before.leader != after.leader && before.leader_epoch < after.leader_epoch;
        if has_lost && before.has_leader() && !new.is_live(before.leader) {
            deposed.entry(before.leader).or_default().insert(key, after.leader_epoch);
        }
    }
    deposed
}

fn state<'a>(image: &'a ClusterImage, key: &PartitionKey) -> Option<&'a PartitionImage> {
    let at = usize::try_from(key.index).ok()?;
    Some(image.topic_by_id(key.topic)?.partitions.get(at)?)
}

/// All that is being said; it is unsaid when this is dropped.
pub struct Farewells {
    broker: Arc<Broker>,
    unsaid: Unsaid,
    tasks: JoinSet<()>,
}

impl Farewells {
    pub fn new(broker: Arc<Broker>) -> Farewells {
        Farewells { broker, unsaid: Unsaid::default(), tasks: JoinSet::new() }
    }

    /// Says it, beside whatever else is done.
    pub fn say(&mut self, leader: BrokerId, address: String, later: Later) {
        while self.tasks.try_join_next().is_some() {}
        let mut unsaid = self.unsaid.lock();
        if let Some(more) = unsaid.get_mut(&leader) {
            more.extend(later);
            return;
        }
        unsaid.insert(leader, later);
        let (broker, unsaid) = (self.broker.clone(), self.unsaid.clone());
        self.tasks.spawn(async move {
            if let Err(error) = say_all(&broker, leader, &address, &unsaid).await {
                tracing::debug!(%leader, %address, "not told that it leads no more: {error}");
                unsaid.lock().remove(&leader);
            }
        });
    }
}

async fn say_all(
    broker: &Broker,
    leader: BrokerId,
    address: &str,
    unsaid: &Unsaid,
) -> Result<(), ConnectionError> {
    let config = ConnectionConfig {
        client_id: format!("broker-{}-farewell", broker.config.broker_id),
        connect_timeout: CONNECT_TIME_MAX,
        request_timeout: CONNECT_TIME_MAX,
        ..ConnectionConfig::default()
    };
    let connection = Connection::connect(address, &config).await?;
    while let Some(later) = next(unsaid, leader) {
        let sender = Sender { broker: broker.config.broker_id, broker_epoch: broker.link.broker_epoch() };
        // What it answers is of no interest: it has heard.
        connection.send(&request::farewell(sender, &later)).await?;
    }
    Ok(())
}

/// What is to be said next; with the last of it the entry goes.
fn next(unsaid: &Unsaid, leader: BrokerId) -> Option<Later> {
    let mut unsaid = unsaid.lock();
    let later = std::mem::take(unsaid.get_mut(&leader)?);
    if later.is_empty() {
        unsaid.remove(&leader);
        return None;
    }
    Some(later)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replica::follower::assignment::changes;
    use metadata::image::{BrokerImage, TopicImage};
    use protocol::types::Uuid;

    const ME: BrokerId = BrokerId(2);
    const ID: Uuid = Uuid([7; 16]);

    /// One partition of replicas 1 to 3, and who is live.
    fn image(leader: i32, epoch: i32, live: &[i32]) -> ClusterImage {
        let replicas = vec![BrokerId(1), ME, BrokerId(3)];
        let partition = PartitionImage {
            isr: replicas.clone(),
            replicas,
            leader: BrokerId(leader),
            leader_epoch: LeaderEpoch(epoch),
            ..PartitionImage::default()
        };
        let topic = TopicImage { name: "t".into(), id: ID, partitions: vec![Arc::new(partition)] };
        let broker =
            |id: &i32| (BrokerId(*id), Arc::new(BrokerImage { id: BrokerId(*id), ..Default::default() }));
        ClusterImage {
            topics: [("t".to_owned(), Arc::new(topic))].into(),
            topic_names: [(ID, "t".to_owned())].into(),
            brokers: live.iter().map(broker).collect(),
            ..ClusterImage::default()
        }
    }

    fn told(old: &ClusterImage, new: &ClusterImage) -> Vec<(i32, i32)> {
        let deposed = deposed(&changes(ME, old, new), old, new);
        let told = deposed.iter().flat_map(|(leader, later)| later.values().map(|epoch| (leader.0, epoch.0)));
        told.collect()
    }

    #[test]
    fn only_a_leader_that_does_not_hear_the_controller_is_told() {
        let old = image(1, 4, &[1, 2, 3]);
        assert_eq!(told(&old, &image(3, 5, &[2, 3])), [(1, 5)]);
        assert_eq!(told(&old, &image(2, 5, &[2, 3])), [(1, 5)], "this broker leads now");
        assert_eq!(told(&old, &image(-1, 5, &[2, 3])), [(1, 5)], "nobody does");
        assert_eq!(told(&old, &image(3, 5, &[1, 2, 3])), [], "it hears the controller itself");
        assert_eq!(told(&old, &image(1, 5, &[1, 2, 3])), [], "it leads again");
        assert_eq!(told(&old, &ClusterImage::default()), []);
    }
}
