//! Committed offsets: when they hold, when they are seen, when they go.

use std::sync::Arc;
use std::time::Duration;

use protocol::ErrorCode;
use protocol::messages::OffsetDeleteRequest;
use protocol::messages::offset_delete_request::{OffsetDeleteRequestPartition, OffsetDeleteRequestTopic};
use protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use protocol::types::{Offset, Uuid};

use super::driver::{Driver, GROUP, Waiting, commit_request, join_request, leaving, settings, sync_request};
use crate::group::machine::offsets::{CommittedOffset, OffsetKey};
use crate::group::machine::{CoordinatorRecord, DeleteOffsetsCall, DeletedTopic, Event, FetchCall};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 3_600);

fn delete_group(driver: &mut Driver) -> Waiting<()> {
    let (port, waiting) = Waiting::new();
    driver.handle(Event::DeleteGroup { group: GROUP.into(), port });
    waiting
}

fn delete_offset(driver: &mut Driver, topic: &str) -> i16 {
    let (port, waiting) = Waiting::new();
    let partitions = vec![OffsetDeleteRequestPartition { partition_index: 0 }];
    let topics = vec![OffsetDeleteRequestTopic { name: topic.into(), partitions }];
    let request = OffsetDeleteRequest { group_id: GROUP.into(), topics };
    driver.handle(Event::DeleteOffsets(DeleteOffsetsCall { request, port }));
    waiting.reply().topics[0].partitions[0].error_code
}

#[test]
fn a_commit_is_seen_and_answered_when_it_is_committed() {
    let mut driver = Driver::new(settings());
    driver.commits_at_once = false;
    let commit = driver.commit(commit_request("", -1, "topic", 7));
    commit.assert_waits();
    assert_eq!(driver.committed("topic"), None);
    driver.commit_one();
    assert_eq!(commit.reply().topics[0].partitions[0].error_code, 0);
    assert_eq!(driver.committed("topic"), Some(7));
    driver.assert_state("Empty");
}

#[test]
fn a_commit_that_fails_leaves_no_trace() {
    let mut driver = Driver::new(settings());
    driver.commits_at_once = false;
    let commit = driver.commit(commit_request("", -1, "topic", 7));
    driver.end_write(Err(ErrorCode::CoordinatorNotAvailable));
    assert_eq!(commit.refusal(), ErrorCode::CoordinatorNotAvailable);
    assert!(driver.describe().is_none());
}

#[test]
fn a_commit_that_takes_too_long_is_refused_but_holds_when_it_is_done() {
    let mut driver = Driver::new(settings());
    driver.commits_at_once = false;
    let commit = driver.commit(commit_request("", -1, "topic", 7));
    let mut write = driver.in_flight.pop_front().expect("it is on its way");
    let effects = driver.shard.handle_overdue(&mut write, driver.now);
    driver.carry_out(effects);
    assert_eq!(commit.refusal(), ErrorCode::CoordinatorNotAvailable);
    driver.in_flight.push_front(write);
    driver.commit_one();
    assert_eq!(driver.committed("topic"), Some(7));
}

#[test]
fn stable_offsets_wait_for_commits_on_their_way() {
    let mut driver = Driver::new(settings());
    driver.commits_at_once = false;
    driver.commit(commit_request("", -1, "topic", 7));
    let stable = driver.fetch_all(true);
    stable.assert_waits();
    driver.commit_one();
    assert_eq!(stable.reply().topics[0].partitions[0].committed_offset, 7);
}

#[test]
fn offsets_of_an_open_transaction_are_unstable_until_it_ends() {
    let mut driver = Driver::new(settings());
    driver.commit(commit_request("", -1, "topic", 7)).reply();
    let key = OffsetKey { group: GROUP.into(), topic: "topic".into(), partition: 0 };
    let value = CommittedOffset { offset: 9, ..Default::default() };
    let record = CoordinatorRecord::Offset { key, value };
    driver.shard.replay(record, Offset(100), Some(4_000), driver.now);
    let unstable = driver.fetch_all(true).reply();
    assert_eq!(unstable.topics[0].partitions[0].error_code, ErrorCode::UnstableOffsetCommit.code());
    assert_eq!(driver.committed("topic"), Some(7));
    driver.shard.replay_end_of_transaction(4_000, true, driver.now);
    assert_eq!(driver.fetch_all(true).reply().topics[0].partitions[0].committed_offset, 9);
}

