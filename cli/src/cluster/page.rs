//! The page: tables of at most a hundred columns, what is well in few words and what is not in more.

use std::collections::BTreeMap;

use protocol::types::BrokerId;

use super::census::{BrokerSeen, Census, PartitionSeen};
use super::store::{RegistrationSeen, StoreSeen};
use super::tally::{Tally, tallies};
use super::trouble::{Trouble, partitions_in_trouble};
use crate::output::{Table, bytes};

/// Partitions in trouble that are named one by one.
const PARTITIONS_SHOWN: usize = 20;
/// Longer names of topics are cut.
const NAME_CHARS_MAX: usize = 40;
/// What is not known.
const UNKNOWN: &str = "?";

/// The whole page. Without `store` it says how to see the rest.
pub fn render(census: &Census, store: Option<&StoreSeen>) -> String {
    let mut page = format!("Cluster {}\n\n", census.cluster_id);
    page += &brokers(census);
    page += "\n";
    match store {
        Some(store) => page += &control(store),
        None => page += "Controller and store: name etcd with --metadata-endpoints to see them.\n",
    }
    page += "\n";
    page += &partitions(census);
    page
}

fn brokers(census: &Census) -> String {
    let mut table = Table::new([
        "BROKER", "RACK", "ADDRESS", "STATE", "LEADS", "REPLICAS", "IN SYNC", "LAG MAX", "DATA", "FREE",
    ]);
    let registered: BTreeMap<BrokerId, &BrokerSeen> =
        census.brokers.iter().map(|broker| (broker.id, broker)).collect();
    for (id, tally) in tallies(census) {
        let broker = registered.get(&id);
        table.row([
            id.to_string(),
            broker.and_then(|broker| broker.rack.clone()).unwrap_or_else(|| "-".into()),
            broker.map_or("-".into(), |broker| broker.address.clone()),
            state(broker.copied(), &tally).into(),
            format!("{} of {}", tally.leads, tally.preferred),
            tally.replicas.to_string(),
            tally.in_sync.to_string(),
            tally.lag_max.map_or(UNKNOWN.into(), |lag| lag.to_string()),
            tally.bytes.map_or(UNKNOWN.into(), bytes),
            tally.usable_bytes.map_or(UNKNOWN.into(), bytes),
        ]);
    }
    table.render()
}

fn state(broker: Option<&BrokerSeen>, tally: &Tally) -> &'static str {
    match broker {
        None => "gone",
        Some(broker) if broker.fenced => "fenced",
        Some(broker) if broker.dirs.is_none() => "silent",
        Some(_) if tally.failed_dirs > 0 => "disk failed",
        Some(_) => "up",
    }
}

fn control(store: &StoreSeen) -> String {
    let controller = match (&store.active, store.members.iter().any(|member| member.answer.is_ok())) {
        (Some(active), _) => format!("{} at {}, epoch {}", active.id, active.endpoint, active.epoch),
        (None, true) => "none is active: elections and admin calls wait".into(),
        (None, false) => "not known: the metadata store does not answer".into(),
    };
    let mut text = format!("Controller  {controller}\n");
    text += &standing_by(store);
    for member in &store.members {
        let answer = match &member.answer {
            Ok((revision, took)) => format!("revision {revision}, read in {} ms", took.as_millis()),
            Err(error) => error.clone(),
        };
        text += &format!("Store       {}: {answer}\n", member.endpoint);
    }
    let unsettled = store.registrations.iter().filter_map(|(id, seen)| Some((id, unsettled(*seen)?)));
    for (id, what) in unsettled {
        text += &format!("Broker {id}    {what}\n");
    }
    text
}

/// Who would take over; told only where somebody is active.
fn standing_by(store: &StoreSeen) -> String {
    if store.active.is_none() {
        return String::new();
    }
    let standbys = match &store.standbys {
        Ok(standbys) if standbys.is_empty() => "none: if the controller dies nobody takes over".into(),
        Ok(standbys) => {
            let standby = |(id, endpoint): &(i32, String)| format!("{id} at {endpoint}");
            standbys.iter().map(standby).collect::<Vec<_>>().join("; ")
        }
        Err(error) => format!("not known: {error}"),
    };
    format!("Standing by {standbys}\n")
}

/// A registration that is not simply admitted.
fn unsettled(seen: RegistrationSeen) -> Option<String> {
    match (seen.epoch, seen.admitted) {
        (Some(epoch), Some(admitted)) if epoch == admitted && !seen.fenced => None,
        (Some(epoch), Some(admitted)) if epoch == admitted => {
            Some(format!("fenced since it was admitted, epoch {epoch}"))
        }
        (Some(epoch), _) => Some(format!("registered by epoch {epoch}, not admitted yet")),
        (None, admitted) => {
            Some(format!("not registered; it was admitted last by epoch {}", admitted.unwrap_or(-1)))
        }
    }
}

fn partitions(census: &Census) -> String {
    let replicas: usize = census.partitions.iter().map(|partition| partition.replicas.len()).sum();
    let (topics, partitions) = (census.topics, census.partitions.len());
    let mut text = format!("{topics} topics, {partitions} partitions, {replicas} replicas");
    let troubled = partitions_in_trouble(&census.partitions);
    if troubled.is_empty() {
        return text + ": every partition is led, every replica in sync.\n";
    }
    text += &format!("; {} in trouble:\n\n", troubled.len());
    let mut table = Table::new(["PARTITION", "TROUBLE", "LEADER", "REPLICAS", "ISR", "ELR"]);
    troubled
        .iter()
        .take(PARTITIONS_SHOWN)
        .for_each(|(trouble, partition)| table.row(row(*trouble, partition)));
    text += &table.render();
    match troubled.len().saturating_sub(PARTITIONS_SHOWN) {
        0 => text,
        more => text + &format!("and {more} more: milena topics describe --under-replicated-partitions\n"),
    }
}

fn row(trouble: Trouble, partition: &PartitionSeen) -> [String; 6] {
    [
        format!("{}-{}", shortened(&partition.topic), partition.index),
        trouble.name().into(),
        partition.leader.map_or("none".into(), |leader| leader.to_string()),
        ids(&partition.replicas),
        ids(&partition.isr),
        ids(&partition.elr),
    ]
}

fn shortened(name: &str) -> String {
    match name.char_indices().nth(NAME_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

fn ids(brokers: &[BrokerId]) -> String {
    brokers.iter().map(BrokerId::to_string).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests;
