//! The broker: serves Kafka clients, keeps partitions, coordinates groups, and obeys the controller.
//!
//! Every part is reached through [`Broker`]; `net` feeds requests to `api`, whose handlers call the parts.

use std::sync::Arc;

use metadata::image::ClusterImage;
use tokio::sync::watch;

pub mod config;
pub mod link;

use crate::config::BrokerConfig;
use crate::link::ControllerLink;

/// One running broker: its parts, shared by every connection.
pub struct Broker {
    pub config: BrokerConfig,
    /// The newest image that the controller pushed; parts await its changes.
    pub image: watch::Sender<Arc<ClusterImage>>,
    pub link: ControllerLink,
}

impl Broker {
    /// The newest image that the controller pushed.
    pub fn image(&self) -> Arc<ClusterImage> {
        self.image.borrow().clone()
    }
}
