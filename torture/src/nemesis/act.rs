//! How a fault is done to a cluster and undone.

use anyhow::Result;

use super::{Deed, Fault, Member};
use crate::stage::Cluster;

/// A fault that lasts.
#[derive(Debug)]
pub struct Wounds(Deed);

impl Wounds {
    /// Does it. A roll is over when this returns.
    pub fn inflict(cluster: &mut Cluster, fault: &Fault) -> Result<Wounds> {
        match &fault.deed {
            Deed::Kill(members) => members.iter().try_for_each(|member| kill(cluster, *member))?,
            Deed::Stop(members) => members.iter().try_for_each(|member| cluster.node_mut(*member)?.stop())?,
            Deed::Pause(member) => cluster.node_mut(*member)?.pause()?,
            Deed::Cut(pairs) => pairs.iter().try_for_each(|(from, to)| cluster.network.cut(*from, *to))?,
            Deed::FillDisk(broker) => cluster.disk(*broker)?.fill()?,
            Deed::Roll(members) => members.iter().try_for_each(|member| restart(cluster, *member))?,
        }
        Ok(Wounds(fault.deed.clone()))
    }

    /// Undoes it.
    pub fn heal(self, cluster: &mut Cluster) -> Result<()> {
        match self.0 {
            Deed::Kill(members) | Deed::Stop(members) => {
                members.into_iter().try_for_each(|member| cluster.start_node(member))
            }
            Deed::Pause(member) => cluster.node_mut(member)?.resume(),
            Deed::Cut(pairs) => pairs.into_iter().try_for_each(|(from, to)| cluster.network.mend(from, to)),
            Deed::FillDisk(broker) => cluster.disk(broker)?.free(),
            Deed::Roll(_) => Ok(()),
        }
    }
}

fn kill(cluster: &mut Cluster, member: Member) -> Result<()> {
    cluster.node_mut(member)?.kill();
    Ok(())
}

fn restart(cluster: &mut Cluster, member: Member) -> Result<()> {
    cluster.node_mut(member)?.stop()?;
    cluster.start_node(member)?;
    cluster.await_health()
}
