//! kill -9 of a broker under acks=all load, one broker after the other; each is back in every ISR before the next goes.

use std::thread;

use anyhow::Result;

use super::outage::{Outage, in_ms};
use super::{REPLICAS, SETTLING};
use crate::cluster::Cluster;
use crate::measures::Turn;
use crate::steady::Steady;
use crate::subject::Subject;

const TOPIC: &str = "failover";

pub fn take(turn: &mut Turn<'_>, cluster: &mut Cluster) -> Result<()> {
    turn.create_replicated(&[TOPIC])?;
    let mut steady = turn.steady(TOPIC, &[])?;
    let kills = match turn.subject {
        Subject::Kafka => turn.options.kafka_kills,
        Subject::Milena => turn.options.kills,
    };
    let mut outages = Vec::new();
    for (number, broker) in (0..kills).zip((1..=REPLICAS as i32).cycle()) {
        outages.push(kill(turn, cluster, &mut steady, number, broker)?);
    }
    let log = turn.finish(TOPIC, steady)?;
    for [death, rebirth] in outages {
        let gaps = death.gaps(&log)?;
        turn.sample("kill -9 of a broker: longest gap of any partition", "ms", in_ms(gaps.any));
        for (kind, gap) in [("led", gaps.led), ("followed", gaps.followed)] {
            let Some(gap) = gap else { continue };
            turn.sample(format!("kill -9 of a broker: longest gap of those it {kind}"), "ms", in_ms(gap));
        }
        turn.sample("return of the killed broker: longest gap", "ms", in_ms(rebirth.gaps(&log)?.any));
    }
    Ok(())
}

/// The broker's death, until it is started again; and its way back into every ISR.
fn kill(
    turn: &Turn<'_>,
    cluster: &mut Cluster,
    steady: &mut Steady,
    number: u32,
    broker: i32,
) -> Result<[Outage; 2]> {
    let leaders = turn.await_isr(TOPIC, REPLICAS)?;
    thread::sleep(SETTLING);
    let [killed, started, whole] = ["kill", "start", "whole"].map(|deed| format!("{deed} {number}"));
    steady.mark(&killed)?;
    cluster.broker(broker).kill()?;
    turn.await_isr(TOPIC, REPLICAS - 1)?;
    thread::sleep(SETTLING);
    steady.mark(&started)?;
    cluster.broker(broker).start()?;
    turn.await_isr(TOPIC, REPLICAS)?;
    thread::sleep(SETTLING);
    steady.mark(&whole)?;
    let outage =
        |from: &str, to: &str| Outage { from: from.into(), to: to.into(), leaders: leaders.clone(), broker };
    Ok([outage(&killed, &started), outage(&started, &whole)])
}
