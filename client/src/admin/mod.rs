//! Calls that change or describe the cluster.
//!
//! * `topics`, `records`, `configs`, `log_dirs`: what brokers keep.
//! * `groups`: what the coordinators of groups keep.
//!
//! Every broker takes most of them and passes on what it does not decide itself; what only one broker knows (its own
//! configs and directories, the groups that it coordinates, the partitions that it leads) is asked of that one.

mod configs;
mod groups;
mod log_dirs;
mod records;
mod topics;

use std::time::Duration;

use protocol::messages::{DescribeClusterRequest, DescribeClusterResponse};
use protocol::types::BrokerId;
use protocol::wire::Request;

pub use configs::{
    ConfigChange, ConfigDetail, ConfigEntry, ConfigOperation, ConfigResource, ConfigResourceType,
    ConfigSource, ConfigSynonym,
};
pub use groups::{CommittedOffset, GroupDescription, GroupListing, GroupMember};
pub use log_dirs::{LogDirDescription, ReplicaDescription};
pub use records::HIGH_WATERMARK;
pub use topics::{NewTopic, TopicDescription, TopicPartitionDescription};

use crate::{Cluster, Error, Lane};

/// See the module.
#[derive(Clone, Debug)]
pub struct Admin {
    cluster: Cluster,
}

impl Admin {
    pub fn new(cluster: Cluster) -> Admin {
        Admin { cluster }
    }

    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// The cluster's id and its brokers, on demand with those that are registered but fenced.
    pub async fn describe_cluster(&self, fenced_too: bool) -> Result<DescribeClusterResponse, Error> {
        let request = DescribeClusterRequest { include_fenced_brokers: fenced_too, ..Default::default() };
        let answer = self.call(&request).await?;
        Error::check("DescribeCluster", "the cluster", answer.error_code, answer.error_message.as_deref())?;
        Ok(answer)
    }

    async fn call<R: Request>(&self, request: &R) -> Result<R::Response, Error> {
        Ok(self.cluster.any_broker().await?.send_within(request, self.patience()).await?)
    }

    async fn call_broker<R: Request>(&self, broker: BrokerId, request: &R) -> Result<R::Response, Error> {
        let connection = self.cluster.broker(broker, Lane::Requests).await?;
        Ok(connection.send_within(request, self.patience()).await?)
    }

    /// How long the cluster may take over a change before it answers.
    fn change_timeout(&self) -> Duration {
        self.cluster.config().retry.time_max
    }

    fn change_timeout_ms(&self) -> i32 {
        i32::try_from(self.change_timeout().as_millis()).unwrap_or(i32::MAX)
    }

    /// How long an answer is waited for.
    fn patience(&self) -> Duration {
        self.change_timeout() + self.cluster.config().connection.request_timeout
    }
}
