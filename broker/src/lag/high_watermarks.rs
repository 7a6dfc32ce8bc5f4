//! Where the high watermarks of partitions are: of those that this broker leads or follows, here; of the rest, with the
//! leaders, who are asked all at once, each for all of its own.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use client::{Connection, ConnectionConfig, ConnectionError};
use futures_util::future::join_all;
use metadata::image::ClusterImage;
use protocol::ErrorCode;
use protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use protocol::messages::{ListOffsetsRequest, ListOffsetsResponse};
use protocol::types::BrokerId;
use protocol::wire::Str;
use storage::TopicPartition;

use crate::Broker;

/// How long a leader may take to be reached, and then to answer.
const TIME_MAX: Duration = Duration::from_secs(2);

/// What ListOffsets takes for the end of what consumers may read.
const LATEST: i64 = -1;

/// An epoch that is not said, and a consumer's replica id.
const NONE: i32 = -1;

/// Asks, and keeps its connections for the next time.
pub(super) struct HighWatermarks {
    broker: Arc<Broker>,
    connections: BTreeMap<BrokerId, Connection>,
}

type Found = HashMap<TopicPartition, i64>;
type Wanted = BTreeMap<BrokerId, Vec<TopicPartition>>;

impl HighWatermarks {
    pub(super) fn new(broker: Arc<Broker>) -> HighWatermarks {
        HighWatermarks { broker, connections: BTreeMap::new() }
    }

    /// The high watermarks that could be found.
    pub(super) async fn of(&mut self, partitions: impl Iterator<Item = TopicPartition>) -> Found {
        let image = self.broker.image();
        let (mut found, mut elsewhere) = (Found::new(), Wanted::new());
        for at in partitions {
            if found.contains_key(&at) {
                continue;
            }
            let replica = self.broker.replicas.partition(&at.topic, at.partition).ok();
            if let Some(high_watermark) = replica.and_then(|replica| replica.told_high_watermark()) {
                found.insert(at, high_watermark.0);
            } else if let Some(state) = image.partition(&at.topic, at.partition) {
                elsewhere.entry(state.leader).or_default().push(at);
            }
        }
        found.extend(self.ask(&image, elsewhere).await);
        found
    }

    async fn ask(&mut self, image: &ClusterImage, wanted: Wanted) -> Found {
        let mut known = std::mem::take(&mut self.connections);
        let broker = &self.broker;
        let asked = wanted.into_iter().filter(|(leader, _)| *leader != broker.config.broker_id);
        let asked = asked.filter_map(|(leader, partitions)| {
            let address = address(broker, image, leader)?;
            let connection =
                known.remove(&leader).filter(|known| !known.is_closed() && known.address() == address);
            Some(ask_leader(broker, leader, address, connection, partitions))
        });
        let asked: Vec<_> = asked.collect();
        let mut found = Found::new();
        for answered in join_all(asked).await {
            match answered {
                (leader, Ok((connection, high_watermarks))) => {
                    self.connections.insert(leader, connection);
                    found.extend(high_watermarks);
                }
                (leader, Err(error)) => {
                    tracing::debug!(%leader, "the lag of groups is unknown where it leads: {error}");
                }
            }
        }
        found
    }
}

fn address(broker: &Broker, image: &ClusterImage, leader: BrokerId) -> Option<String> {
    let endpoint = image.brokers.get(&leader)?.endpoint(&broker.config.listeners.inter_broker)?;
    let (host, port) = (&endpoint.host, endpoint.port);
    let is_ipv6 = host.contains(':');
    Some(if is_ipv6 { format!("[{host}]:{port}") } else { format!("{host}:{port}") })
}

async fn ask_leader(
    broker: &Broker,
    leader: BrokerId,
    address: String,
    connection: Option<Connection>,
    partitions: Vec<TopicPartition>,
) -> (BrokerId, Result<(Connection, Found), ConnectionError>) {
    let asked = async {
        let connection = match connection {
            Some(connection) => connection,
            None => Connection::connect(&address, &config(broker)).await?,
        };
        let response = connection.send(&request(&partitions)).await?;
        Ok((connection, listed(response)))
    };
    (leader, asked.await)
}

fn config(broker: &Broker) -> ConnectionConfig {
    ConnectionConfig {
        client_id: format!("broker-{}-lag", broker.config.broker_id),
        connect_timeout: TIME_MAX,
        request_timeout: TIME_MAX,
        ..ConnectionConfig::default()
    }
}

/// As a consumer that reads what is not committed asks.
fn request(partitions: &[TopicPartition]) -> ListOffsetsRequest {
    let mut topics = BTreeMap::<&str, Vec<ListOffsetsPartition>>::new();
    for TopicPartition { topic, partition } in partitions {
        let asked = ListOffsetsPartition {
            partition_index: *partition,
            current_leader_epoch: NONE,
            timestamp: LATEST,
        };
        topics.entry(topic).or_default().push(asked);
    }
    let topics =
        topics.into_iter().map(|(name, partitions)| ListOffsetsTopic { name: Str::from(name), partitions });
    ListOffsetsRequest { replica_id: NONE, topics: topics.collect(), ..Default::default() }
}

fn listed(response: ListOffsetsResponse) -> Found {
    let topics = response.topics.into_iter().flat_map(|topic| {
        let name = topic.name;
        let told = topic.partitions.into_iter().filter(|found| found.error_code == ErrorCode::None.code());
        told.map(move |found| (TopicPartition::new(name.as_str(), found.partition_index), found.offset))
    });
    topics.collect()
}
