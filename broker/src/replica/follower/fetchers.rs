//! Follows the image: which partitions are fetched from which broker, by `num.replica.fetchers` connections each, and by one
//! more for those that catch up, until they have.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use metadata::configs::Layers;
use metadata::image::{BrokerImage, ClusterImage};
use node::shutdown::Shutdown;
use protocol::types::BrokerId;
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};

use super::ask::PartitionKey;
use super::assignment::{Change, Lane, changes};
use super::background::Background;
use super::farewell::{Farewells, deposed};
use super::fetcher::{Assigned, Fetcher};
use super::followed::Followed;
use super::places::{CaughtUp, Place, Placed, Places};
use super::roster::Following;
use crate::Broker;
use crate::config::DynamicConfig;
use crate::metrics::replication::FetcherLag;

/// So many answers may wait that brought partitions to their leaders' high watermarks.
const CAUGHT_UP_MAX: usize = 16;

/// Every fetcher of this broker (Kafka's ReplicaFetcherManager).
struct Fetchers {
    broker: Arc<Broker>,
    running: BTreeMap<Place, Running>,
    /// Where each partition is fetched.
    places: Places,
    tasks: JoinSet<()>,
    /// Of those that catch up.
    background: Background,
    /// Where these say what has caught up.
    caught_up: mpsc::Sender<Vec<CaughtUp>>,
    farewells: Farewells,
}

struct Running {
    assigned: watch::Sender<Assigned>,
    task: AbortHandle,
}

/// Fetches what the newest image assigns, until shutdown.
pub async fn run(broker: Arc<Broker>, shutdown: Shutdown) {
    let mut images = broker.image.subscribe();
    let (caught_up, mut arrivals) = mpsc::channel(CAUGHT_UP_MAX);
    let mut fetchers = Fetchers {
        farewells: Farewells::new(broker.clone()),
        places: Places::new(broker.config.at_start.fetchers),
        broker,
        running: BTreeMap::new(),
        tasks: JoinSet::new(),
        background: Background::default(),
        caught_up,
    };
    let mut image = Arc::new(ClusterImage::default());
    images.mark_changed();
    loop {
        tokio::select! {
            changed = images.changed() => {
                if changed.is_err() {
                    break;
                }
                let new = images.borrow_and_update().clone();
                fetchers.follow(&image, &new);
                image = new;
            }
            Some(arrived) = arrivals.recv() => fetchers.move_arrived(&image, &arrived),
            () = shutdown.requested() => break,
        }
    }
    fetchers.tasks.shutdown().await;
}

impl Fetchers {
    fn follow(&mut self, old: &ClusterImage, new: &ClusterImage) {
        let changes = changes(self.broker.config.broker_id, old, new);
        self.say_farewell(old, new, &changes);
        self.spread_over(self.wanted(new));
        for change in changes {
            match change {
                Change::Follow { key, leader, leader_epoch, lane } => {
                    let place = self.places.place(&key, leader, lane);
                    self.assign(key, Placed { place, leader_epoch });
                }
                Change::Unfollow(key) => self.withdraw(&key),
            }
        }
        self.end_idle();
        self.update_addresses(new);
    }

    /// Fetches what has caught up beside what is in sync.
    fn move_arrived(&mut self, image: &ClusterImage, arrived: &[CaughtUp]) {
        for caught_up in arrived {
            if let Some(placed) = self.places.of_caught_up(caught_up) {
                self.assign(caught_up.key, placed);
            }
        }
        self.end_idle();
        self.update_addresses(image);
    }

    /// Those whose stream to the controller may be cut hear from here that they lead no more.
    fn say_farewell(&mut self, old: &ClusterImage, new: &ClusterImage, changes: &[Change]) {
        for (leader, later) in deposed(changes, old, new) {
            if let Some(address) = self.last_address(old, leader) {
                self.farewells.say(leader, address, later);
            }
        }
    }

    /// How many fetchers each leader is to have.
    fn wanted(&self, image: &ClusterImage) -> usize {
        let config = &self.broker.config;
        let layers = Layers::of(image, Some(config.broker_id), &config.statics);
        DynamicConfig::resolve(config, layers).map_or(self.places.per_leader(), |config| config.fetchers)
    }

