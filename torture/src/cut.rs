//! The short trial of one cut: a leader lives on, reached by its clients, but cut off from its peers, the controllers or
//! etcd. The others must take over, acknowledgements go on with them, and nothing that the old leader acknowledged is
//! lost.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use e2e::wait;

use crate::gaps::Window;
use crate::nemesis::{CONTROLLERS, Member, others};
use crate::report::{self, Suffered};
use crate::stage::Cluster;
use crate::trial::{Trial, now_ms};

const DISK_BYTES: u64 = 256 << 20;
/// The default of 30 s would only make the wait longer.
const PROPERTIES: &str = "replica.lag.time.max.ms=3000\n";
/// Load before the cut, and after the others have taken over.
const LOAD_TIME: Duration = Duration::from_secs(3);
/// How long others may take to lead.
const TAKE_OVER_TIME_MAX: Duration = Duration::from_secs(30);

/// From whom the leader is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Side {
    Peers,
    Controllers,
    Etcd,
}

impl Side {
    fn kind(self) -> &'static str {
        match self {
            Side::Peers => "cut-peers",
            Side::Controllers => "cut-controllers",
            Side::Etcd => "cut-etcd",
        }
    }

    fn members(self, broker: Member) -> Vec<Member> {
        match self {
            Side::Peers => others(broker),
            Side::Controllers => (0..CONTROLLERS).map(Member::Controller).collect(),
            Side::Etcd => vec![Member::Etcd],
        }
    }
}

/// Runs to the end and prints what came of it; whether all was well.
pub fn run(from: Side, broker: usize, keep: bool) -> Result<bool> {
    let broker = Member::Broker(broker);
    println!("{broker} is cut off from {from:?}");
    let mut trial = Trial::start(DISK_BYTES, PROPERTIES)?;
    let mut suffered = Vec::new();
    let outcome = suffer(&mut trial, from, broker, &mut suffered);
    let findings = trial.judge(outcome, keep)?;
    report::print(&findings, &suffered);
    Ok(findings.is_well())
}

fn suffer(trial: &mut Trial, from: Side, broker: Member, suffered: &mut Vec<Suffered>) -> Result<()> {
    sleep(LOAD_TIME);
    let witness = others(broker)[0];
    let led = Cluster::led_by(broker, witness)?;
    ensure!(!led.is_empty(), "{broker} leads nothing");
    let from_ms = now_ms()?;
    cut(trial, from, broker, true)?;
    let taken_over = await_take_over(trial, broker, witness, &led);
    sleep(LOAD_TIME);
    cut(trial, from, broker, false)?;
    let undone = Instant::now();
    trial.await_health()?;
    println!("healed within {:.1} s", undone.elapsed().as_secs_f64());
    suffered.push(Suffered { kinds: vec![from.kind()], window: Window { from_ms, to_ms: now_ms()? } });
    taken_over
}

fn cut(trial: &mut Trial, from: Side, broker: Member, is_cut: bool) -> Result<()> {
    let network = &trial.cluster.network;
    let set = |from, to| if is_cut { network.cut(from, to) } else { network.mend(from, to) };
    from.members(broker)
        .into_iter()
        .try_for_each(|other| set(broker, other).and_then(|()| set(other, broker)))
}

/// Waits until others lead what the broker led, and every partition was acknowledged to since.
fn await_take_over(trial: &mut Trial, broker: Member, witness: Member, led: &BTreeSet<u16>) -> Result<()> {
    let began = Instant::now();
    wait::until("others to lead", TAKE_OVER_TIME_MAX, || {
        let still = Cluster::led_by(broker, witness)?;
        ensure!(still.is_empty(), "{broker} still leads {still:?}");
        Ok(Some(()))
    })?;
    println!("others lead after {:.1} s", began.elapsed().as_secs_f64());
    trial.await_acks(led).with_context(|| format!("{led:?} were led by {broker}"))?;
    println!("all of them acknowledge after {:.1} s", began.elapsed().as_secs_f64());
    Ok(())
}
