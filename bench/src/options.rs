//! What one run measures, on whom, and for how long.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::subject::Subject;

/// Milena beside Apache Kafka and the raw limit, under the same load by librdkafka
#[derive(Clone, Debug, Parser)]
#[command(name = "cargo xtask bench")]
pub struct Options {
    /// The brokers, one after the other; their order turns round with each round
    #[arg(long, value_enum, value_delimiter = ',', default_value = "kafka,milena")]
    pub subjects: Vec<Subject>,
    /// What is measured beside the start
    #[arg(long, value_enum, value_delimiter = ',', default_value = "raw,idle,throughput,latency")]
    pub measures: Vec<Measures>,
    /// How often everything is measured; the table shows medians
    #[arg(long, default_value_t = 3)]
    pub rounds: u32,
    /// Bytes of a record's value
    #[arg(long, value_delimiter = ',', default_value = "1024")]
    pub sizes: Vec<usize>,
    /// Megabytes (10^6) that produce writes, and fetch reads, for each size
    #[arg(long, default_value_t = 2000)]
    pub megabytes: u64,
    /// Megabytes (10^6) written and read before, unmeasured
    #[arg(long, default_value_t = 500)]
    pub warm_up_megabytes: u64,
    /// Partitions of the topics under load
    #[arg(long, default_value_t = 4)]
    pub partitions: u32,
    /// How often fetch reads everything
    #[arg(long, default_value_t = 2)]
    pub fetch_passes: u32,
    /// How long the idle broker is watched
    #[arg(long, default_value_t = 20)]
    pub idle_seconds: u64,
    /// How long the steady load lasts
    #[arg(long, default_value_t = 10)]
    pub latency_seconds: u32,
    /// Records a second of the steady load
    #[arg(long, default_value_t = 1000)]
    pub latency_rate: u32,
    /// Partitions created by `partitions`, in ten topics
    #[arg(long, default_value_t = 10_000)]
    pub many_partitions: u32,
    /// Partitions of the topics of clusters, each of which has three replicas
    #[arg(long, default_value_t = 12)]
    pub cluster_partitions: u32,
    /// Records a second of the load under which brokers and controllers of clusters are ended
    #[arg(long, default_value_t = 1200)]
    pub cluster_rate: u32,
    /// Brokers of Milena killed by `failover` in a round
    #[arg(long, default_value_t = 7)]
    pub kills: u32,
    /// Brokers of Kafka killed by `failover` in a round; each takes it ten seconds and more
    #[arg(long, default_value_t = 1)]
    pub kafka_kills: u32,
    /// Controllers killed by `controller-failover` in each part of it
    #[arg(long, default_value_t = 3)]
    pub controller_kills: u32,
    /// Partitions in the metadata store in the last part of `controller-failover`
    #[arg(long, default_value_t = 20_000)]
    pub controller_partitions: u32,
    /// Megabytes (10^6) that a follower of `catch-up` was away for
    #[arg(long, default_value_t = 5000)]
    pub away_megabytes: u64,
    /// A setting of librdkafka in every load; may be given many times
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
    /// Write every single figure and all settings to this file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Measure what was built before, whatever has changed since
    #[arg(long)]
    pub no_build: bool,
    /// Where Milena's programs lie; nothing of it is built then
    #[arg(long, value_name = "DIR")]
    pub binaries: Option<PathBuf>,
    /// Record Milena with perf during produce and fetch; its figures are then not comparable
    #[arg(long)]
    pub profile: bool,
}

/// A group of measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Measures {
    /// The raw limit: what the kernel alone costs
    Raw,
    /// Memory and CPU of a broker that nobody uses
    Idle,
    /// Broker CPU and rate of produce and fetch
    Throughput,
    /// Acknowledgement latency at a steady rate
    Latency,
    /// Produce beside clients that break the rules
    Neighbours,
    /// Rebalances of many members, and a million commits read after a restart
    Groups,
    /// The creation of many partitions
    Partitions,
    /// Three brokers: CPU and rate of produce with three replicas
    ReplicatedThroughput,
    /// Three brokers: acknowledgement latency at a steady rate with three replicas
    ReplicatedLatency,
    /// Three brokers: one after the other, then everything, is shut down and started again
    CleanRestart,
    /// Three brokers: one after the other is killed
    Failover,
    /// Three brokers: the active controller is killed, and a broker with it
    ControllerFailover,
    /// Three brokers: a follower comes back after long
    CatchUp,
}

impl Measures {
    /// Whether they are of three brokers rather than of one.
    pub fn of_cluster(self) -> bool {
        match self {
            Measures::Raw
            | Measures::Idle
            | Measures::Throughput
            | Measures::Latency
            | Measures::Neighbours
            | Measures::Groups
            | Measures::Partitions => false,
            Measures::ReplicatedThroughput
            | Measures::ReplicatedLatency
            | Measures::CleanRestart
            | Measures::Failover
            | Measures::ControllerFailover
            | Measures::CatchUp => true,
        }
    }
}

impl Options {
    pub fn measures(&self, group: Measures) -> bool {
        self.measures.contains(&group)
    }

    /// Whether a broker runs alone.
    pub fn alone(&self) -> bool {
        self.measures.iter().any(|&group| !group.of_cluster() && group != Measures::Raw)
    }

    /// Whether three run together.
    pub fn clustered(&self) -> bool {
        self.measures.iter().any(|group| group.of_cluster())
    }

    pub fn idle(&self) -> Duration {
        Duration::from_secs(self.idle_seconds)
    }
}
