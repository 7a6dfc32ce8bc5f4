//! Requests to a running coordinator.

use std::sync::Arc;
use std::time::Duration;

use protocol::ErrorCode;
use protocol::messages::offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use protocol::messages::{
    HeartbeatRequest, JoinGroupRequest, JoinGroupResponse, OffsetCommitRequest, OffsetCommitResponse,
    SyncGroupRequest,
};
use protocol::records::Compression;
use protocol::types::LeaderEpoch;
use protocol::wire::Str;
use tokio::time::timeout;

use super::memory_log::MemoryLog;
use crate::config::GroupSettings;
use crate::group::machine::settings_for_tests;
use crate::group::{Client, GroupCoordinator, JoinRules, Reply};

const GROUP: &str = "group";
const RULES: JoinRules = JoinRules { member_id_required: true, may_skip_assignment: true };

pub fn quick() -> GroupSettings {
    GroupSettings {
        initial_rebalance_delay: Duration::from_millis(50),
        commit_timeout: Duration::from_millis(200),
        ..settings_for_tests()
    }
}

/// A coordinator of one partition, which it leads by epoch 0.
pub fn coordinator(log: &Arc<MemoryLog>) -> Arc<GroupCoordinator> {
    coordinator_with(quick(), log)
}

pub fn coordinator_with(settings: GroupSettings, log: &Arc<MemoryLog>) -> Arc<GroupCoordinator> {
    let coordinator = GroupCoordinator::new(settings, Compression::None, 1, Arc::new(log.clone()));
    coordinator.on_leadership(0, Some(LeaderEpoch(0)));
    Arc::new(coordinator)
}

pub async fn fetch(coordinator: &GroupCoordinator, group: &str) -> Reply<Option<i64>> {
    let request = OffsetFetchRequestGroup { group_id: group.into(), topics: None, ..Default::default() };
    let fetched = coordinator.fetch(request, true).await?;
    Ok(fetched.topics.first().map(|topic| topic.partitions[0].committed_offset))
}

/// Waits until the coordinator has read its log.
pub async fn ready(coordinator: &GroupCoordinator) {
    while fetch(coordinator, GROUP).await == Err(ErrorCode::CoordinatorLoadInProgress) {
        tokio::task::yield_now().await;
    }
}

pub async fn commit(coordinator: &GroupCoordinator, group: &str, offset: i64) -> Reply<OffsetCommitResponse> {
    let partition = OffsetCommitRequestPartition { committed_offset: offset, ..Default::default() };
    let topic =
        OffsetCommitRequestTopic { name: "topic".into(), partitions: vec![partition], ..Default::default() };
    let request = OffsetCommitRequest { group_id: group.into(), topics: vec![topic], ..Default::default() };
    coordinator.commit(request, true).await
}

pub fn join_request(member_id: &str) -> JoinGroupRequest {
    let protocols = vec![protocol::messages::join_group_request::JoinGroupRequestProtocol {
        name: "range".into(),
        metadata: Default::default(),
    }];
    JoinGroupRequest {
        group_id: GROUP.into(),
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 60_000,
        member_id: member_id.into(),
        protocol_type: "consumer".into(),
        protocols,
        ..Default::default()
    }
}

pub async fn join(coordinator: &GroupCoordinator, member_id: &str) -> Reply<JoinGroupResponse> {
    let client = Client { id: "client".into(), host: "/127.0.0.1".into() };
    coordinator.join(join_request(member_id), client, RULES).await
}

/// Joins as a newcomer does, in two steps.
pub async fn join_new(coordinator: &GroupCoordinator) -> Reply<JoinGroupResponse> {
    let told = join(coordinator, "").await?;
    assert_eq!(told.error_code, ErrorCode::MemberIdRequired.code());
    join(coordinator, &told.member_id).await
}

/// Assigns something to everybody if it leads, and fetches its own.
pub async fn sync(coordinator: &GroupCoordinator, joined: &JoinGroupResponse) -> Reply<Str> {
    let assignments = joined.members.iter().map(|member| SyncGroupRequestAssignment {
        member_id: member.member_id.clone(),
        assignment: member.member_id.clone().into_bytes(),
    });
    let request = SyncGroupRequest {
        group_id: GROUP.into(),
        generation_id: joined.generation_id,
        member_id: joined.member_id.clone(),
        assignments: assignments.collect(),
        ..Default::default()
    };
    let synced = coordinator.sync(request).await?;
    Ok(Str::from_utf8(synced.assignment).expect("it was a name"))
}

