//! What a new leader reads.

use std::time::{Duration, Instant};

use bytes::Bytes;
use protocol::ErrorCode;
use protocol::messages::{OffsetCommitKey, OffsetCommitValue};
use protocol::types::LeaderEpoch;
use protocol::wire::{Message, RecordKey};

use super::coordinator::{commit, coordinator, coordinator_with, fetch, join_new, quick, ready, sync};
use super::memory_log::MemoryLog;
use crate::config::GroupSettings;

fn record(group: usize, partition: i32, offset: i64) -> (Bytes, Bytes) {
    let group = format!("group-{group}").into();
    let key = OffsetCommitKey { group, topic: "a-topic-of-usual-length".into(), partition };
    let value = OffsetCommitValue { offset, ..Default::default() };
    (key.encode_typed().expect("it is short"), value.encode_versioned(4).expect("it is short"))
}

#[tokio::test]
async fn everything_is_there_after_a_move() {
    let log = MemoryLog::new();
    let old = coordinator(&log);
    ready(&old).await;
    commit(&old, "simple", 5).await.expect("it leads");
    let joined = join_new(&old).await.expect("it leads");
    sync(&old, &joined).await.expect("it leads");
    drop(old);
    let new = coordinator(&log);
    ready(&new).await;
    assert_eq!(fetch(&new, "simple").await, Ok(Some(5)));
    assert_eq!(sync(&new, &joined).await, Ok(joined.member_id.clone()));
}

#[tokio::test]
async fn requests_are_told_to_come_again_while_it_loads() {
    let log = MemoryLog::new();
    log.commit_at_once(false);
    log.fill((0..10).map(|at| record(1, at, 7)), 3);
    let coordinator = coordinator(&log);
    assert_eq!(fetch(&coordinator, "group-1").await, Err(ErrorCode::CoordinatorLoadInProgress));
    log.commit_at_once(true);
    ready(&coordinator).await;
    assert_eq!(fetch(&coordinator, "group-1").await, Ok(Some(7)));
}

/// Each read ends somewhere in a batch, and one batch is larger than a read.
#[tokio::test]
async fn a_log_of_many_reads_is_read_to_its_end() {
    let log = MemoryLog::new();
    log.fill((0..100).map(|at| record(at, 0, at as i64)), 7);
    log.fill((100..200).map(|at| record(at, 0, at as i64)), 100);
    let coordinator = coordinator_with(GroupSettings { load_buffer_bytes: 1_000, ..quick() }, &log);
    ready(&coordinator).await;
    for group in 0..200 {
        assert_eq!(fetch(&coordinator, &format!("group-{group}")).await, Ok(Some(group)));
    }
}

#[tokio::test]
async fn a_log_that_can_not_be_read_is_tried_again() {
    let log = MemoryLog::new();
    log.fill(std::iter::once(record(1, 0, 7)), 1);
    log.refuse(Some(ErrorCode::KafkaStorageError));
    let coordinator = coordinator(&log);
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(fetch(&coordinator, "group-1").await, Err(ErrorCode::CoordinatorLoadInProgress));
    log.refuse(None);
    ready(&coordinator).await;
    assert_eq!(fetch(&coordinator, "group-1").await, Ok(Some(7)));
}

#[tokio::test]
async fn an_epoch_that_changes_while_it_loads_is_followed() {
    let log = MemoryLog::new();
    log.begin_epoch(LeaderEpoch(3));
    let coordinator = coordinator(&log);
    assert_eq!(fetch(&coordinator, "group").await, Err(ErrorCode::CoordinatorLoadInProgress));
    coordinator.on_leadership(0, Some(LeaderEpoch(3)));
    ready(&coordinator).await;
}

/// A million commits have to load within a second; unoptimized and beside other tests, a small part of them does in some.
#[tokio::test]
async fn many_commits_load_quickly() {
    const TIME_MAX: Duration = Duration::from_secs(10);
    let records = if cfg!(debug_assertions) { 20_000 } else { 1_000_000 };
    let log = MemoryLog::new();
    log.fill((0..records).map(|at| record(at % 1_000, (at / 1_000) as i32, at as i64)), 500);
    let began = Instant::now();
    let coordinator = coordinator(&log);
    ready(&coordinator).await;
    let took = began.elapsed();
    println!("{records} commits loaded in {took:?}");
    assert!(took < TIME_MAX, "{took:?}");
    assert!(fetch(&coordinator, "group-999").await.is_ok_and(|offset| offset.is_some()));
}
