//! What every trial has in common: a folder, a cluster with its clients, and the judgement at the end.
//!
//! The judgement comes whatever happened before: a cluster that did not heal may have lost something as well.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use e2e::{wait, workspace};

use crate::check::{Anomaly, check};
use crate::history::History;
use crate::progress::Progress;
use crate::replicas::{self, Difference, raised_epochs};
use crate::stage::{Clients, Cluster, PARTITIONS};

/// So long after the last write followers have heard of the last high watermark.
const QUIET_TIME: Duration = Duration::from_secs(2);
/// How long a partition may go without an acknowledgement once the cluster is well: TCP and clients wait before they try again.
const ACKS_TIME_MAX: Duration = Duration::from_secs(60);

/// One cluster under load.
#[derive(Debug)]
pub struct Trial {
    folder: PathBuf,
    pub cluster: Cluster,
    pub clients: Clients,
    progress: Progress,
}

/// What a trial showed.
#[derive(Debug, Default)]
pub struct Findings {
    pub history: History,
    pub anomalies: Vec<Anomaly>,
    pub differences: Vec<Difference>,
    /// How many replicas were held against each other.
    pub replicas: usize,
    /// How often a producer went on under a new epoch. No fault of the cluster's may make it do so.
    pub raised_epochs: usize,
    /// What went wrong with the trial itself: it did not heal, or did not end.
    pub troubles: Vec<String>,
}

impl Findings {
    pub fn is_well(&self) -> bool {
        self.anomalies.is_empty() && self.differences.is_empty() && self.troubles.is_empty()
    }
}

impl Trial {
    /// A cluster on disks of `disk_bytes` each, with a topic in sync and clients at work.
    pub fn start(disk_bytes: u64, properties: &str) -> Result<Trial> {
        let folder = new_folder()?;
        println!("logs and histories are in {}", folder.display());
        let mut cluster = Cluster::start(&folder, disk_bytes, properties)?;
        cluster.create_topic()?;
        let clients = Clients::start(&folder)?;
        let progress = clients.progress();
        Ok(Trial { folder, cluster, clients, progress })
    }

    /// Waits until each of these partitions was acknowledged to after now.
    pub fn await_acks(&mut self, partitions: &BTreeSet<u16>) -> Result<()> {
        let since_ms = now_ms()?;
        wait::until("acknowledgements in every partition", ACKS_TIME_MAX, || {
            let last = self.progress.last_acks_ms()?;
            let silent: Vec<_> = partitions.iter().filter(|at| last.get(at) <= Some(&since_ms)).collect();
            ensure!(silent.is_empty(), "none in {silent:?}");
            Ok(Some(()))
        })
    }

    /// Waits until the cluster is well and every partition makes progress.
    pub fn await_health(&mut self) -> Result<()> {
        self.cluster.await_health()?;
        self.await_acks(&(0..PARTITIONS as u16).collect())
    }

    /// Ends everything and judges it. The folder stays if anything is wrong, or if it is to be kept.
    pub fn judge(mut self, outcome: Result<()>, keep: bool) -> Result<Findings> {
        let mut findings = Findings::default();
        let mut note = |step: &str, result: Result<()>| {
            findings.troubles.extend(result.err().map(|error| format!("{step}: {error:#}")));
        };
        note("the faults", outcome);
        note("the end of the clients", self.clients.end());
        note("a second reading", self.clients.read_again());
        sleep(QUIET_TIME);
        note("the clean stop", self.cluster.stop());
        findings.history = self.clients.history()?;
        findings.anomalies = check(&findings.history);
        if let Err(error) = self.compare(&mut findings) {
            findings.troubles.push(format!("the replicas: {error:#}"));
        }
        self.put_away(keep || !findings.is_well())?;
        Ok(findings)
    }

    fn compare(&self, findings: &mut Findings) -> Result<()> {
        let mut by_partition = BTreeMap::<_, Vec<_>>::new();
        for broker in Cluster::brokers() {
            let directory = self.cluster.disk(broker)?.logs();
            for (partition, replica) in replicas::read(&broker.to_string(), &directory)? {
                by_partition.entry(partition).or_default().push(replica);
            }
        }
        let all = by_partition.values().flatten();
        findings.replicas = all.clone().count();
        findings.raised_epochs = all.flat_map(raised_epochs).collect::<BTreeSet<_>>().len();
        let differences = by_partition.iter().flat_map(|(partition, of)| replicas::compare(partition, of));
        findings.differences = differences.collect();
        Ok(())
    }

    fn put_away(self, is_kept: bool) -> Result<()> {
        if is_kept {
            self.cluster.save_disks(&self.folder)?;
        }
        drop((self.cluster, self.clients));
        if !is_kept {
            remove(&self.folder)?;
        }
        Ok(())
    }
}

fn remove(folder: &Path) -> Result<()> {
    fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))
}

/// `target/torture/SECONDS`.
fn new_folder() -> Result<PathBuf> {
    let all = workspace::root().join("target/torture");
    fs::create_dir_all(&all)?;
    let all = all.canonicalize()?;
    let seconds = now_ms()? / 1_000;
    let free = (seconds..).map(|name| all.join(name.to_string())).find(|path| !path.exists());
    let folder = free.context("there are numbers enough")?;
    fs::create_dir(&folder)?;
    Ok(folder)
}

/// Milliseconds since 1970, as the clients write them.
pub fn now_ms() -> Result<u64> {
    Ok(u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?)
}