#[test]
fn only_the_present_generation_commits() {
    let mut driver = Driver::new(settings());
    let unknown = driver.commit(commit_request("m", 5, "topic", 1));
    assert_eq!(unknown.refusal(), ErrorCode::GroupIdNotFound);
    let (ids, generation) = driver.stable_group(2);
    let old = driver.commit(commit_request(&ids[0], generation - 1, "topic", 1));
    assert_eq!(old.refusal(), ErrorCode::IllegalGeneration);
    let stranger = driver.commit(commit_request("stranger", generation, "topic", 1));
    assert_eq!(stranger.refusal(), ErrorCode::UnknownMemberId);
    let outsider = driver.commit(commit_request("", -1, "topic", 1));
    assert_eq!(outsider.refusal(), ErrorCode::UnknownMemberId);
    assert_eq!(driver.commit(commit_request(&ids[0], generation, "topic", 3)).reply().topics.len(), 1);
}

#[test]
fn the_ending_generation_commits_until_all_are_in_and_the_next_once_it_is_assigned() {
    let mut driver = Driver::new(settings());
    let (ids, generation) = driver.stable_group(2);
    let leader = driver.join(join_request(&ids[0]));
    driver.commit(commit_request(&ids[1], generation, "topic", 5)).reply();
    driver.join(join_request(&ids[1]));
    let generation = leader.reply().generation_id;
    let early = driver.commit(commit_request(&ids[1], generation, "topic", 6));
    assert_eq!(early.refusal(), ErrorCode::RebalanceInProgress);
    driver.sync(sync_request(&ids[0], generation, &ids)).reply();
    driver.commit(commit_request(&ids[1], generation, "topic", 6)).reply();
    assert_eq!(driver.committed("topic"), Some(6));
}

#[test]
fn metadata_that_is_too_long_is_refused_for_its_partition() {
    let mut driver = Driver::new(settings());
    let mut request = commit_request("", -1, "topic", 1);
    request.topics[0].partitions[0].committed_metadata = Some("x".repeat(4_097).into());
    let told = driver.commit(request.clone()).reply();
    assert_eq!(told.topics[0].partitions[0].error_code, ErrorCode::OffsetMetadataTooLarge.code());
    request.topics[0].partitions[0].committed_metadata = Some("é".repeat(4_096).into());
    assert_eq!(driver.commit(request).reply().topics[0].partitions[0].error_code, 0);
}

#[test]
fn null_metadata_comes_back_empty() {
    let mut driver = Driver::new(settings());
    let mut request = commit_request("", -1, "topic", 1);
    request.topics[0].partitions[0].committed_metadata = None;
    driver.commit(request).reply();
    let fetched = driver.fetch_all(false).reply();
    assert_eq!(fetched.topics[0].partitions[0].metadata.as_deref(), Some(""));
}

#[test]
fn what_was_committed_for_another_topic_of_the_same_name_is_not_shown() {
    let mut driver = Driver::new(settings());
    let mut request = commit_request("", -1, "topic", 7);
    request.topics[0].topic_id = Uuid([1; 16]);
    driver.commit(request).reply();
    let mut fetched_by = |id: Uuid| {
        let topic =
            OffsetFetchRequestTopics { name: "topic".into(), topic_id: id, partition_indexes: vec![0, 1] };
        let request = OffsetFetchRequestGroup {
            group_id: GROUP.into(),
            topics: Some(vec![topic]),
            ..Default::default()
        };
        let (port, waiting) = Waiting::new();
        driver.handle(Event::Fetch(FetchCall { request, require_stable: false, port }));
        let partitions = waiting.reply().topics.remove(0).partitions;
        partitions.iter().map(|partition| partition.committed_offset).collect::<Vec<_>>()
    };
    assert_eq!(fetched_by(Uuid([1; 16])), [7, -1]);
    assert_eq!(fetched_by(Uuid::ZERO), [7, -1]);
    assert_eq!(fetched_by(Uuid([2; 16])), [-1, -1]);
}

#[test]
fn a_group_is_deleted_with_its_offsets_those_on_their_way_too() {
    let mut driver = Driver::new(settings());
    assert_eq!(delete_group(&mut driver).refusal(), ErrorCode::GroupIdNotFound);
    driver.commit(commit_request("", -1, "topic", 1)).reply();
    driver.commits_at_once = false;
    driver.commit(commit_request("", -1, "late", 1));
    let deleted = delete_group(&mut driver);
    let refused = driver.commit(commit_request("", -1, "topic", 2));
    assert_eq!(refused.refusal(), ErrorCode::CoordinatorNotAvailable);
    let joining = driver.join(join_request("")).reply();
    assert_eq!(joining.error_code, ErrorCode::CoordinatorNotAvailable.code());
    driver.commit_one();
    deleted.assert_waits();
    driver.commit_one();
    deleted.reply();
    assert!(driver.describe().is_none());
    driver.fail_over();
    assert!(driver.describe().is_none());
    assert!(driver.fetch_all(false).reply().topics.is_empty());
}

