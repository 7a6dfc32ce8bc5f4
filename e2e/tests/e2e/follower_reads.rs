//! Consumers read from the replica in their own rack (KIP-392), and learn soon what has been committed.

use anyhow::{Context, Result, ensure};
use e2e::cluster::Cluster;
use e2e::server::{Subject, subject};
use e2e::{kcat, python};

const RECORDS: usize = 20;
const SELECTOR: &str = "replica.selector.class=org.apache.kafka.common.replica.RackAwareReplicaSelector";
const BYTES_OUT: &str = "kafka_server_brokertopicmetrics_bytesout_total{topic=\"near\"}";

/// A follower's fetch waits so long for records, and high watermarks must not wait for that.
const FETCH_WAIT: &str = "replica.fetch.wait.max.ms=4000";
const DELAY_MS_MAX: f64 = 1_000.0;

#[test]
fn a_consumer_reads_from_the_replica_in_its_rack() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let common = "default.replication.factor=3\nmin.insync.replicas=2\nnum.partitions=1";
    let properties = format!("{common}\n{SELECTOR}\n{FETCH_WAIT}");
    let mut cluster = Cluster::start("follower-reads", 3, 1, &properties)?;
    for (broker, rack) in ["a", "b", "c"].into_iter().enumerate() {
        cluster.brokers[broker].terminate()?;
        cluster.brokers[broker].set(&format!("broker.rack={rack}\n"))?;
        cluster.brokers[broker].start()?;
    }
    kcat::metadata(&cluster.bootstrap(), Some("near"))?;
    cluster.await_in_sync("near", 3)?;
    let metadata = kcat::metadata(&cluster.bootstrap(), Some("near"))?;
    let leader = metadata["topics"][0]["partitions"][0]["leader"].as_u64().context("no leader")? as usize - 1;
    let near = (leader + 1) % 3;
    let rack = ["a", "b", "c"][near];
    let printed =
        python::run("near_consumer.py", &[&cluster.bootstrap(), "near", rack, &RECORDS.to_string()])?;
    let delay_ms: f64 = printed.trim().parse().with_context(|| printed.clone())?;
    println!("records that were read from a follower came {delay_ms} ms after they were sent (median)");
    ensure!(delay_ms < DELAY_MS_MAX, "{delay_ms} ms");
    let bytes_out =
        |broker: usize| Ok::<_, anyhow::Error>(cluster.brokers[broker].metric(BYTES_OUT)?.unwrap_or(0.0));
    let by_broker = [bytes_out(0)?, bytes_out(1)?, bytes_out(2)?];
    ensure!(by_broker[near] > 0.0, "the follower near by served: {by_broker:?}, {leader} leads");
    ensure!(
        (0..3).all(|broker| broker == near || by_broker[broker] == 0.0),
        "and nobody else: {by_broker:?}"
    );
    cluster.done()
}
