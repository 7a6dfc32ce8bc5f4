//! Group coordinators move with the leadership of their partitions, and no commit that was acknowledged is lost on the way.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use e2e::cluster::Cluster;
use e2e::process::Daemon;
use e2e::server::{Subject, subject};
use e2e::{python, wait, wire};
use protocol::messages::FindCoordinatorRequest;

const TOPIC: &str = "read";
const OFFSETS_TOPIC: &str = "__consumer_offsets";
const GROUPS: &str = "6";
/// Commits between two blows.
const UNDISTURBED: usize = 300;
const PROPERTIES: &str = "default.replication.factor=3\nnum.partitions=1\nmin.insync.replicas=2\n\
                          offsets.topic.replication.factor=3\noffsets.topic.num.partitions=8";

/// Groups that commit.
struct Load {
    client: Daemon,
    stop: PathBuf,
    committed: usize,
}

#[test]
fn commits_survive_brokers_that_are_killed_and_stopped() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let mut cluster = Cluster::start("coordinators", 3, 1, PROPERTIES)?;
    let mut load = Load::start(&cluster)?;
    load.await_more(UNDISTURBED)?;
    cluster.await_in_sync(OFFSETS_TOPIC, 3)?;
    for id in [1, 2, 3] {
        cluster.broker(id).kill();
        load.await_more(UNDISTURBED)?;
        cluster.broker(id).start()?;
        cluster.await_in_sync(OFFSETS_TOPIC, 3)?;
        load.await_more(UNDISTURBED)?;
        cluster.broker(id).terminate()?;
        load.await_more(UNDISTURBED)?;
        cluster.broker(id).start()?;
        cluster.await_in_sync(OFFSETS_TOPIC, 3)?;
    }
    load.finish()?;
    await_one_coordinator(&cluster)?;
    cluster.done()
}

/// Every broker names the same coordinator for a group, and it is one of them.
fn await_one_coordinator(cluster: &Cluster) -> Result<()> {
    let request = FindCoordinatorRequest { coordinator_keys: vec!["simple-0".into()], ..Default::default() };
    wait::until("one coordinator", wait::PATIENCE, || {
        let named = [1, 2, 3].map(|id| wire::call(cluster.port(id), &request, 4));
        let named = named.into_iter().collect::<Result<Vec<_>>>()?;
        let of = |at: usize| named[at].coordinators.first().map(|found| (found.error_code, found.node_id));
        ensure!(of(0) == of(1) && of(1) == of(2), "{named:?}");
        ensure!(of(0).is_some_and(|(error, id)| error == 0 && id > 0), "{named:?}");
        Ok(Some(()))
    })
}

impl Load {
    fn start(cluster: &Cluster) -> Result<Load> {
        let stop = cluster.scratch.path().join("stop");
        let stop_path = stop.display().to_string();
        let mut command =
            python::command("group_commits.py", &[&cluster.bootstrap(), TOPIC, GROUPS, &stop_path])?;
        let client = Daemon::start("the groups", &mut command, &cluster.scratch.path().join("groups.log"))?;
        Ok(Load { client, stop, committed: 0 })
    }

    fn await_more(&mut self, commits: usize) -> Result<()> {
        let enough = self.committed + commits;
        while self.committed < enough {
            self.committed = self.client.await_line("committed ", wait::PATIENCE)?.parse()?;
        }
        Ok(())
    }

    /// Whatever was acknowledged is found.
    fn finish(mut self) -> Result<()> {
        std::fs::write(&self.stop, "")?;
        let found: usize = self.client.await_line("found ", 2 * wait::PATIENCE)?.parse()?;
        ensure!(found >= self.committed, "{found} of {}", self.committed);
        self.client.ended(wait::PATIENCE).context("the groups end")?;
        Ok(())
    }
}
