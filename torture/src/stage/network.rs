//! One bridge, and a host for each member: a network namespace with one interface.
//!
//! A cut from one host to another gives the first a hardware address for the second that nobody has: what it sends is
//! lost without a word, as on a broken link, and what comes the other way still arrives.

use anyhow::Result;

use super::inside::run;
use super::{address, number};
use crate::nemesis::Member;

const RUNNER: &str = "10.77.0.254/24";
const BRIDGE: &str = "switch";
const INTERFACE: &str = "eth0";
const NOBODY: &str = "02:00:00:00:ff:ff";

/// The network of one run; it goes with our namespaces.
#[derive(Debug)]
pub struct Network(());

impl Network {
    /// Builds it, with a host for each of these.
    pub fn build(members: &[Member]) -> Result<Network> {
        // Where `ip` keeps its namespaces; the machine's own are out of sight.
        run("mount", &["-t", "tmpfs", "none", "/run"])?;
        ip("link set lo up")?;
        ip(&format!("link add {BRIDGE} type bridge"))?;
        ip(&format!("link set {BRIDGE} up"))?;
        ip(&format!("addr add {RUNNER} dev {BRIDGE}"))?;
        members.iter().try_for_each(|member| add_host(*member))?;
        Ok(Network(()))
    }

    /// From now on nothing that `from` sends reaches `to`.
    pub fn cut(&self, from: Member, to: Member) -> Result<()> {
        point(from, to, NOBODY)
    }

    /// Takes a cut back.
    pub fn mend(&self, from: Member, to: Member) -> Result<()> {
        point(from, to, &hardware_address(to))
    }
}

fn add_host(member: Member) -> Result<()> {
    let (link, hardware) = (format!("port{}", number(member)), hardware_address(member));
    ip(&format!("netns add {member}"))?;
    ip(&format!("link add {link} type veth peer name {INTERFACE} netns {member} address {hardware}"))?;
    ip(&format!("link set {link} master {BRIDGE} up"))?;
    ip(&format!("-n {member} addr add {}/24 dev {INTERFACE}", address(member)))?;
    ip(&format!("-n {member} link set {INTERFACE} up"))?;
    ip(&format!("-n {member} link set lo up"))
}

fn point(from: Member, to: Member, hardware: &str) -> Result<()> {
    let to = address(to);
    ip(&format!("-n {from} neigh replace {to} lladdr {hardware} dev {INTERFACE} nud permanent"))
}

fn hardware_address(member: Member) -> String {
    format!("02:00:00:00:00:{:02x}", number(member))
}

fn ip(arguments: &str) -> Result<()> {
    run("ip", &arguments.split(' ').collect::<Vec<_>>())
}
