//! What those who watch are told of groups.

use super::driver::{Driver, GROUP, Waiting, commit_request, settings};
use crate::group::machine::{Event, Survey};

fn survey(driver: &mut Driver, size_max: usize) -> Survey {
    let (port, waiting) = Waiting::new();
    driver.handle(Event::Survey { size_max, port });
    waiting.reply()
}

#[test]
fn a_survey_names_groups_members_and_what_is_committed() {
    let mut driver = Driver::new(settings());
    let (members, generation) = driver.stable_group(2);
    driver.commit(commit_request(&members[0], generation, "one", 7));
    driver.commit(commit_request(&members[0], generation, "two", 9));
    let found = survey(&mut driver, 100);
    assert_eq!((found.groups.len(), found.left_out, found.size()), (1, 0, 3));
    let group = &found.groups[0];
    assert_eq!((group.group.as_str(), group.members), (GROUP, 2));
    assert!(group.committed.contains(&("one".into(), 0, 7)));
    assert!(group.committed.contains(&("two".into(), 0, 9)));
}

#[test]
fn what_does_not_fit_is_counted() {
    let mut driver = Driver::new(settings());
    driver.commit(commit_request("", -1, "one", 7));
    driver.commit(commit_request("", -1, "two", 9));
    let found = survey(&mut driver, 2);
    assert_eq!((found.groups[0].committed.len(), found.left_out), (1, 1));
    let found = survey(&mut driver, 0);
    assert_eq!((found.groups.len(), found.left_out), (0, 3));
}
