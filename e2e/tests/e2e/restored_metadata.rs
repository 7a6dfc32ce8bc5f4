//! etcd is restored from an older backup: the cluster refuses to go on by itself, serves what it led, and is recovered by
//! the documented command (docs/restored-metadata.md).

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use e2e::daemons::Milena;
use e2e::etcd::Etcd;
use e2e::process::{self, Output};
use e2e::scratch::Scratch;
use e2e::server::{Subject, subject};
use e2e::{kcat, wait, workspace};

const WENT_BACK: &str = "milena_controller_metadata_went_back";
const REMEDY: &str = "milena cluster recover";

/// Three brokers and a controller, each a process.
struct Cluster {
    scratch: Scratch,
    etcd: Etcd,
    controller: Milena,
    brokers: Vec<Milena>,
}

impl Cluster {
    fn start(name: &str) -> Result<Cluster> {
        let scratch = Scratch::new(name)?;
        let etcd = Etcd::start(&scratch)?;
        let mut controller = Milena::controller(&scratch, &etcd, 100)?;
        let common = "default.replication.factor=3\nnum.partitions=3\nmin.insync.replicas=2\n";
        controller.set(common)?;
        controller.start()?;
        let mut brokers = Vec::new();
        for id in 1..=3 {
            let mut broker = Milena::broker(&scratch, &etcd, id)?;
            broker.set(common)?;
            broker.start()?;
            brokers.push(broker);
        }
        Ok(Cluster { scratch, etcd, controller, brokers })
    }

    /// The brokers that are never stopped here.
    fn bootstrap(&self) -> String {
        format!("{},{}", self.brokers[0].bootstrap(), self.brokers[1].bootstrap())
    }

    fn produce(&self, topic: &str, range: std::ops::Range<usize>) -> Result<()> {
        let lines: Vec<String> = range.map(|number| number.to_string()).collect();
        kcat::produce(&self.bootstrap(), topic, &["-X", "acks=all", "-p", "0"], &lines)
    }

    fn check(&self, topic: &str, count: usize) -> Result<()> {
        let expected: Vec<String> = (0..count).map(|number| number.to_string()).collect();
        wait::until(&format!("{count} records of {topic}"), wait::PATIENCE, || {
            let read = kcat::consume(&self.bootstrap(), topic, "beginning", &["-p", "0"])?;
            ensure!(read == expected, "{} records, not {count}", read.len());
            Ok(Some(()))
        })
    }

    fn await_in_sync(&self, topic: &str, count: usize) -> Result<()> {
        wait::until(&format!("{count} replicas of {topic} in sync"), wait::PATIENCE, || {
            let metadata = kcat::metadata(&self.bootstrap(), Some(topic))?;
            let partitions = metadata["topics"][0]["partitions"].as_array().context("no partitions")?;
            let in_sync = |partition: &serde_json::Value| partition["isrs"].as_array().map_or(0, Vec::len);
            ensure!(partitions.iter().all(|partition| in_sync(partition) == count), "{partitions:?}");
            Ok(Some(()))
        })
    }

    fn await_went_back(&self, expected: f64) -> Result<()> {
        wait::until(&format!("{WENT_BACK} to be {expected}"), wait::PATIENCE, || {
            let now = self.controller.metric(WENT_BACK)?;
            ensure!(now == Some(expected), "{now:?}\n{}", self.controller.log()?);
            Ok(Some(()))
        })
    }

    /// A subcommand that speaks to the brokers.
    fn milena(&self, arguments: &[&str]) -> Result<Output> {
        milena(&[arguments, &["--bootstrap-server", &self.bootstrap()]].concat())
    }

    fn recover(&self) -> Result<Output> {
        milena(&["cluster", "recover", "--metadata-endpoints", &self.etcd.endpoint()])
    }
}

