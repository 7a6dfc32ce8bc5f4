//! A million commits are read from `__consumer_offsets` when its leader starts: by one group, whose commits stand in one
//! partition, and by a hundred, whose stand in many.

use std::thread;
use std::time::Instant;

use anyhow::{Result, bail, ensure};
use protocol::ErrorCode;
use protocol::messages::offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use protocol::messages::{OffsetCommitRequest, OffsetFetchRequest};

use super::{PATIENCE, PAUSE};
use crate::measures::Turn;
use crate::subject::Server;
use crate::wire::Wire;

const COMMITS: usize = 1_000_000;
const TOPICS: usize = 10;
const PARTITIONS: usize = 100;
/// By each commit of a group.
const PARTITIONS_AT_ONCE: usize = TOPICS * PARTITIONS;
/// A group whose offsets stand in another partition than those of `load-0`.
const BYSTANDER: &str = "bystander";

const COMMIT_VERSION: i16 = 8;
const FETCH_VERSION: i16 = 8;

pub fn take(turn: &mut Turn<'_>, server: &mut Server) -> Result<()> {
    let names: Vec<String> = (0..TOPICS).map(|number| format!("committed-{number}")).collect();
    turn.create(&names.iter().map(String::as_str).collect::<Vec<_>>(), PARTITIONS as u32)?;
    commit(&server.bootstrap(), BYSTANDER, &names, 1)?;
    measure(turn, server, "1 group", &["load-0".to_owned()], &names)?;
    let many: Vec<String> = (0..100).map(|number| format!("loads-{number}")).collect();
    measure(turn, server, "100 groups more", &many, &names)
}

fn measure(
    turn: &mut Turn<'_>,
    server: &mut Server,
    who: &str,
    groups: &[String],
    topics: &[String],
) -> Result<()> {
    let times = COMMITS / PARTITIONS_AT_ONCE / groups.len();
    for group in groups {
        commit(&server.bootstrap(), group, topics, times)?;
    }
    server.restart()?;
    let began = Instant::now();
    await_offset(&server.bootstrap(), BYSTANDER, 1)?;
    let bystander = began.elapsed();
    for group in groups {
        await_offset(&server.bootstrap(), group, times as i64)?;
    }
    let name = |figure: &str| format!("{COMMITS} commits by {who}: {figure}");
    turn.sample(name("offsets known after the first Metadata"), "s", began.elapsed().as_secs_f64());
    turn.sample(name("those of another group"), "s", bystander.as_secs_f64());
    Ok(())
}

/// Commits 1, 2, … `times` for every partition.
fn commit(bootstrap: &str, group: &str, topics: &[String], times: usize) -> Result<()> {
    let mut wire = Wire::open(bootstrap)?;
    for offset in 1..=times {
        let request = commit_of(group, topics, offset as i64);
        let began = Instant::now();
        loop {
            let answer = wire.call(&request, COMMIT_VERSION)?;
            let mut answers = answer.topics.iter().flat_map(|topic| &topic.partitions);
            match answers.find(|partition| partition.error_code != 0) {
                None => break,
                Some(refused) if began.elapsed() > PATIENCE => bail!("a commit is refused: {refused:?}"),
                Some(_) => thread::sleep(PAUSE),
            }
        }
    }
    Ok(())
}

fn commit_of(group: &str, topics: &[String], committed_offset: i64) -> OffsetCommitRequest {
    let partition = |partition_index| OffsetCommitRequestPartition {
        partition_index,
        committed_offset,
        committed_metadata: Some("".into()),
        ..Default::default()
    };
    let topic = |name: &String| OffsetCommitRequestTopic {
        name: name.as_str().into(),
        partitions: (0..PARTITIONS as i32).map(partition).collect(),
        ..Default::default()
    };
    OffsetCommitRequest {
        group_id: group.into(),
        topics: topics.iter().map(topic).collect(),
        ..Default::default()
    }
}

/// Until the group's offsets are served; fails if they are not those that were committed last.
fn await_offset(bootstrap: &str, group: &str, committed: i64) -> Result<()> {
    let groups = vec![OffsetFetchRequestGroup { group_id: group.into(), topics: None, ..Default::default() }];
    let request = OffsetFetchRequest { groups, ..Default::default() };
    let (mut wire, began) = (Wire::open(bootstrap)?, Instant::now());
    loop {
        let answer = wire.call(&request, FETCH_VERSION)?;
        let group = answer.groups.first();
        let error = group.map_or(ErrorCode::None, |group| ErrorCode::from_code(group.error_code));
        if error == ErrorCode::None {
            let partitions = group.iter().flat_map(|group| &group.topics).flat_map(|topic| &topic.partitions);
            let known = partitions.filter(|partition| partition.committed_offset == committed).count();
            ensure!(known == PARTITIONS_AT_ONCE, "{known} partitions stand at {committed}");
            return Ok(());
        }
        ensure!(began.elapsed() < PATIENCE, "the offsets are not served: {error}");
        thread::sleep(PAUSE);
    }
}
