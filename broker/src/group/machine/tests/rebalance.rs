//! How members come, agree and go.

use std::time::Duration;

use protocol::ErrorCode;
use protocol::messages::JoinGroupRequest;
use protocol::wire::Str;

use super::driver::{
    Driver, GROUP, SESSION_MS, commit_request, join_request, leaving, protocol, settings, sync_request,
};
use crate::config::GroupSettings;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_newcomer_learns_its_id_first_unless_its_version_is_too_old_for_that() {
    let mut driver = Driver::new(settings());
    let told = driver.join(join_request("")).reply();
    assert_eq!(told.error_code, ErrorCode::MemberIdRequired.code());
    assert_eq!(&*told.member_id, "member-0001");
    let old = driver.join_by(join_request(""), false);
    old.assert_waits();
}

#[test]
fn members_that_start_together_are_one_generation() {
    let mut driver = Driver::new(settings());
    let (first, first_join) = driver.join_new();
    driver.advance(2 * SECOND);
    let (_, second_join) = driver.join_new();
    driver.advance(2 * SECOND);
    first_join.assert_waits();
    driver.advance(2 * SECOND);
    let (one, other) = (first_join.reply(), second_join.reply());
    assert_eq!((one.generation_id, other.generation_id), (1, 1));
    assert_eq!((&one.leader, &other.leader), (&first, &first));
    assert_eq!((one.members.len(), other.members.len()), (2, 0));
    assert_eq!(one.protocol_name.as_deref(), Some("range"));
    driver.assert_state("CompletingRebalance");
}

#[test]
fn nobody_has_an_assignment_before_it_is_committed() {
    let mut driver = Driver::new(settings());
    let (a, join_a) = driver.join_new();
    let (b, _join_b) = driver.join_new();
    driver.advance(10 * SECOND);
    let generation = join_a.reply().generation_id;
    driver.commits_at_once = false;
    let follower = driver.sync(sync_request(&b, generation, &[]));
    let leader = driver.sync(sync_request(&a, generation, &[a.clone(), b.clone()]));
    follower.assert_waits();
    leader.assert_waits();
    assert!(driver.commit_one());
    assert_eq!(&follower.reply().assignment[..], b.as_bytes());
    assert_eq!(&leader.reply().assignment[..], a.as_bytes());
    driver.assert_state("Stable");
}

#[test]
fn an_assignment_that_can_not_be_stored_is_brought_again_in_the_same_generation() {
    let mut driver = Driver::new(settings());
    let (a, join_a) = driver.join_new();
    driver.advance(10 * SECOND);
    let generation = join_a.reply().generation_id;
    driver.commits_at_once = false;
    for _ in 0..3 {
        let sync = driver.sync(sync_request(&a, generation, std::slice::from_ref(&a)));
        driver.end_write(Err(ErrorCode::NotCoordinator));
        assert_eq!(sync.reply().error_code, ErrorCode::NotCoordinator.code());
        driver.assert_state("CompletingRebalance");
        assert_eq!(driver.join(join_request(&a)).reply().generation_id, generation);
    }
    let sync = driver.sync(sync_request(&a, generation, std::slice::from_ref(&a)));
    assert!(driver.commit_one());
    assert_eq!(&sync.reply().assignment[..], a.as_bytes());
    driver.assert_state("Stable");
}

#[test]
fn who_does_not_bring_an_assignment_again_that_could_not_be_stored_is_removed() {
    let mut driver = Driver::new(settings());
    let (a, join_a) = driver.join_new();
    driver.advance(10 * SECOND);
    let generation = join_a.reply().generation_id;
    driver.commits_at_once = false;
    let _ = driver.sync(sync_request(&a, generation, std::slice::from_ref(&a)));
    driver.end_write(Err(ErrorCode::NotCoordinator));
    for at in 0..60 {
        assert_eq!(driver.heartbeat(&a, generation), ErrorCode::None, "after {at} s");
        driver.advance(SECOND);
    }
    assert_eq!(driver.heartbeat(&a, generation), ErrorCode::UnknownMemberId);
}

