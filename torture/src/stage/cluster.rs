//! Etcd, two controllers and three brokers with the defaults of production, each on its host.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use e2e::{kcat, wait, workspace};
use serde_json::Value;

use super::{Disk, Network, Node, address};
use crate::nemesis::{BROKERS, CONTROLLERS, Member};

pub const TOPIC: &str = "torture";
pub const PARTITIONS: usize = 6;
const KAFKA_PORT: u16 = 9092;
const CONTROLLER_PORT: u16 = 9190;
/// How long a cluster may take to heal: every replica in sync, and one active controller.
const HEAL_TIME_MAX: Duration = Duration::from_secs(90);

/// What the run needs of a cluster's settings beside where things are.
const COMMON: &str = "default.replication.factor=3\nmin.insync.replicas=2\n";

#[derive(Debug)]
pub struct Cluster {
    pub network: Network,
    /// Dropped, and so ended, before the disks.
    nodes: BTreeMap<Member, Node>,
    disks: BTreeMap<Member, Disk>,
}

impl Cluster {
    /// Builds the stage in `folder` and starts everything; `properties` go to every daemon of ours.
    pub fn start(folder: &Path, disk_bytes: u64, properties: &str) -> Result<Cluster> {
        let network = Network::build(&[members(), vec![Member::Clients]].concat())?;
        let mut cluster = Cluster { network, nodes: BTreeMap::new(), disks: BTreeMap::new() };
        for member in members() {
            let node = cluster.node(member, folder, disk_bytes, properties)?;
            cluster.nodes.insert(member, node);
            cluster.start_node(member)?;
            if member == Member::Etcd {
                cluster.await_ready(member)?;
            }
        }
        members().into_iter().try_for_each(|member| cluster.await_ready(member))?;
        Ok(cluster)
    }

    fn node(&mut self, member: Member, folder: &Path, disk_bytes: u64, properties: &str) -> Result<Node> {
        let (program, own) = match member {
            Member::Etcd => return Ok(etcd(folder)),
            Member::Controller(at) => ("milena-controller", controller_properties(at)),
            Member::Broker(at) => {
                let disk = Disk::mount(folder.join(format!("{member}-disk")), disk_bytes)?;
                let own = broker_properties(at, &disk.logs());
                self.disks.insert(member, disk);
                ("milena-broker", own)
            }
            Member::Clients => bail!("no daemon runs there"),
        };
        let file = folder.join(format!("{member}.properties"));
        let common = format!(
            "metadata.store=etcd\nmetadata.endpoints=http://{}:2379\nmetrics.listener=0.0.0.0:9404\n{COMMON}",
            address(Member::Etcd)
        );
        fs::write(&file, common + &own + properties)?;
        let arguments = vec!["--config".to_owned(), file.to_string_lossy().into_owned()];
        Ok(Node::new(member, workspace::binary(program)?, arguments, folder))
    }

    /// `bootstrap.servers` of these brokers.
    pub fn bootstrap(brokers: impl Iterator<Item = Member>) -> String {
        brokers.map(|broker| format!("{}:{KAFKA_PORT}", address(broker))).collect::<Vec<_>>().join(",")
    }

    pub fn brokers() -> impl DoubleEndedIterator<Item = Member> {
        (0..BROKERS).map(Member::Broker)
    }

    /// Creates the topic by asking for it, and returns once every replica is in sync.
    pub fn create_topic(&mut self) -> Result<()> {
        wait::until("the topic", wait::PATIENCE, || {
            Ok(Some(kcat::metadata(&Cluster::bootstrap(Cluster::brokers()), Some(TOPIC))?))
        })?;
        self.await_health()
    }

    pub fn node_mut(&mut self, member: Member) -> Result<&mut Node> {
        self.nodes.get_mut(&member).with_context(|| format!("there is no {member}"))
    }

    pub fn disk(&self, broker: Member) -> Result<&Disk> {
        self.disks.get(&broker).with_context(|| format!("{broker} has no disk"))
    }

    pub fn start_node(&mut self, member: Member) -> Result<()> {
        self.node_mut(member)?.start()
    }

    pub fn await_ready(&mut self, member: Member) -> Result<()> {
        let node = self.node_mut(member)?;
        wait::until(&format!("{member} to be ready"), HEAL_TIME_MAX, || node.check_ready().map(Some))
    }

    /// Which controller is active; none while there is no single one.
    pub fn active_controller(&self) -> Option<usize> {
        let is_active = |at: &usize| {
            let node = self.nodes.get(&Member::Controller(*at));
            let series = "kafka_controller_kafkacontroller_activecontrollercount";
            node.is_some_and(|node| node.metric(series).is_ok_and(|value| value == Some(1.0)))
        };
        let mut active = (0..CONTROLLERS).filter(is_active);
        active.next().filter(|_| active.next().is_none())
    }

