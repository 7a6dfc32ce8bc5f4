//! The leaders to which an answer sends its client: whether they are there, and who takes the place of those that were lost.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use metadata::image::{ClusterImage, TopicImage};
use protocol::types::BrokerId;
use tokio::time::{Instant, timeout_at};

use super::super::cluster_view::{ClusterView, NoLeader, Outlook};
use super::Asked;
use crate::Broker;

/// So long an answer is held back where a leader was lost and no other is known yet.
const HELD_BACK_MAX: Duration = Duration::from_millis(250);

/// Looks whether the leaders to which the answer will send the client are there. Who asks for everything is no producer or
/// consumer in search of a leader.
pub(super) async fn look_for_leaders(broker: &Broker, asked: &Asked) {
    let (image, this) = (broker.image(), broker.config.broker_id);
    let listener = &broker.config.listeners.inter_broker;
    let others = leaders(&image, asked).into_iter().filter(|leader| *leader != this);
    let looks = others.filter_map(|leader| {
        let endpoint = image.brokers.get(&leader)?.endpoint(listener)?;
        Some(broker.unreachable_peers.look_for(leader, &endpoint.host, endpoint.port))
    });
    join_all(looks).await;
}

/// Waits a moment for the leaders that take the place of those that were lost: mostly they are known some tens of milliseconds
/// later. A client that is told of none, or once more of one that died, looks again a second later (librdkafka).
pub(super) async fn outlook_with_leaders(broker: &Broker, listener: &str, asked: &Asked) -> Outlook {
    let (deadline, mut images) = (Instant::now() + HELD_BACK_MAX, broker.image.subscribe());
    loop {
        let outlook = Outlook::of(broker);
        if !has_lost_leaders(outlook.through(listener), asked) {
            return outlook;
        }
        let Ok(Ok(())) = timeout_at(deadline, images.changed()).await else { return outlook };
    }
}

/// Whether a partition that is asked for has a leader, and not one to which clients can be sent.
fn has_lost_leaders(view: ClusterView<'_>, asked: &Asked) -> bool {
    let is_lost = |topic: &TopicImage, index: usize| {
        topic.partitions[index].leader.known().is_some()
            && view.leader(topic, index) == Err(NoLeader::NotAvailable)
    };
    let topics = topics(view.image, asked);
    topics.iter().any(|topic| (0..topic.partitions.len()).any(|index| is_lost(topic, index)))
}

/// Who leads the partitions of the topics that are asked for by name or id.
fn leaders(image: &ClusterImage, asked: &Asked) -> BTreeSet<BrokerId> {
    let topics = topics(image, asked);
    let partitions = topics.iter().flat_map(|topic| &topic.partitions);
    partitions.filter_map(|partition| partition.leader.known()).collect()
}

/// The topics that are asked for by name or id.
fn topics<'a>(image: &'a ClusterImage, asked: &Asked) -> Vec<&'a TopicImage> {
    match asked {
        Asked::All => Vec::new(),
        Asked::Names(names) => {
            names.iter().filter_map(|name| image.topic(name)).map(|topic| &**topic).collect()
        }
        Asked::Ids(ids) => ids.iter().filter_map(|id| image.topic_by_id(*id)).map(|topic| &**topic).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::sample::{CLIENTS, image, outlook, topic_id, with_topic};

    #[test]
    fn the_leaders_of_what_is_asked_for_are_looked_for() {
        let image = with_topic(with_topic(image(), "b", &[1, 3]), "a", &[2, -1]);
        let looked_for =
            |asked| leaders(&image, &asked).into_iter().map(|leader| leader.0).collect::<Vec<_>>();
        assert_eq!(looked_for(Asked::Names(vec!["b".into(), "c".into()])), [1, 3]);
        assert_eq!(looked_for(Asked::Ids(vec![topic_id("a")])), [2]);
        assert!(looked_for(Asked::All).is_empty());
    }

    #[test]
    fn a_leader_that_is_there_or_was_never_is_not_waited_for() {
        let outlook = outlook(with_topic(with_topic(image(), "a", &[1, -1, 3]), "b", &[1, 2]));
        let is_lost = |asked| has_lost_leaders(outlook.through(CLIENTS), &asked);
        assert!(!is_lost(Asked::Names(vec!["a".into()])));
        assert!(is_lost(Asked::Names(vec!["a".into(), "b".into()])), "broker 2 is fenced");
        assert!(is_lost(Asked::Ids(vec![topic_id("b")])));
        assert!(!is_lost(Asked::All));
    }
}
