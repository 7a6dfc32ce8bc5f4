//! What the brokers said of the cluster: plain data.

use client::LogDirDescription;
use protocol::types::BrokerId;

/// The cluster as one of its brokers knows it, and what each broker says of its own directories.
#[derive(Clone, Debug, Default)]
pub struct Census {
    pub cluster_id: String,
    /// By id.
    pub brokers: Vec<BrokerSeen>,
    pub topics: usize,
    /// By topic and index.
    pub partitions: Vec<PartitionSeen>,
}

/// One registered broker.
#[derive(Clone, Debug)]
pub struct BrokerSeen {
    pub id: BrokerId,
    pub rack: Option<String>,
    /// `host:port`.
    pub address: String,
    /// Registered, but neither named to clients nor elected.
    pub fenced: bool,
    /// None: it did not answer.
    pub dirs: Option<Vec<LogDirDescription>>,
}

/// One partition.
#[derive(Clone, Debug, Default)]
pub struct PartitionSeen {
    pub topic: String,
    pub index: i32,
    pub leader: Option<BrokerId>,
    pub replicas: Vec<BrokerId>,
    pub isr: Vec<BrokerId>,
    pub elr: Vec<BrokerId>,
    /// `min.insync.replicas`; known where a replica is out of sync.
    pub min_isr: Option<usize>,
}
