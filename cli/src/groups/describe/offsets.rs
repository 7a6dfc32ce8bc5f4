//! The offsets of groups: one row a partition that is read, or for which something is committed.

use std::collections::{BTreeMap, BTreeSet};

use client::{
    Admin, CommittedOffset, GroupDescription, GroupMember, IsolationLevel, OffsetSpec, TopicPartition,
};
use protocol::ErrorCode;
use serde_json::json;

use crate::arguments::Output;
use crate::output::{DASH, Table, print, print_json};

/// One partition of one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    group: String,
    partition: TopicPartition,
    committed: Option<CommittedOffset>,
    /// `None`: the partition has no leader, or is gone.
    log_end_offset: Option<i64>,
    reader: Option<Reader>,
}

/// The member that reads a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reader {
    id: String,
    host: String,
    client_id: String,
}

/// Asks for what is committed, and where partitions end.
pub async fn rows(admin: &Admin, groups: &[&GroupDescription]) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for group in groups {
        let committed = admin.committed_offsets(&group.group_id).await?;
        rows.extend(of_group(group, &committed));
    }
    let partitions: BTreeSet<_> = rows.iter().map(|row| row.partition.clone()).collect();
    let ends = log_end_offsets(admin, partitions).await?;
    for row in &mut rows {
        row.log_end_offset = ends.get(&row.partition).copied();
    }
    Ok(rows)
}

/// By topic and partition.
fn of_group(group: &GroupDescription, committed: &BTreeMap<TopicPartition, CommittedOffset>) -> Vec<Row> {
    let read = |member: &'_ GroupMember| {
        let reader = Reader::of(member);
        member.assignment.iter().map(move |partition| (partition.clone(), reader.clone())).collect::<Vec<_>>()
    };
    let readers: BTreeMap<TopicPartition, Reader> = group.members.iter().flat_map(read).collect();
    let partitions: BTreeSet<_> = readers.keys().chain(committed.keys()).collect();
    let row = |partition: &TopicPartition| Row {
        group: group.group_id.to_string(),
        partition: partition.clone(),
        committed: committed.get(partition).cloned(),
        log_end_offset: None,
        reader: readers.get(partition).cloned(),
    };
    partitions.into_iter().map(row).collect()
}

impl Reader {
    fn of(member: &GroupMember) -> Reader {
        Reader {
            id: member.id.to_string(),
            host: member.host.to_string(),
            client_id: member.client_id.to_string(),
        }
    }
}

async fn log_end_offsets(
    admin: &Admin,
    partitions: BTreeSet<TopicPartition>,
) -> anyhow::Result<BTreeMap<TopicPartition, i64>> {
    let mut gone = BTreeSet::new();
    let mut asked = Vec::new();
    for partition in partitions {
        if gone.contains(&partition.topic) {
            continue;
        }
        match admin.cluster().topic(&partition.topic).await {
            Ok(topic) => {
                let led = topic.partition(&partition).is_ok_and(|partition| partition.leader.is_some());
                asked.extend(led.then_some((partition, OffsetSpec::Latest)));
            }
            Err(error) if error.code() == Some(ErrorCode::UnknownTopicOrPartition) => {
                gone.insert(partition.topic);
            }
            Err(error) => return Err(error.into()),
        }
    }
    let ends = admin.cluster().offsets(IsolationLevel::ReadUncommitted, &asked).await?;
    Ok(ends.into_iter().filter_map(|(partition, end)| Some((partition, end?))).collect())
}

impl Row {
    fn lag(&self) -> Option<i64> {
        Some(self.log_end_offset? - self.committed.as_ref()?.offset)
    }

    fn cells(&self, verbose: bool) -> Vec<String> {
        let number = |number: Option<i64>| number.map_or(DASH.into(), |number| number.to_string());
        let reader =
            |field: fn(&Reader) -> &String| self.reader.as_ref().map_or(DASH.into(), |it| field(it).clone());
        let committed = self.committed.as_ref();
        let mut cells =
            vec![self.group.clone(), self.partition.topic.to_string(), self.partition.partition.to_string()];
        if verbose {
            let epoch = committed.and_then(|committed| committed.leader_epoch);
            cells.push(number(epoch.map(|epoch| epoch.0.into())));
        }
        cells.extend([
            number(committed.map(|committed| committed.offset)),
            number(self.log_end_offset),
            number(self.lag()),
            reader(|it| &it.id),
            reader(|it| &it.host),
            reader(|it| &it.client_id),
        ]);
        cells
    }

    fn json(&self) -> serde_json::Value {
        let committed = self.committed.as_ref();
        let reader = self.reader.as_ref();
        json!({
            "group": self.group,
            "topic": &*self.partition.topic,
            "partition": self.partition.partition,
            "leader_epoch": committed.and_then(|committed| committed.leader_epoch).map(|epoch| epoch.0),
            "current_offset": committed.map(|committed| committed.offset),
            "log_end_offset": self.log_end_offset,
            "lag": self.lag(),
            "metadata": committed.map(|committed| committed.metadata.as_str()),
            "consumer_id": reader.map(|reader| &reader.id),
            "host": reader.map(|reader| &reader.host),
            "client_id": reader.map(|reader| &reader.client_id),
        })
    }
}

pub fn show(rows: &[Row], verbose: bool, output: Output) -> anyhow::Result<()> {
    match output {
        Output::Json => print_json(&rows.iter().map(Row::json).collect()),
        Output::Table if rows.is_empty() => Ok(()),
        Output::Table => print(&table(rows, verbose).render()),
    }
}

fn table(rows: &[Row], verbose: bool) -> Table {
    let mut titles = vec!["GROUP", "TOPIC", "PARTITION"];
    if verbose {
        titles.push("LEADER-EPOCH");
    }
    titles.extend(["CURRENT-OFFSET", "LOG-END-OFFSET", "LAG", "CONSUMER-ID", "HOST", "CLIENT-ID"]);
    let mut table = Table::new(titles);
    rows.iter().for_each(|row| table.row(row.cells(verbose)));
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::types::LeaderEpoch;

    fn group() -> GroupDescription {
        let member = GroupMember {
            id: "m-1".into(),
            instance_id: None,
            client_id: "c".into(),
            host: "/10.0.0.1".into(),
            assignment: vec![TopicPartition::new("t", 1)],
            target_assignment: None,
            epoch: None,
        };
        GroupDescription {
            group_id: "g".into(),
            group_type: "classic",
            state: "Stable".into(),
            assignor: "range".into(),
            coordinator: None,
            epoch: None,
            assignment_epoch: None,
            members: vec![member],
        }
    }

    #[test]
    fn a_partition_is_shown_for_its_reader_and_for_its_offset() {
        let committed =
            CommittedOffset { offset: 7, leader_epoch: Some(LeaderEpoch(3)), metadata: "".into() };
        let committed = BTreeMap::from([(TopicPartition::new("t", 0), committed)]);
        let mut rows = of_group(&group(), &committed);
        rows[0].log_end_offset = Some(10);
        assert_eq!(
            table(&rows, true).render(),
            "GROUP  TOPIC  PARTITION  LEADER-EPOCH  CURRENT-OFFSET  LOG-END-OFFSET  LAG  CONSUMER-ID  HOST       CLIENT-ID\n\
             g      t      0          3             7               10              3    -            -          -\n\
             g      t      1          -             -               -               -    m-1          /10.0.0.1  c\n"
        );
        assert_eq!(rows[0].json()["lag"], 3);
    }
}