    /// Moves every partition to where it belongs among so many fetchers.
    fn spread_over(&mut self, per_leader: usize) {
        let before = self.places.per_leader();
        if per_leader == before {
            return;
        }
        tracing::info!(from = before, to = per_leader, "num.replica.fetchers changes");
        for (key, placed) in self.places.spread_over(per_leader) {
            self.assign(key, placed);
        }
    }

    /// Has a partition fetched there and nowhere else. Where it is already it goes on.
    fn assign(&mut self, key: PartitionKey, placed: Placed) {
        let before = self.places.get(&key);
        if before == Some(placed) {
            return;
        }
        let Placed { place, leader_epoch } = placed;
        if before.is_some_and(|before| before.place != place) {
            self.withdraw(&key);
        }
        // A replica that can't be opened is hosted all the same; one that is not has left again in a later image.
        let Ok(partition) = self.broker.replicas.partition_by_id(key.topic, key.index) else { return };
        let lag = FetcherLag::new(place.leader, place.index, &partition.at);
        let following = Following { leader_epoch, replica: Arc::new(Followed { partition, lag }) };
        self.places.set(key, placed);
        let running = self.running(place);
        running.assigned.send_modify(|assigned| {
            assigned.partitions.insert(key, following);
        });
    }

    fn withdraw(&mut self, key: &PartitionKey) {
        let Some(Placed { place, .. }) = self.places.remove(key) else { return };
        if let Some(running) = self.running.get(&place) {
            running.assigned.send_modify(|assigned| {
                assigned.partitions.remove(key);
            });
        }
    }

    /// The fetcher of this place; begun if there is none.
    fn running(&mut self, place: Place) -> &Running {
        self.running.entry(place).or_insert_with(|| {
            let (assigned, told) = watch::channel(Assigned::default());
            let (broker, caught_up) = (self.broker.clone(), self.caught_up.clone());
            let fetcher = Fetcher::new(broker, place.leader, place.lane, told, caught_up);
            let task = match place.lane {
                Lane::InSync => self.tasks.spawn(fetcher.run()),
                Lane::CatchingUp => self.background.spawn(&mut self.tasks, fetcher.run()),
            };
            Running { assigned, task }
        })
    }

    fn end_idle(&mut self) {
        self.running.retain(|_, running| {
            let idle = running.assigned.borrow().partitions.is_empty();
            if idle {
                running.task.abort();
            }
            !idle
        });
        while self.tasks.try_join_next().is_some() {}
    }

    fn update_addresses(&mut self, image: &ClusterImage) {
        let leaders: BTreeSet<BrokerId> = self.running.keys().map(|place| place.leader).collect();
        let addresses: BTreeMap<_, _> =
            leaders.into_iter().map(|leader| (leader, self.address(image, leader))).collect();
        for (place, running) in &self.running {
            let address = addresses.get(&place.leader).cloned().flatten();
            running.assigned.send_if_modified(|assigned| {
                let modified = assigned.address != address;
                assigned.address = address;
                modified
            });
        }
    }

    /// Where other brokers reach it.
    fn address(&self, image: &ClusterImage, broker: BrokerId) -> Option<String> {
        self.address_of(image.brokers.get(&broker)?)
    }

    /// Where it was reached, if it may have left the cluster meanwhile.
    fn last_address(&self, old: &ClusterImage, broker: BrokerId) -> Option<String> {
        let departed = self.broker.departed_peers.now();
        let departed = departed.iter().find(|departed| departed.id == broker);
        self.address_of(old.brokers.get(&broker).or(departed)?)
    }

    fn address_of(&self, broker: &BrokerImage) -> Option<String> {
        let endpoint = broker.endpoint(&self.broker.config.listeners.inter_broker)?;
        let host = &endpoint.host;
        let is_ipv6 = host.contains(':');
        Some(if is_ipv6 {
            format!("[{host}]:{}", endpoint.port)
        } else {
            format!("{host}:{}", endpoint.port)
        })
    }
}