fn milena(arguments: &[&str]) -> Result<Output> {
    let mut command = Command::new(workspace::binary("milena")?);
    process::run(command.args(arguments), b"", wait::PATIENCE)
}

fn snapshot(etcd: &Etcd, path: &Path) -> Result<()> {
    etcd.ctl(&["snapshot", "save", &path.display().to_string()]).map(|_| ())
}

#[test]
fn a_restored_store_is_refused_and_recovered_and_nothing_acknowledged_is_lost() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let mut cluster = Cluster::start("restored")?;
    cluster.produce("kept", 0..500)?;
    cluster.await_in_sync("kept", 3)?;
    // A deletion leaves nothing of its topic behind, and is no reason for alarm to the next controller.
    cluster.milena(&["topics", "create", "gone"])?.success()?;
    cluster.milena(&["topics", "delete", "gone"])?.success()?;
    cluster.controller.kill();
    cluster.controller.start()?;
    cluster.milena(&["topics", "create", "there"])?.success()?;
    cluster.await_went_back(0.0)?;
    let backup = cluster.scratch.path().join("backup.db");
    snapshot(&cluster.etcd, &backup)?;
    // What the backup does not know: that broker 3 is out of sync, who leads since, and a topic.
    cluster.brokers[2].kill();
    cluster.await_in_sync("kept", 2)?;
    cluster.produce("kept", 500..1000)?;
    cluster
        .milena(&["topics", "create", "later", "--partitions", "1", "--replication-factor", "2"])?
        .success()?;
    cluster.produce("later", 0..100)?;
    cluster.etcd.restore(&backup)?;
    cluster.brokers[2].start_unready()?;
    cluster.await_went_back(1.0)?;
    ensure!(cluster.controller.log()?.contains(REMEDY), "the log names the remedy");
    cluster.produce("kept", 1000..1500).context("leaders go on serving")?;
    let refused = cluster.milena(&["topics", "create", "new"])?;
    ensure!(refused.code != 0 && refused.stderr.contains(REMEDY), "{refused:?}");
    wait::until("the recovery", wait::PATIENCE, || {
        let recovered = cluster.recover()?;
        ensure!(recovered.code == 0, "{recovered:?}");
        Ok(Some(()))
    })?;
    cluster.await_went_back(0.0)?;
    cluster.brokers[2].await_ready()?;
    cluster.await_in_sync("kept", 3)?;
    cluster.check("kept", 1500)?;
    cluster.check("later", 100)?;
    cluster.produce("kept", 1500..1600)?;
    cluster.check("kept", 1600)?;
    let again = cluster.recover()?;
    ensure!(again.code != 0 && again.stderr.contains("nothing to recover"), "{again:?}");
    cluster.scratch.discard();
    Ok(())
}

#[test]
fn a_recovery_without_all_replicas_is_refused_unless_asked_for() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let mut cluster = Cluster::start("restored-partly")?;
    cluster.produce("kept", 0..100)?;
    let backup = cluster.scratch.path().join("backup.db");
    snapshot(&cluster.etcd, &backup)?;
    cluster.brokers[2].kill();
    cluster.await_in_sync("kept", 2)?;
    cluster.etcd.restore(&backup)?;
    cluster.await_went_back(1.0)?;
    let refused = cluster.recover()?;
    ensure!(refused.code != 0 && refused.stdout.contains("broker 3 was not heard"), "{refused:?}");
    wait::until("the unclean recovery", wait::PATIENCE, || {
        let endpoint = cluster.etcd.endpoint();
        let unclean = milena(&["cluster", "recover", "--unclean", "--metadata-endpoints", &endpoint])?;
        ensure!(unclean.code == 0 && unclean.stdout.contains("UNCLEANLY"), "{unclean:?}");
        Ok(Some(()))
    })?;
    cluster.check("kept", 100)?;
    cluster.produce("kept", 100..200)?;
    cluster.check("kept", 200)?;
    cluster.scratch.discard();
    Ok(())
}
