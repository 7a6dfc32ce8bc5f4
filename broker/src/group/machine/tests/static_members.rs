//! Static members (KIP-345): who restarts keeps its place, and nobody else may have it.

use std::time::Duration;

use protocol::ErrorCode;
use protocol::messages::{JoinGroupRequest, SyncGroupRequest};
use protocol::wire::Str;

use super::driver::{Driver, SESSION_MS, join_request, leaving, protocol, settings, sync_request};

const SECOND: Duration = Duration::from_secs(1);

fn static_join(member_id: &str, instance_id: &str) -> JoinGroupRequest {
    JoinGroupRequest { group_instance_id: Some(instance_id.into()), ..join_request(member_id) }
}

/// Members `one` and `two`, stable; returns their ids, the leader's first.
fn stable_pair(driver: &mut Driver) -> (Str, Str) {
    let (one, two) = (driver.join(static_join("", "one")), driver.join(static_join("", "two")));
    driver.advance(10 * SECOND);
    let (one, two) = (one.reply(), two.reply());
    assert_eq!(one.leader, one.member_id);
    let ids = [one.member_id.clone(), two.member_id.clone()];
    driver.sync(sync_request(&ids[1], 1, &[]));
    driver.sync(sync_request(&ids[0], 1, &ids)).reply();
    driver.assert_state("Stable");
    (one.member_id, two.member_id)
}

#[test]
fn a_restarted_member_has_its_assignment_without_a_rebalance() {
    let mut driver = Driver::new(settings());
    let (_, two) = stable_pair(&mut driver);
    let back = driver.join(static_join("", "two")).reply();
    assert_eq!((back.error_code, back.generation_id), (0, 1));
    assert_ne!(back.member_id, two);
    driver.assert_state("Stable");
    let assignment = driver.sync(sync_request(&back.member_id, 1, &[])).reply().assignment;
    assert_eq!(&assignment[..], two.as_bytes());
}

#[test]
fn the_new_id_is_told_when_it_is_stored() {
    let mut driver = Driver::new(settings());
    stable_pair(&mut driver);
    driver.commits_at_once = false;
    let back = driver.join(static_join("", "two"));
    back.assert_waits();
    driver.commit_one();
    let id = back.reply().member_id;
    driver.fail_over();
    assert_eq!(driver.heartbeat(&id, 1), ErrorCode::None);
}

#[test]
fn the_old_id_returns_where_the_new_one_can_not_be_stored() {
    let mut driver = Driver::new(settings());
    let (_, two) = stable_pair(&mut driver);
    driver.commits_at_once = false;
    let back = driver.join(static_join("", "two"));
    driver.end_write(Err(ErrorCode::CoordinatorNotAvailable));
    assert_eq!(back.reply().error_code, ErrorCode::CoordinatorNotAvailable.code());
    assert_eq!(driver.heartbeat(&two, 1), ErrorCode::None);
}

#[test]
fn a_leader_that_restarts_is_told_not_to_assign_if_it_can_understand_that() {
    let mut driver = Driver::new(settings());
    let (one, _) = stable_pair(&mut driver);
    let back = driver.join(static_join("", "one")).reply();
    assert_eq!((&back.leader, back.skip_assignment, back.members.len()), (&back.member_id, true, 2));
    let old_version = driver.join_by(static_join("", "one"), false).reply();
    assert_eq!((old_version.leader, old_version.skip_assignment), (back.member_id, false));
    assert_ne!(old_version.member_id, one);
}

#[test]
fn the_old_id_is_fenced_everywhere() {
    let mut driver = Driver::new(settings());
    let (_, two) = stable_pair(&mut driver);
    driver.join(static_join("", "two")).reply();
    let sync = SyncGroupRequest { group_instance_id: Some("two".into()), ..sync_request(&two, 1, &[]) };
    assert_eq!(driver.sync(sync).reply().error_code, ErrorCode::FencedInstanceId.code());
    let join = driver.join(static_join(&two, "two")).reply();
    assert_eq!(join.error_code, ErrorCode::FencedInstanceId.code());
    let leave = driver.leave(vec![leaving(&two, Some("two"))]).reply();
    assert_eq!(leave.members[0].error_code, ErrorCode::FencedInstanceId.code());
    let unknown = driver.join(static_join(&two, "three")).reply();
    assert_eq!(unknown.error_code, ErrorCode::UnknownMemberId.code());
}

#[test]
fn a_duplicate_that_waits_is_fenced_at_once() {
    let mut driver = Driver::new(settings());
    let first = driver.join(static_join("", "one"));
    let second = driver.join(static_join("", "one"));
    assert_eq!(first.reply().error_code, ErrorCode::FencedInstanceId.code());
    driver.advance(10 * SECOND);
    assert_eq!(second.reply().members.len(), 1);
}

#[test]
fn a_change_of_protocol_rebalances() {
    let mut driver = Driver::new(settings());
    stable_pair(&mut driver);
    let both = vec![protocol("range", b""), protocol("sticky", b"")];
    let back = driver.join(JoinGroupRequest { protocols: both, ..static_join("", "two") }).reply();
    assert_eq!(back.error_code, 0, "range is still the one that both speak");
    let other = vec![protocol("sticky", b"")];
    let alien = driver.join(JoinGroupRequest { protocols: other, ..static_join("", "two") }).reply();
    assert_eq!(alien.error_code, ErrorCode::InconsistentGroupProtocol.code());
}

#[test]
fn a_restart_during_the_assignment_rebalances() {
    let mut driver = Driver::new(settings());
    let (one, two) = (driver.join(static_join("", "one")), driver.join(static_join("", "two")));
    driver.advance(10 * SECOND);
    let (one, _) = (one.reply(), two.reply());
    driver.assert_state("CompletingRebalance");
    let back = driver.join(static_join("", "two"));
    driver.assert_state("PreparingRebalance");
    let one = driver.join(static_join(&one.member_id, "one"));
    assert_eq!((one.reply().generation_id, back.reply().generation_id), (2, 2));
}

#[test]
fn a_static_member_keeps_its_place_in_a_rebalance_until_its_session_ends() {
    let mut driver = Driver::new(settings());
    let (one, two) = stable_pair(&mut driver);
    let join = driver.join(JoinGroupRequest { session_timeout_ms: 1_000_000, ..static_join(&one, "one") });
    for _ in 0..60 {
        let _ = driver.heartbeat(&two, 1);
        driver.advance(SECOND);
    }
    assert_eq!(join.reply().members.len(), 2, "two has not joined, but it lives");
    driver.advance(Duration::from_millis(SESSION_MS as u64));
    driver.advance(SECOND);
    let members = driver.describe().expect("it exists").members;
    assert_eq!(members.iter().map(|member| &member.member_id).collect::<Vec<_>>(), [&one]);
}

#[test]
fn an_administrator_removes_a_static_member_by_its_instance() {
    let mut driver = Driver::new(settings());
    stable_pair(&mut driver);
    let left = driver.leave(vec![leaving("", Some("two")), leaving("", Some("nobody"))]).reply();
    let errors: Vec<i16> = left.members.iter().map(|member| member.error_code).collect();
    assert_eq!(errors, [0, ErrorCode::UnknownMemberId.code()]);
    driver.assert_state("PreparingRebalance");
}
