//! Clients of different makers in one group, for each assignor that they have in common.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use e2e::clients::{Client, Kind, Record};
use e2e::server::Server;
use e2e::{java, wait};
use serde_json::{Value, json};

const PARTITIONS: i64 = 10;
const RECORDS_EACH: i64 = 20;
/// Where ConsumerGroupCommand shows the lag.
const LAG_COLUMN: usize = 5;
/// Five members join one after the other, each with a rebalance.
const PATIENCE: Duration = wait::PATIENCE.saturating_mul(2);

/// Who has which assignor.
const ASSIGNORS: [(&str, &[Kind]); 4] = [
    ("range", &Kind::ALL),
    ("roundrobin", &Kind::ALL),
    ("sticky", &[Kind::FranzGo, Kind::Java, Kind::Aiokafka, Kind::KafkaPython]),
    ("cooperative-sticky", &[Kind::FranzGo, Kind::Java, Kind::Confluent, Kind::KafkaPython]),
];

/// Partition and offset.
type Position = (i64, i64);

/// One group under test, and what those of its members that left had read.
struct Group {
    name: String,
    members: Vec<Kind>,
    read: BTreeSet<Position>,
}

#[test]
fn clients_of_different_makers_share_a_group() -> Result<()> {
    let server = super::start("groups", &[("log.retention.ms", "-1")])?;
    let mut clients = Client::start_all(&server.bootstrap(), server.scratch())?;
    let join = |(assignor, members)| join(&server, &mut clients, assignor, members);
    let mut groups = ASSIGNORS.into_iter().map(join).collect::<Result<Vec<Group>>>()?;
    let mut sent = 0;
    loop {
        groups.iter().try_for_each(|group| await_settled(&mut clients, group))?;
        groups.iter().try_for_each(|group| send(&mut clients, &group.name))?;
        sent += PARTITIONS * RECORDS_EACH;
        if groups.iter().all(|group| group.members.len() == 1) {
            break;
        }
        groups.iter_mut().try_for_each(|group| one_leaves(&mut clients, group))?;
    }
    for mut group in groups {
        await_all_read(&mut clients, &group, sent)?;
        let last = group.members.remove(0);
        leave(&mut clients, &mut group, last)?;
        check_all_is_committed(&server, &group.name)?;
    }
    server.done()
}

fn join(server: &Server, clients: &mut [Client], assignor: &str, members: &[Kind]) -> Result<Group> {
    let name = format!("group-{assignor}");
    super::create(server, &name, PARTITIONS)?;
    for client in clients.iter_mut().filter(|client| members.contains(&client.kind)) {
        client.call(&json!({"do": "join", "group": name, "topic": name, "assignor": assignor}))?;
    }
    Ok(Group { name, members: members.to_vec(), read: BTreeSet::new() })
}

/// A few more records to each partition.
fn send(clients: &mut [Client], topic: &str) -> Result<()> {
    let to_each = (0..PARTITIONS).flat_map(|partition| (0..RECORDS_EACH).map(move |_| partition));
    let record = Record { timestamp: Some(1), value: Some(b"a record".to_vec()), ..Record::default() };
    let records: Vec<Record> = to_each.map(|partition| Record { partition, ..record.clone() }).collect();
    client(clients, Kind::FranzGo)?.produce(topic, "none", &records)?;
    Ok(())
}

fn client(clients: &mut [Client], kind: Kind) -> Result<&mut Client> {
    clients.iter_mut().find(|client| client.kind == kind).context("all kinds are there")
}

/// Waits until every member owns partitions, no two the same, and together all of them.
fn await_settled(clients: &mut [Client], group: &Group) -> Result<()> {
    wait::until(&format!("{} to settle", group.name), PATIENCE, || {
        let mut owners = BTreeMap::new();
        for &member in &group.members {
            let state = client(clients, member)?.call(&json!({"do": "owned", "group": group.name}))?;
            let owned = numbers(&state["owned"])?;
            ensure!(!owned.is_empty(), "{member:?} has nothing, others {owners:?}");
            for partition in owned {
                let other = owners.insert(partition, member);
                ensure!(other.is_none(), "{partition} is owned by {member:?} and {other:?}");
            }
        }
        ensure!(owners.len() as i64 == PARTITIONS, "owned: {owners:?}");
        Ok(Some(()))
    })
}

/// The first member leaves, whether it has read what was just sent or not.
fn one_leaves(clients: &mut [Client], group: &mut Group) -> Result<()> {
    if group.members.len() > 1 {
        let leaver = group.members.remove(0);
        leave(clients, group, leaver)?;
    }
    Ok(())
}

fn leave(clients: &mut [Client], group: &mut Group, leaver: Kind) -> Result<()> {
    let state = client(clients, leaver)?.call(&json!({"do": "leave", "group": group.name}))?;
    group.read.extend(positions(&state["read"])?);
    Ok(())
}

/// Waits until all that was sent was read, by the member that is left or by those before.
fn await_all_read(clients: &mut [Client], group: &Group, sent: i64) -> Result<()> {
    wait::until(&format!("all of {} to be read", group.name), PATIENCE, || {
        let state = client(clients, group.members[0])?.call(&json!({"do": "owned", "group": group.name}))?;
        let mut read = positions(&state["read"])?;
        read.extend(&group.read);
        ensure!(read.len() as i64 == sent, "{} of {sent} were read", read.len());
        Ok(Some(()))
    })
}

fn check_all_is_committed(server: &Server, group: &str) -> Result<()> {
    let bootstrap = server.bootstrap();
    let arguments = ["--bootstrap-server", &bootstrap, "--describe", "--group", group];
    let described = java::run(java::GROUPS, &arguments)?.success()?;
    let lines = described.lines().filter(|line| line.starts_with(group));
    let lags: Vec<&str> = lines.filter_map(|line| line.split_whitespace().nth(LAG_COLUMN)).collect();
    ensure!(lags.len() as i64 == PARTITIONS && lags.iter().all(|&lag| lag == "0"), "{described}");
    Ok(())
}

fn numbers(json: &Value) -> Result<Vec<i64>> {
    json.as_array().context("no list")?.iter().map(|number| number.as_i64().context("no number")).collect()
}

fn positions(json: &Value) -> Result<BTreeSet<Position>> {
    let position = |pair: &Value| match numbers(pair)?[..] {
        [partition, offset] => Ok((partition, offset)),
        _ => bail!("{pair} is no position"),
    };
    json.as_array().context("no list")?.iter().map(position).collect()
}