    /// Waits until every process is well, every broker says that every replica is in sync, and one controller is active.
    pub fn await_health(&mut self) -> Result<()> {
        wait::until("the cluster to heal", HEAL_TIME_MAX, || {
            self.nodes.values_mut().try_for_each(Node::check_ready)?;
            Cluster::brokers().try_for_each(check_in_sync)?;
            ensure!(self.active_controller().is_some(), "there is not one active controller");
            Ok(Some(()))
        })
    }

    /// The partitions of the topic that a broker leads, as another sees it.
    pub fn led_by(broker: Member, as_seen_by: Member) -> Result<BTreeSet<u16>> {
        let metadata = metadata(as_seen_by, Some(TOPIC))?;
        let (mut led, id) = (BTreeSet::new(), id(broker));
        for partition in partitions(&metadata)? {
            if partition["leader"].as_i64() == Some(id) {
                let number = partition["partition"].as_u64().context("no number")?;
                led.insert(u16::try_from(number)?);
            }
        }
        Ok(led)
    }

    /// Stops the brokers at once, then all else.
    pub fn stop(&mut self) -> Result<()> {
        Cluster::brokers().try_for_each(|broker| self.node_mut(broker)?.ask_to_stop())?;
        Cluster::brokers().try_for_each(|broker| self.node_mut(broker)?.await_stop())?;
        let others = members().into_iter().filter(|member| !matches!(member, Member::Broker(_)));
        others.rev().try_for_each(|member| self.node_mut(member)?.stop())
    }

    /// Copies the brokers' disks to where they outlive us.
    pub fn save_disks(&self, folder: &Path) -> Result<()> {
        self.disks.iter().try_for_each(|(broker, disk)| disk.save(&folder.join(format!("{broker}-saved"))))
    }
}

/// In the order in which they are started.
fn members() -> Vec<Member> {
    let controllers = (0..CONTROLLERS).map(Member::Controller);
    std::iter::once(Member::Etcd).chain(controllers).chain(Cluster::brokers()).collect()
}

fn etcd(folder: &Path) -> Node {
    let host = address(Member::Etcd);
    let (clients, peers) = (format!("http://{host}:2379"), format!("http://{host}:2380"));
    let data = folder.join("etcd").to_string_lossy().into_owned();
    let arguments = [
        ("--name", "torture"),
        ("--data-dir", &data),
        ("--listen-client-urls", &clients),
        ("--advertise-client-urls", &clients),
        ("--listen-peer-urls", &peers),
        ("--initial-advertise-peer-urls", &peers),
        ("--initial-cluster", &format!("torture={peers}")),
    ];
    let arguments = arguments.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value.to_owned()]);
    Node::new(Member::Etcd, PathBuf::from("etcd"), arguments.collect(), folder)
}

fn controller_properties(at: usize) -> String {
    let host = address(Member::Controller(at));
    format!("node.id={}\ncontroller.listener={host}:{CONTROLLER_PORT}\n", 100 + at)
}

fn broker_properties(at: usize, logs: &Path) -> String {
    let (id, host) = (at + 1, address(Member::Broker(at)));
    format!(
        "node.id={id}\nlisteners=PLAINTEXT://{host}:{KAFKA_PORT}\nlog.dirs={}\nnum.partitions={PARTITIONS}\n\
         broker.rack={}\nreplica.selector.class=org.apache.kafka.common.replica.RackAwareReplicaSelector\n\
         offsets.topic.num.partitions=4\ngroup.initial.rebalance.delay.ms=0\n",
        logs.display(),
        rack(Member::Broker(at))
    )
}

/// Each broker stands in a rack of its own, so that a consumer can be told to read from a follower.
pub(super) fn rack(broker: Member) -> String {
    format!("rack-of-{broker}")
}

fn id(broker: Member) -> i64 {
    match broker {
        Member::Broker(at) => at as i64 + 1,
        _ => -1,
    }
}

fn metadata(broker: Member, topic: Option<&str>) -> Result<Value> {
    kcat::metadata(&Cluster::bootstrap(std::iter::once(broker)), topic)
}

fn partitions(metadata: &Value) -> Result<impl Iterator<Item = &Value>> {
    let topics = metadata["topics"].as_array().context("no topics")?;
    Ok(topics.iter().filter_map(|topic| topic["partitions"].as_array()).flatten())
}

fn check_in_sync(broker: Member) -> Result<()> {
    let metadata = metadata(broker, None)?;
    let ids = |list: &Value| {
        let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
        list.iter().filter_map(|member| member["id"].as_i64()).collect::<BTreeSet<_>>()
    };
    for partition in partitions(&metadata)? {
        let (replicas, isr) = (ids(&partition["replicas"]), ids(&partition["isrs"]));
        let is_led = partition["leader"].as_i64().is_some_and(|leader| isr.contains(&leader));
        ensure!(is_led && replicas == isr, "{broker} says that not all is in sync: {partition}");
    }
    Ok(())
}