#[test]
fn a_join_during_the_assignment_starts_over() {
    let mut driver = Driver::new(settings());
    let (a, join_a) = driver.join_new();
    driver.advance(10 * SECOND);
    let generation = join_a.reply().generation_id;
    driver.commits_at_once = false;
    let sync = driver.sync(sync_request(&a, generation, std::slice::from_ref(&a)));
    let (b, join_b) = driver.join_new();
    assert_eq!(sync.reply().error_code, ErrorCode::RebalanceInProgress.code());
    driver.commit_one();
    driver.assert_state("PreparingRebalance");
    let join_a = driver.join(join_request(&a));
    assert_eq!((join_a.reply().generation_id, join_b.reply().generation_id), (2, 2));
    let early = driver.sync(sync_request(&b, generation, &[]));
    assert_eq!(early.reply().error_code, ErrorCode::IllegalGeneration.code());
}

#[test]
fn who_is_not_back_in_time_is_forgotten_and_a_leader_succeeded() {
    let mut driver = Driver::new(GroupSettings { session_timeout_max: 2_000 * SECOND, ..settings() });
    let (ids, generation) = driver.stable_group(3);
    let back = driver.join(JoinGroupRequest { session_timeout_ms: 900_000, ..rejoin_with_news(&ids[2]) });
    for at in 0..59 {
        let _ = driver.heartbeat(&ids[0], generation);
        assert_eq!(driver.heartbeat(&ids[1], generation), ErrorCode::RebalanceInProgress, "after {at} s");
        driver.advance(SECOND);
    }
    back.assert_waits();
    driver.advance(SECOND);
    let joined = back.reply();
    assert_eq!((joined.leader, joined.members.len()), (ids[2].clone(), 1));
    assert_eq!(driver.heartbeat(&ids[0], generation), ErrorCode::UnknownMemberId);
}

#[test]
fn a_member_that_is_silent_for_its_session_is_removed() {
    let mut driver = Driver::new(settings());
    let (ids, generation) = driver.stable_group(2);
    for _ in 0..SESSION_MS / 1_000 {
        assert_eq!(driver.heartbeat(&ids[0], generation), ErrorCode::None);
        driver.advance(SECOND);
    }
    assert_eq!(driver.heartbeat(&ids[0], generation), ErrorCode::RebalanceInProgress);
    assert_eq!(driver.heartbeat(&ids[1], generation), ErrorCode::UnknownMemberId);
}

#[test]
fn a_session_that_ran_out_during_a_long_rebalance_begins_anew_with_the_generation() {
    let mut driver = Driver::new(settings());
    let (ids, generation) = driver.stable_group(3);
    let news = [driver.join(rejoin_with_news(&ids[1])), driver.join(rejoin_with_news(&ids[2]))];
    for _ in 0..60 {
        let _ = driver.heartbeat(&ids[0], generation);
        driver.advance(SECOND);
    }
    let leader = news[0].reply().leader;
    let follower = if leader == ids[1] { ids[2].clone() } else { ids[1].clone() };
    driver.sync(sync_request(&leader, generation + 1, &[leader.clone(), follower.clone()])).reply();
    driver.sync(sync_request(&follower, generation + 1, &[])).reply();
    for _ in 0..11 {
        let _ = driver.heartbeat(&leader, generation + 1);
        driver.advance(SECOND);
    }
    assert_eq!(driver.heartbeat(&follower, generation + 1), ErrorCode::UnknownMemberId);
}

#[test]
fn a_commit_keeps_its_member_alive() {
    let mut driver = Driver::new(settings());
    let (ids, generation) = driver.stable_group(1);
    for offset in 0..20 {
        driver.commit(commit_request(&ids[0], generation, "topic", offset)).reply();
        driver.advance(2 * SECOND);
    }
    driver.assert_state("Stable");
}