#[tokio::test(start_paused = true)]
async fn a_group_forms_and_each_member_has_its_own() {
    let log = MemoryLog::new();
    let coordinator = coordinator(&log);
    ready(&coordinator).await;
    let (one, other) = tokio::join!(join_new(&coordinator), join_new(&coordinator));
    let (one, other) = (one.expect("it leads"), other.expect("it leads"));
    let synced = tokio::join!(sync(&coordinator, &one), sync(&coordinator, &other));
    assert_eq!(synced, (Ok(one.member_id), Ok(other.member_id)));
}

#[tokio::test(start_paused = true)]
async fn a_commit_waits_for_the_high_watermark_and_stable_readers_with_it() {
    let log = MemoryLog::new();
    let coordinator = coordinator(&log);
    ready(&coordinator).await;
    log.commit_at_once(false);
    let mut waiting = Box::pin(commit(&coordinator, GROUP, 7));
    assert!(timeout(Duration::from_millis(50), &mut waiting).await.is_err());
    let mut reading = Box::pin(fetch(&coordinator, GROUP));
    assert!(timeout(Duration::from_millis(50), &mut reading).await.is_err());
    log.commit_at_once(true);
    assert!(waiting.await.is_ok());
    assert_eq!(reading.await, Ok(Some(7)));
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_its_replicas_do_not_take_in_time_is_refused_and_holds_later() {
    let log = MemoryLog::new();
    let coordinator = coordinator(&log);
    ready(&coordinator).await;
    log.commit_at_once(false);
    assert_eq!(commit(&coordinator, GROUP, 7).await.err(), Some(ErrorCode::CoordinatorNotAvailable));
    log.commit_at_once(true);
    assert_eq!(fetch(&coordinator, GROUP).await, Ok(Some(7)));
}

#[tokio::test]
async fn a_log_that_refuses_is_told_in_the_coordinators_words() {
    let log = MemoryLog::new();
    let coordinator = coordinator(&log);
    ready(&coordinator).await;
    log.refuse(Some(ErrorCode::NotEnoughReplicas));
    assert_eq!(commit(&coordinator, GROUP, 7).await.err(), Some(ErrorCode::CoordinatorNotAvailable));
    log.refuse(Some(ErrorCode::MessageTooLarge));
    assert_eq!(commit(&coordinator, GROUP, 7).await.err(), Some(ErrorCode::UnknownServerError));
    log.refuse(None);
    assert!(commit(&coordinator, GROUP, 8).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_sent_away_when_the_partition_moves() {
    let log = MemoryLog::new();
    let coordinator = coordinator(&log);
    ready(&coordinator).await;
    let waiting = tokio::spawn({
        let coordinator = coordinator.clone();
        async move { join_new(&coordinator).await }
    });
    tokio::time::sleep(Duration::from_millis(10)).await;
    coordinator.on_leadership(0, None);
    assert_eq!(waiting.await.expect("it does not panic").err(), Some(ErrorCode::NotCoordinator));
    assert_eq!(commit(&coordinator, GROUP, 1).await.err(), Some(ErrorCode::NotCoordinator));
}

#[tokio::test]
async fn a_deposed_coordinator_writes_nothing_and_the_next_one_goes_on() {
    let log = MemoryLog::new();
    let old = coordinator(&log);
    ready(&old).await;
    commit(&old, GROUP, 1).await.expect("it leads");
    log.begin_epoch(LeaderEpoch(1));
    let new = GroupCoordinator::new(quick(), Compression::None, 1, Arc::new(log.clone()));
    new.on_leadership(0, Some(LeaderEpoch(1)));
    ready(&new).await;
    commit(&new, GROUP, 2).await.expect("it leads");
    assert_eq!(commit(&old, GROUP, 3).await.err(), Some(ErrorCode::NotCoordinator));
    assert_eq!(fetch(&new, GROUP).await, Ok(Some(2)));
}

#[tokio::test]
async fn in_a_later_epoch_the_log_is_read_anew_for_another_may_have_led_in_between() {
    let log = MemoryLog::new();
    let one = coordinator(&log);
    ready(&one).await;
    commit(&one, GROUP, 1).await.expect("it leads");
    log.begin_epoch(LeaderEpoch(1));
    let other = GroupCoordinator::new(quick(), Compression::None, 1, Arc::new(log.clone()));
    other.on_leadership(0, Some(LeaderEpoch(1)));
    ready(&other).await;
    commit(&other, GROUP, 2).await.expect("it leads");
    log.begin_epoch(LeaderEpoch(2));
    one.on_leadership(0, Some(LeaderEpoch(2)));
    one.on_leadership(0, Some(LeaderEpoch(1)));
    ready(&one).await;
    assert_eq!(fetch(&one, GROUP).await, Ok(Some(2)));
    assert!(commit(&one, GROUP, 3).await.is_ok());
}

#[tokio::test]
async fn commits_that_come_together_share_an_append() {
    let log = MemoryLog::new();
    let coordinator = coordinator(&log);
    ready(&coordinator).await;
    let groups: Vec<String> = (0..100).map(|at| format!("group-{at}")).collect();
    let commits = groups.iter().map(|group| commit(&coordinator, group, 1));
    let done = futures_util::future::join_all(commits).await;
    assert!(done.iter().all(|reply| reply.is_ok()));
    assert!(log.batches_count() < 20, "{} batches for 100 commits", log.batches_count());
}

#[tokio::test]
async fn requests_that_make_no_sense_are_refused_before_they_reach_a_shard() {
    let log = MemoryLog::new();
    let coordinator = coordinator(&log);
    let client = Client { id: "client".into(), host: "/127.0.0.1".into() };
    let hasty = JoinGroupRequest { session_timeout_ms: 5_999, ..join_request("") };
    assert_eq!(
        coordinator.join(hasty, client.clone(), RULES).await.err(),
        Some(ErrorCode::InvalidSessionTimeout)
    );
    let nameless = JoinGroupRequest { group_id: Str::default(), ..join_request("") };
    assert_eq!(coordinator.join(nameless, client, RULES).await.err(), Some(ErrorCode::InvalidGroupId));
    assert_eq!(
        coordinator.heartbeat(HeartbeatRequest::default()).await.err(),
        Some(ErrorCode::InvalidGroupId)
    );
}

#[tokio::test]
async fn groups_are_listed_by_state_and_type() {
    let log = MemoryLog::new();
    let coordinator = coordinator(&log);
    ready(&coordinator).await;
    commit(&coordinator, GROUP, 1).await.expect("it leads");
    let mut counts = Vec::new();
    for (states, types) in
        [(&[][..], &[][..]), (&["empty".into()], &["classic".into()]), (&["stable".into()], &[])]
    {
        counts.push(coordinator.list(states, types).await.expect("it leads").len());
    }
    assert_eq!(counts, [1, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_away_leaves_nothing_behind_but_its_session() {
    let log = MemoryLog::new();
    let coordinator = coordinator(&log);
    ready(&coordinator).await;
    let is_member = async {
        while coordinator
            .describe(&GROUP.into())
            .await
            .ok()
            .flatten()
            .is_none_or(|group| group.members.is_empty())
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = join_new(&coordinator) => panic!("the group waits for more members"),
        () = is_member => {}
    }
    let joined = join_new(&coordinator).await.expect("it leads");
    assert_eq!((joined.error_code, joined.generation_id), (0, 1));
    let described = coordinator.describe(&GROUP.into()).await.expect("it leads").expect("it exists");
    assert_eq!(described.members.len(), 2, "the lost one is a member until its session ends");
}

/// What a rebalance costs the coordinator, per member: it must not grow with the group.
#[tokio::test(start_paused = true)]
async fn a_thousand_members_settle() {
    for count in [10, 100, 1_000] {
        let log = MemoryLog::new();
        let coordinator = coordinator(&log);
        ready(&coordinator).await;
        let began = std::time::Instant::now();
        let joined = futures_util::future::join_all((0..count).map(|_| join_new(&coordinator))).await;
        let joined: Vec<JoinGroupResponse> =
            joined.into_iter().map(|reply| reply.expect("it leads")).collect();
        let synced =
            futures_util::future::join_all(joined.iter().map(|joined| sync(&coordinator, joined))).await;
        let took = began.elapsed();
        assert!(joined.iter().zip(synced).all(|(joined, synced)| synced.as_ref() == Ok(&joined.member_id)));
        println!("{count} members: {took:?}, {:?} each", took / count);
    }
}