#[test]
fn a_group_whose_tombstone_fails_lives_on() {
    let mut driver = Driver::new(settings());
    driver.commit(commit_request("", -1, "topic", 1)).reply();
    driver.commits_at_once = false;
    let deleted = delete_group(&mut driver);
    driver.end_write(Err(ErrorCode::NotCoordinator));
    assert_eq!(deleted.refusal(), ErrorCode::NotCoordinator);
    driver.assert_state("Empty");
    assert_eq!(driver.committed("topic"), Some(1));
}

#[test]
fn a_group_with_members_is_not_deleted_nor_are_offsets_that_it_uses() {
    let mut driver = Driver::new(settings());
    let (ids, generation) = driver.stable_group(1);
    driver.commit(commit_request(&ids[0], generation, "topic", 1)).reply();
    driver.commit(commit_request(&ids[0], generation, "former", 1)).reply();
    assert_eq!(delete_group(&mut driver).refusal(), ErrorCode::NonEmptyGroup);
    assert_eq!(delete_offset(&mut driver, "topic"), ErrorCode::GroupSubscribedToTopic.code());
    assert_eq!(delete_offset(&mut driver, "former"), 0);
    assert_eq!((driver.committed("topic"), driver.committed("former")), (Some(1), None));
    driver.leave(vec![leaving(&ids[0], None)]).reply();
    assert_eq!(delete_offset(&mut driver, "topic"), 0);
    assert_eq!(driver.committed("topic"), None);
}

#[test]
fn offsets_of_an_empty_group_expire_with_it() {
    let mut driver = Driver::new(settings());
    let (ids, generation) = driver.stable_group(1);
    driver.commit(commit_request(&ids[0], generation, "topic", 1)).reply();
    driver.leave(vec![leaving(&ids[0], None)]).reply();
    driver.advance(7 * DAY - 2 * SECOND);
    assert_eq!(driver.committed("topic"), Some(1));
    driver.advance(700 * SECOND);
    assert!(driver.describe().is_none());
    driver.fail_over();
    assert!(driver.describe().is_none());
}

#[test]
fn offsets_of_a_group_without_members_ever_expire_by_their_own_age() {
    let mut driver = Driver::new(settings());
    driver.commit(commit_request("", -1, "old", 1)).reply();
    driver.advance(4 * DAY);
    driver.commit(commit_request("", -1, "new", 1)).reply();
    driver.advance(4 * DAY);
    assert_eq!((driver.committed("old"), driver.committed("new")), (None, Some(1)));
}

#[test]
fn a_living_group_keeps_what_it_is_subscribed_to() {
    let mut driver = Driver::new(settings());
    let (ids, generation) = driver.stable_group(1);
    driver.commit(commit_request(&ids[0], generation, "topic", 1)).reply();
    driver.commit(commit_request(&ids[0], generation, "former", 1)).reply();
    for _ in 0..8 * 24 * 3_600 / 9 {
        let _ = driver.heartbeat(&ids[0], generation);
        driver.advance(9 * SECOND);
    }
    assert_eq!((driver.committed("topic"), driver.committed("former")), (Some(1), None));
}

#[test]
fn an_expiry_of_its_own_goes_before_the_groups() {
    let mut driver = Driver::new(settings());
    let mut request = commit_request("", -1, "topic", 1);
    request.retention_time_ms = 5_000;
    driver.commit(request).reply();
    driver.advance(601 * SECOND);
    assert_eq!(driver.committed("topic"), None);
}

#[test]
fn offsets_go_with_their_topic_but_not_with_a_namesake() {
    let mut driver = Driver::new(settings());
    let mut request = commit_request("", -1, "topic", 1);
    request.topics[0].topic_id = Uuid([1; 16]);
    driver.commit(request).reply();
    let deleted = |id| Event::TopicsDeleted(Arc::from([DeletedTopic { name: "topic".into(), id }]));
    driver.handle(deleted(Uuid([2; 16])));
    assert_eq!(driver.committed("topic"), Some(1));
    driver.handle(deleted(Uuid([1; 16])));
    assert_eq!(driver.committed("topic"), None);
}
