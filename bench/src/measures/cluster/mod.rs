//! What is measured on three brokers, group by group.

mod catch_up;
mod clean_restart;
mod controller_failover;
mod copying;
mod failover;
mod outage;
mod replicated;

use std::thread;
use std::time::Duration;

use anyhow::Result;

use super::Turn;
use crate::acks::AckLog;
use crate::cluster::Cluster;
use crate::load::{self, Created, Described, Done, Kept};
use crate::options::Measures;
use crate::steady::Steady;

const REPLICAS: usize = 3;
const MIN_ISR: &str = "min.insync.replicas=2";
/// A steady load runs so long before anything is done to the cluster, and between two deeds.
const SETTLING: Duration = Duration::from_secs(2);
/// How long ISRs may take to have the wanted size: a follower that catches up beside clients is slow on purpose.
const ISR_PATIENCE: Duration = Duration::from_secs(900);

/// The order within a turn: Kafka's compilers are warm for the latency, and what leaves the most behind comes last.
const GROUPS: [Measures; 6] = [
    Measures::ReplicatedThroughput,
    Measures::ReplicatedLatency,
    Measures::CleanRestart,
    Measures::Failover,
    Measures::CatchUp,
    Measures::ControllerFailover,
];

/// Takes all groups of clusters that the options name.
pub fn take(turn: &mut Turn<'_>, cluster: &mut Cluster) -> Result<()> {
    for group in GROUPS.into_iter().filter(|&group| turn.options.measures(group)) {
        match group {
            Measures::ReplicatedThroughput => replicated::throughput(turn, cluster)?,
            Measures::ReplicatedLatency => replicated::latency(turn, cluster)?,
            Measures::CleanRestart => clean_restart::take(turn, cluster)?,
            Measures::Failover => failover::take(turn, cluster)?,
            Measures::CatchUp => catch_up::take(turn, cluster)?,
            Measures::ControllerFailover => controller_failover::take(turn, cluster)?,
            // Of a broker alone.
            _ => {}
        }
    }
    Ok(())
}

impl Turn<'_> {
    /// Creates topics with as many replicas as there are brokers, and waits until all are in sync.
    fn create_replicated(&mut self, topics: &[&str]) -> Result<()> {
        let (partitions, replicas) = (self.options.cluster_partitions.to_string(), REPLICAS.to_string());
        let arguments =
            ["--partitions", &partitions, "--replicas", &replicas, "--config", MIN_ISR, "--topics"];
        self.load::<Created>("create", &[&arguments, topics].concat())?;
        for topic in topics {
            self.await_isr(topic, REPLICAS)?;
        }
        Ok(())
    }

    /// The leaders of a topic of [`Turn::create_replicated`], once each of its ISRs has so many members.
    fn await_isr(&self, topic: &str, members: usize) -> Result<Vec<i32>> {
        let (partitions, members) = (self.options.cluster_partitions.to_string(), members.to_string());
        let patience = ISR_PATIENCE.as_secs().to_string();
        let wanted = ["--topic", topic, "--partitions", &partitions, "--isr", &members];
        let arguments = [&wanted[..], &["--patience-seconds", &patience]].concat();
        let done: Done<Described> = load::run(&mut self.load_command("describe", &arguments))?;
        Ok(done.figures.leaders)
    }

    /// A load on such a topic that goes on until it is finished; `options` are its own.
    fn steady(&self, topic: &str, options: &[&str]) -> Result<Steady> {
        let numbers = [self.options.cluster_partitions, self.options.cluster_rate].map(|n| n.to_string());
        let [partitions, rate] = &numbers;
        let arguments = ["--topic", topic, "--partitions", partitions, "--rate", rate];
        let log = self.parts.work().join(format!("{topic}.acks"));
        let arguments = [&arguments[..], options].concat();
        let steady = Steady::start(self.load_command("steady", &arguments), log)?;
        thread::sleep(SETTLING);
        Ok(steady)
    }

    /// Ends it; what a client would complain of is counted under `name`.
    fn finish(&mut self, name: &str, steady: Steady) -> Result<AckLog> {
        let (done, log) = steady.finish()?;
        self.keep("steady", &done.client);
        let Kept { acknowledged, failed, standing } = done.figures;
        self.sample(format!("{name}: records acknowledged"), "", acknowledged as f64);
        self.sample(format!("{name}: records refused for good"), "", failed as f64);
        self.sample(format!("{name}: records lost"), "", acknowledged.saturating_sub(standing) as f64);
        let beyond = standing.saturating_sub(acknowledged + failed);
        self.sample(format!("{name}: records twice"), "", beyond as f64);
        for reason in log.failures.iter().take(3) {
            eprintln!("refused: {reason}");
        }
        Ok(log)
    }
}