#[test]
fn a_member_that_never_asks_for_its_assignment_is_removed() {
    let mut driver = Driver::new(settings());
    let (a, join_a) = driver.join_new();
    let (b, _join_b) = driver.join_new();
    driver.advance(10 * SECOND);
    let generation = join_a.reply().generation_id;
    driver.sync(sync_request(&a, generation, &[a.clone(), b.clone()])).reply();
    for _ in 0..61 {
        let _ = (driver.heartbeat(&a, generation), driver.heartbeat(&b, generation));
        driver.advance(SECOND);
    }
    assert_eq!(driver.heartbeat(&b, generation), ErrorCode::UnknownMemberId);
    assert_eq!(driver.heartbeat(&a, generation), ErrorCode::RebalanceInProgress);
}

#[test]
fn an_id_that_nobody_comes_back_with_is_forgotten() {
    let mut driver = Driver::new(settings());
    let told = driver.join(join_request("")).reply();
    driver.advance(11 * SECOND);
    let late = driver.join(join_request(&told.member_id)).reply();
    assert_eq!(late.error_code, ErrorCode::UnknownMemberId.code());
}

#[test]
fn a_follower_that_missed_the_response_gets_it_again_and_a_leader_rebalances() {
    let mut driver = Driver::new(settings());
    let (ids, generation) = driver.stable_group(2);
    let follower = driver.join(join_request(&ids[1])).reply();
    assert_eq!((follower.generation_id, follower.members.len()), (generation, 0));
    driver.assert_state("Stable");
    driver.join(join_request(&ids[0])).assert_waits();
    driver.assert_state("PreparingRebalance");
}

#[test]
fn the_protocol_is_the_one_that_most_prefer_of_those_that_all_speak() {
    let mut driver = Driver::new(settings());
    let wishes: [&[&str]; 3] = [&["alien", "a", "b"], &["b", "a"], &["b", "a"]];
    let joins: Vec<_> = wishes.iter().map(|names| driver.join_by(speaking(names), false)).collect();
    driver.advance(10 * SECOND);
    assert_eq!(joins[0].reply().protocol_name.as_deref(), Some("b"));
}

#[test]
fn who_does_not_fit_the_others_is_refused() {
    let mut driver = Driver::new(settings());
    let nothing = driver.join(speaking(&[])).reply();
    assert_eq!(nothing.error_code, ErrorCode::InconsistentGroupProtocol.code());
    driver.stable_group(1);
    let stranger = driver.join(speaking(&["alien"])).reply();
    assert_eq!(stranger.error_code, ErrorCode::InconsistentGroupProtocol.code());
    let connect = JoinGroupRequest { protocol_type: "connect".into(), ..join_request("") };
    assert_eq!(driver.join(connect).reply().error_code, ErrorCode::InconsistentGroupProtocol.code());
}

#[test]
fn a_full_group_takes_nobody_else() {
    let mut driver = Driver::new(GroupSettings { max_size: 2, ..settings() });
    let (ids, _) = driver.stable_group(2);
    let third = driver.join(join_request("")).reply();
    assert_eq!((third.error_code, &*third.member_id), (ErrorCode::GroupMaxSizeReached.code(), ""));
    let again = driver.join(join_request(&ids[1])).reply();
    assert_eq!(again.error_code, 0);
}

#[test]
fn a_group_that_became_too_large_loses_its_last_to_return_and_goes_on_at_once() {
    let mut driver = Driver::new(settings());
    let (ids, _) = driver.stable_group(3);
    let mut smaller = Driver::new(GroupSettings { max_size: 2, ..settings() });
    (smaller.log, smaller.now) = (driver.log, driver.now);
    smaller.fail_over();
    smaller.assert_state("PreparingRebalance");
    let (first, second) = (smaller.join(join_request(&ids[0])), smaller.join(join_request(&ids[1])));
    let third = smaller.join(join_request(&ids[2])).reply();
    assert_eq!(third.error_code, ErrorCode::GroupMaxSizeReached.code());
    assert_eq!((first.reply().error_code, second.reply().error_code), (0, 0));
}

