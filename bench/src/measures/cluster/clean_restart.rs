//! SIGTERM and a new start under acks=all load: each broker, then everything one after the other.

use std::thread;
use std::time::Instant;

use anyhow::Result;

use super::outage::{Outage, in_ms};
use super::{REPLICAS, SETTLING};
use crate::cluster::{Cluster, Node};
use crate::measures::Turn;
use crate::steady::Steady;

const TOPIC: &str = "clean-restart";

pub fn take(turn: &mut Turn<'_>, cluster: &mut Cluster) -> Result<()> {
    turn.create_replicated(&[TOPIC])?;
    let mut steady = turn.steady(TOPIC, &[])?;
    let mut outages = Vec::new();
    for broker in 1..=REPLICAS as i32 {
        outages.push(restart_broker(turn, cluster, &mut steady, broker)?);
    }
    let rolling = restart_everything(turn, cluster, &mut steady)?;
    let log = turn.finish("clean restarts", steady)?;
    for outage in outages {
        let gaps = outage.gaps(&log)?;
        turn.sample("clean restart of a broker: longest gap of any partition", "ms", in_ms(gaps.any));
        for (kind, gap) in [("led", gaps.led), ("followed", gaps.followed)] {
            let Some(gap) = gap else { continue };
            turn.sample(
                format!("clean restart of a broker: longest gap of those it {kind}"),
                "ms",
                in_ms(gap),
            );
        }
    }
    for outage in rolling {
        let whom = outage.from.split(' ').next().unwrap_or_default();
        turn.sample(format!("rolling restart, {whom}: longest gap"), "ms", in_ms(outage.gaps(&log)?.any));
    }
    Ok(())
}

fn restart_broker(
    turn: &mut Turn<'_>,
    cluster: &mut Cluster,
    steady: &mut Steady,
    broker: i32,
) -> Result<Outage> {
    let leaders = turn.await_isr(TOPIC, REPLICAS)?;
    thread::sleep(SETTLING);
    let (from, to) = (format!("stop {broker}"), format!("whole {broker}"));
    steady.mark(&from)?;
    let began = Instant::now();
    let node = cluster.broker(broker);
    node.terminate()?;
    let stopped = began.elapsed();
    node.start()?;
    turn.await_isr(TOPIC, REPLICAS)?;
    thread::sleep(SETTLING);
    steady.mark(&to)?;
    turn.sample("clean restart of a broker: from SIGTERM to its end", "ms", in_ms(stopped));
    Ok(Outage { from, to, leaders, broker })
}

/// The store, the controllers and the brokers, each once the one before is well and every ISR whole.
fn restart_everything(turn: &Turn<'_>, cluster: &mut Cluster, steady: &mut Steady) -> Result<Vec<Outage>> {
    let mut outages = Vec::new();
    let others = cluster.store.iter().len() + cluster.controllers.len();
    for number in 0..others + cluster.brokers.len() {
        let leaders = turn.await_isr(TOPIC, REPLICAS)?;
        thread::sleep(SETTLING);
        let broker = i32::try_from(number + 1)? - i32::try_from(others)?;
        let mut nodes = cluster.store.iter_mut().chain(&mut cluster.controllers).chain(&mut cluster.brokers);
        let Some(node) = nodes.nth(number) else { break };
        let (kind, _) = node.name.split_once('-').unwrap_or((&node.name, ""));
        let (from, to) = (format!("{kind} stops {number}"), format!("{kind} whole {number}"));
        restart(node, steady, &from)?;
        cluster.await_health()?;
        turn.await_isr(TOPIC, REPLICAS)?;
        thread::sleep(SETTLING);
        steady.mark(&to)?;
        outages.push(Outage { from, to, leaders, broker });
    }
    Ok(outages)
}

fn restart(node: &mut Node, steady: &mut Steady, words: &str) -> Result<()> {
    steady.mark(words)?;
    node.terminate()?;
    node.start()
}
