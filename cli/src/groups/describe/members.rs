//! The members of groups: one row a member.

use std::collections::BTreeMap;

use client::{GroupDescription, GroupMember, TopicPartition};
use serde_json::json;

use crate::arguments::Output;
use crate::output::{DASH, Table, or_dash, print, print_json};

pub fn show(groups: &[&GroupDescription], verbose: bool, output: Output) -> anyhow::Result<()> {
    let mut members = Vec::new();
    for &group in groups {
        members.extend(group.members.iter().map(|member| (group, member)));
    }
    match output {
        Output::Json => print_json(&members.iter().map(|(group, member)| json_of(group, member)).collect()),
        Output::Table if members.is_empty() => Ok(()),
        Output::Table => print(&table(&members, verbose).render()),
    }
}

fn table(members: &[(&GroupDescription, &GroupMember)], verbose: bool) -> Table {
    let with_instances = members.iter().any(|(_, member)| member.instance_id.is_some());
    let mut titles = vec!["GROUP", "CONSUMER-ID"];
    if with_instances {
        titles.push("GROUP-INSTANCE-ID");
    }
    titles.extend(["HOST", "CLIENT-ID", "#PARTITIONS"]);
    if verbose {
        titles.extend(["CURRENT-EPOCH", "CURRENT-ASSIGNMENT", "TARGET-EPOCH", "TARGET-ASSIGNMENT"]);
    }
    let mut table = Table::new(titles);
    for (group, member) in members {
        table.row(cells(group, member, with_instances, verbose));
    }
    table
}

fn cells(group: &GroupDescription, member: &GroupMember, with_instances: bool, verbose: bool) -> Vec<String> {
    let epoch = |epoch: Option<i32>| epoch.map_or(DASH.to_owned(), |epoch| epoch.to_string());
    let mut cells = vec![group.group_id.to_string(), member.id.to_string()];
    if with_instances {
        cells.push(or_dash(member.instance_id.as_deref().unwrap_or_default()).to_owned());
    }
    cells.extend([
        member.host.to_string(),
        member.client_id.to_string(),
        member.assignment.len().to_string(),
    ]);
    if verbose {
        cells.extend([
            epoch(member.epoch),
            or_dash(&assignment(&member.assignment)).to_owned(),
            epoch(group.assignment_epoch),
            or_dash(&assignment(member.target_assignment.as_deref().unwrap_or_default())).to_owned(),
        ]);
    }
    cells
}

/// "orders:0,1;payments:0", as Kafka's tool writes it.
fn assignment(partitions: &[TopicPartition]) -> String {
    let topics = by_topic(partitions).into_iter().map(|(topic, partitions)| {
        let partitions: Vec<_> = partitions.iter().map(i32::to_string).collect();
        format!("{topic}:{}", partitions.join(","))
    });
    topics.collect::<Vec<_>>().join(";")
}

fn by_topic(partitions: &[TopicPartition]) -> BTreeMap<&str, Vec<i32>> {
    let mut sorted: Vec<_> = partitions.iter().collect();
    sorted.sort();
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for partition in sorted {
        topics.entry(&partition.topic).or_default().push(partition.partition);
    }
    topics
}

fn json_of(group: &GroupDescription, member: &GroupMember) -> serde_json::Value {
    json!({
        "group": &*group.group_id,
        "consumer_id": &*member.id,
        "group_instance_id": member.instance_id.as_deref(),
        "host": &*member.host,
        "client_id": &*member.client_id,
        "current_epoch": member.epoch,
        "assignment": by_topic(&member.assignment),
        "target_epoch": group.assignment_epoch,
        "target_assignment": member.target_assignment.as_deref().map(by_topic),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_is_told_by_topic() {
        let of = |list: &[(&str, i32)]| -> Vec<_> {
            list.iter().map(|(topic, partition)| TopicPartition::new(*topic, *partition)).collect()
        };
        assert_eq!(assignment(&of(&[("b", 0), ("a", 10), ("a", 9)])), "a:9,10;b:0");
        assert_eq!(assignment(&[]), "");
    }
}
