//! Records that a client deletes go from every replica, at once and in the middle of a batch (KIP-107).

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use e2e::cluster::Cluster;
use e2e::server::{Subject, subject};
use e2e::{kcat, process, wait, workspace};

const TOPIC: &str = "shrinking";
const RECORDS: usize = 100;
/// In the middle of the only batch.
const DELETED: usize = 37;

/// A follower's fetch waits so long for records, and must not wait so long for the news that there are fewer.
const FETCH_WAIT: &str = "replica.fetch.wait.max.ms=8000";
const DELETION_TIME_MAX: Duration = Duration::from_secs(4);

#[test]
fn deleted_records_are_gone_from_every_replica_and_a_new_one_begins_inside_of_their_batch() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let mut cluster =
        Cluster::start("record-deletion", 3, 1, &format!("min.insync.replicas=1\n{FETCH_WAIT}"))?;
    cluster.create(1, TOPIC, 1)?;
    cluster.await_in_sync(TOPIC, 3)?;
    let lines: Vec<String> = (0..RECORDS).map(|number| number.to_string()).collect();
    kcat::produce(&cluster.bootstrap(), TOPIC, &["-X", "linger.ms=1000"], &lines)?;
    delete(&cluster)?;
    kcat::await_records(&cluster.bootstrap(), TOPIC, 0, &lines[DELETED..])?;

    let leader = leader(&cluster)?;
    let [emptied, other] = [leader % 3 + 1, (leader + 1) % 3 + 1];
    cluster.broker(emptied).terminate()?;
    std::fs::remove_dir_all(cluster.scratch.path().join(format!("broker-{emptied}-data")))?;
    cluster.broker(emptied).start()?;
    cluster.await_in_sync(TOPIC, 3)?;
    cluster.broker(leader).terminate()?;
    cluster.broker(other).terminate()?;
    let alone = cluster.broker(emptied).bootstrap();
    kcat::await_records(&alone, TOPIC, 0, &lines[DELETED..])?;
    cluster.broker(emptied).terminate()?;
    cluster.broker(emptied).start()?;
    kcat::await_records(&alone, TOPIC, 0, &lines[DELETED..]).context("after a restart")?;
    cluster.done()
}

/// Deletes, and hears of it once every replica has.
fn delete(cluster: &Cluster) -> Result<()> {
    let mut command = Command::new(workspace::binary("milena")?);
    let records = format!("{TOPIC}:0={DELETED}");
    command.args(["records", "delete", &records, "--bootstrap-server", &cluster.bootstrap()]);
    let began = Instant::now();
    process::run(&mut command, b"", wait::PATIENCE)?.success()?;
    ensure!(began.elapsed() < DELETION_TIME_MAX, "it took {:?}", began.elapsed());
    Ok(())
}

fn leader(cluster: &Cluster) -> Result<i32> {
    let metadata = kcat::metadata(&cluster.bootstrap(), Some(TOPIC))?;
    let leader = metadata["topics"][0]["partitions"][0]["leader"].as_i64().context("no leader")?;
    Ok(i32::try_from(leader)?)
}
