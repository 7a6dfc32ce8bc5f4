//! The stage: hosts in network namespaces of their own, a disk for each broker, and the processes on them.
//!
//! All of it lives inside the namespaces that [`inside`] enters, so that nothing outlives this process, however it ends.

mod client;
mod cluster;
mod disk;
pub mod inside;
mod network;
mod node;

pub use client::{Client, Clients};
pub use cluster::{Cluster, PARTITIONS, TOPIC};
pub use disk::Disk;
pub use network::Network;
pub use node::Node;

use crate::nemesis::Member;

/// The address of a host; the runner's own, on the bridge, is the last of the network.
pub fn address(member: Member) -> String {
    format!("10.77.0.{}", number(member))
}

/// Of a host, below 255.
fn number(member: Member) -> usize {
    match member {
        Member::Etcd => 1,
        Member::Controller(at) => 11 + at,
        Member::Broker(at) => 21 + at,
        Member::Clients => 31,
    }
}