#[test]
fn the_last_to_leave_hears_of_it_when_the_empty_group_is_stored() {
    let mut driver = Driver::new(settings());
    let (ids, generation) = driver.stable_group(1);
    driver.commits_at_once = false;
    let left = driver.leave(vec![leaving(&ids[0], None)]);
    left.assert_waits();
    driver.commit_one();
    assert_eq!(left.reply().members[0].error_code, 0);
    driver.assert_state("Empty");
    assert_eq!(driver.heartbeat(&ids[0], generation), ErrorCode::UnknownMemberId);
    let again = driver.leave(vec![leaving(&ids[0], None)]).reply();
    assert_eq!(again.members[0].error_code, ErrorCode::UnknownMemberId.code());
}

#[test]
fn a_leaving_member_calls_the_others() {
    let mut driver = Driver::new(settings());
    let (ids, generation) = driver.stable_group(2);
    driver.leave(vec![leaving(&ids[0], None)]).reply();
    assert_eq!(driver.heartbeat(&ids[1], generation), ErrorCode::RebalanceInProgress);
    let next = driver.join(join_request(&ids[1])).reply();
    assert_eq!((next.generation_id, next.leader), (generation + 1, ids[1].clone()));
}

#[test]
fn a_stable_group_survives_its_coordinator() {
    let mut driver = Driver::new(settings());
    let (ids, generation) = driver.stable_group(2);
    driver.fail_over();
    driver.assert_state("Stable");
    assert_eq!(driver.heartbeat(&ids[1], generation), ErrorCode::None);
    let assignment = driver.sync(sync_request(&ids[1], generation, &[])).reply().assignment;
    assert_eq!(&assignment[..], ids[1].as_bytes());
    driver.advance(11 * SECOND);
    driver.assert_state("Empty");
}

#[test]
fn errors_come_in_kafkas_order() {
    let mut driver = Driver::new(settings());
    let unknown_group = driver.join(join_request("somebody")).reply();
    assert_eq!(unknown_group.error_code, ErrorCode::UnknownMemberId.code());
    let (ids, generation) = driver.stable_group(1);
    assert_eq!(driver.heartbeat("stranger", generation + 1), ErrorCode::UnknownMemberId);
    assert_eq!(driver.heartbeat(&ids[0], generation + 1), ErrorCode::IllegalGeneration);
    let mut sync = sync_request(&ids[0], generation + 1, &[]);
    sync.protocol_name = Some("roundrobin".into());
    assert_eq!(driver.sync(sync.clone()).reply().error_code, ErrorCode::IllegalGeneration.code());
    sync.generation_id = generation;
    assert_eq!(driver.sync(sync).reply().error_code, ErrorCode::InconsistentGroupProtocol.code());
}

#[test]
fn a_request_that_another_replaces_is_answered() {
    let mut driver = Driver::new(settings());
    let (id, first) = driver.join_new();
    let second = driver.join(join_request(&id));
    assert_eq!(first.reply().error_code, ErrorCode::RebalanceInProgress.code());
    driver.advance(10 * SECOND);
    let generation = second.reply().generation_id;
    assert_eq!(generation, 1);
}

/// The same member with other metadata.
fn rejoin_with_news(id: &Str) -> JoinGroupRequest {
    JoinGroupRequest { protocols: vec![protocol("range", b"news")], ..join_request(id) }
}

fn speaking(names: &[&str]) -> JoinGroupRequest {
    let protocols = names.iter().map(|name| protocol(name, b"")).collect();
    JoinGroupRequest { protocols, group_id: GROUP.into(), ..join_request("") }
}
