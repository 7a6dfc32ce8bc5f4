//! Whichever broker is asked: Metadata is the same within one push, and an admin call is answered when the broker that was
//! asked has what came of it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::cluster::Cluster;
use e2e::server::{Subject, subject};
use e2e::{wait, wire};
use protocol::messages::delete_topics_request::DeleteTopicState;
use protocol::messages::{DeleteTopicsRequest, MetadataResponse};

const BROKERS: [i32; 3] = [1, 2, 3];
const PARTITIONS: i32 = 6;
/// A push takes milliseconds; this is for a debug build among other tests.
const PUSH_TIME_MAX: Duration = Duration::from_secs(15);
const TIMEOUT_MS: i32 = 20_000;

#[test]
fn all_brokers_say_the_same_after_every_change() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let mut cluster = Cluster::start("alike", 3, 1, "min.insync.replicas=2")?;
    for id in BROKERS {
        create(&cluster, id, &format!("by-{id}"))?;
    }
    let told = await_alike(&cluster, &BROKERS)?;
    ensure!(told.topics.len() == 3 && told.brokers.len() == 3, "{told:?}");
    delete(&cluster, 2, "by-1")?;
    ensure!(await_alike(&cluster, &BROKERS)?.topics.len() == 2, "one is gone");
    cluster.broker(1).kill();
    check_listed_after_its_leadership_moved(&cluster, 1)?;
    await_led_by(&cluster, &[2, 3])?;
    cluster.broker(1).start()?;
    await_led_by(&cluster, &BROKERS)?;
    cluster.done()
}

/// Creates a topic by a call to this broker, which knows of it when it answers.
fn create(cluster: &Cluster, asked: i32, topic: &str) -> Result<()> {
    cluster.create(asked, topic, PARTITIONS)?;
    let told = wire::metadata(cluster.port(asked), Some(topic))?;
    let partitions = &told.topics.first().context("it is named")?.partitions;
    let is_led =
        partitions.len() == PARTITIONS as usize && partitions.iter().all(|partition| partition.leader_id > 0);
    ensure!(is_led, "broker {asked} does not know of {topic} yet: {told:?}");
    Ok(())
}

/// Deletes a topic by a call to this broker, which does not know it any more when it answers.
fn delete(cluster: &Cluster, asked: i32, topic: &str) -> Result<()> {
    let state = DeleteTopicState { name: Some(topic.into()), ..DeleteTopicState::default() };
    let request =
        DeleteTopicsRequest { topics: vec![state], timeout_ms: TIMEOUT_MS, ..DeleteTopicsRequest::default() };
    let answer = wire::call(cluster.port(asked), &request, 6)?;
    ensure!(answer.responses.iter().all(|topic| topic.error_code == 0), "{answer:?}");
    let told = wire::metadata(cluster.port(asked), None)?;
    ensure!(!told.topics.iter().any(|known| known.name.as_deref() == Some(topic)), "{told:?}");
    Ok(())
}

/// Waits, as long as a push may take, until these brokers all say the same; what it is.
fn await_alike(cluster: &Cluster, brokers: &[i32]) -> Result<MetadataResponse> {
    wait::until("brokers to say the same", PUSH_TIME_MAX, || {
        let mut told = brokers.iter().map(|id| told(cluster, *id)).collect::<Result<Vec<_>>>()?;
        let first = told.swap_remove(0);
        ensure!(told.iter().all(|other| *other == first), "{first:?}\n{told:?}");
        Ok(Some(first))
    })
}

/// Each names itself as the one to send admin calls to: all others are the same.
fn told(cluster: &Cluster, asked: i32) -> Result<MetadataResponse> {
    let told = wire::metadata(cluster.port(asked), None)?;
    ensure!(told.controller_id == asked, "broker {asked} sends admin calls to {}", told.controller_id);
    Ok(MetadataResponse { controller_id: 0, ..told })
}

/// The leaders change first; that their old one is no broker any more is told later, since some clients drop what they have
/// queued for it.
fn check_listed_after_its_leadership_moved(cluster: &Cluster, dead: i32) -> Result<()> {
    let told = wait::until("other leaders", wait::PATIENCE, || {
        let told = wire::metadata(cluster.port(2), None)?;
        let mut partitions = told.topics.iter().flat_map(|topic| &topic.partitions);
        let moved = partitions.all(|partition| partition.leader_id > 0 && partition.leader_id != dead);
        Ok(moved.then_some(told))
    })?;
    ensure!(told.brokers.iter().any(|broker| broker.node_id == dead), "{told:?}");
    Ok(())
}

/// Waits until these brokers, and no others, are named, lead something where they may, and say the same.
fn await_led_by(cluster: &Cluster, brokers: &[i32]) -> Result<()> {
    wait::until(&format!("brokers {brokers:?} to be the cluster"), wait::PATIENCE, || {
        let told = await_alike(cluster, brokers)?;
        let named: Vec<i32> = told.brokers.iter().map(|broker| broker.node_id).collect();
        ensure!(named == brokers, "{named:?}");
        let mut partitions = told.topics.iter().flat_map(|topic| &topic.partitions);
        let well = partitions.all(|partition| {
            partition.error_code == 0
                && brokers.contains(&partition.leader_id)
                && partition.isr_nodes.len() == brokers.len()
        });
        ensure!(well, "{told:?}");
        Ok(Some(()))
    })
}
