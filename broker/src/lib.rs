//! The broker: serves Kafka clients, keeps partitions, coordinates groups, and obeys the controller.
//!
//! Every part is reached through [`Broker`]; `net` feeds requests to `api`, whose handlers call the parts.

use std::sync::Arc;

use ::metadata::image::ClusterImage;
use tokio::sync::watch;

pub mod api;
pub mod client_activity;
pub mod config;
pub mod departed_peers;
pub mod fetch;
pub mod group;
mod hand_over;
mod in_order;
mod internal_topics;
pub mod lag;
pub mod link;
pub mod metrics;
pub mod net;
pub mod readiness;
pub mod replica;
pub mod server;
mod stage;
pub mod unreachable_peers;

use crate::client_activity::ClientActivity;
use crate::config::BrokerConfig;
use crate::departed_peers::DepartedPeers;
use crate::fetch::sessions::FetchSessions;
use crate::group::GroupCoordinator;
use crate::lag::Lags;
use crate::link::ControllerLink;
use crate::replica::Replicas;
use crate::stage::Stage;
use crate::unreachable_peers::UnreachablePeers;

/// One running broker: its parts, shared by every connection.
pub struct Broker {
    pub config: BrokerConfig,
    /// The newest image that the controller pushed; parts await its changes.
    pub image: watch::Sender<Arc<ClusterImage>>,
    pub link: ControllerLink,
    pub replicas: Arc<Replicas>,
    pub fetch_sessions: FetchSessions,
    pub groups: Arc<GroupCoordinator>,
    /// Who left lately, and is on the list still.
    pub departed_peers: Arc<DepartedPeers>,
    /// How far it is.
    stage: Stage,
    /// How far the groups that it coordinates lie behind.
    pub lags: Lags,
    /// To whom clients are not sent for the moment.
    pub unreachable_peers: UnreachablePeers,
    /// What catches up leaves them the time.
    pub client_activity: ClientActivity,
}

impl Broker {
    /// The newest image that the controller pushed.
    pub fn image(&self) -> Arc<ClusterImage> {
        self.image.borrow().clone()
    }
}
