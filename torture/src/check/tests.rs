//! A history for each anomaly, made by hand: it is found, and nothing else is.

use std::collections::BTreeMap;

use super::*;
use crate::history::{Ack, GroupMember, Place, Producing, Read, Reading, Step, StepKind, Value};

fn value(number: u32) -> Value {
    Value { producer: 0, partition: 0, number }
}

fn place(offset: i64) -> Place {
    Place { partition: 0, offset }
}

fn acks(acks: &[(u32, i64)]) -> Producing {
    let ack = |&(number, offset): &(u32, i64)| Ack {
        at_ms: 1,
        value: value(number),
        offset: Some(offset).filter(|at| *at >= 0),
    };
    let sent = BTreeMap::from([(0, 10)]);
    Producing { acks: acks.iter().map(ack).collect(), sent, is_whole: true, ..Producing::default() }
}

/// (poll, offset, number)
fn reader(reads: &[(u32, i64, u32)]) -> Reading {
    let read = |&(poll, offset, number): &(u32, i64, u32)| Read {
        poll,
        place: place(offset),
        value: Some(value(number)),
    };
    Reading {
        reader: "reader".to_owned(),
        reads: reads.iter().map(read).collect(),
        errors: Vec::new(),
        is_whole: true,
    }
}

fn of(producing: Producing, readings: &[Reading]) -> History {
    History { producing: vec![producing], readings: readings.to_vec(), group: Vec::new() }
}

#[track_caller]
fn finds(history: &History, expected: &[Anomaly]) {
    assert_eq!(check(history), expected);
}

#[test]
fn a_good_run_has_none() {
    let twice = [reader(&[(1, 0, 0), (1, 1, 1), (2, 2, 2)]), reader(&[(1, 0, 0), (2, 1, 1), (2, 2, 2)])];
    finds(&of(acks(&[(0, 0), (1, 1), (2, 2)]), &twice), &[]);
    finds(&of(acks(&[(0, 0), (1, -1)]), &twice), &[]);
    finds(&History::default(), &[]);
}

#[test]
fn an_acknowledged_value_whose_place_holds_another_is_lost() {
    let history = of(acks(&[(0, 0), (1, 1)]), &[reader(&[(1, 0, 0), (1, 1, 2)])]);
    finds(&history, &[Anomaly::LostWrite { value: value(1), offset: Some(1) }]);
}

#[test]
fn a_value_acknowledged_without_an_offset_is_lost_if_later_ones_were_read() {
    let history = of(acks(&[(1, -1)]), &[reader(&[(1, 0, 0), (1, 1, 2)])]);
    finds(&history, &[Anomaly::LostWrite { value: value(1), offset: None }]);
    let history = of(acks(&[(1, -1)]), &[reader(&[(1, 0, 0)])]);
    finds(&history, &[Anomaly::Unseen { value: value(1), offset: None }]);
}

#[test]
fn an_acknowledged_value_past_all_that_was_read_is_unseen() {
    let history = of(acks(&[(0, 0), (1, 1)]), &[reader(&[(1, 0, 0)])]);
    finds(&history, &[Anomaly::Unseen { value: value(1), offset: Some(1) }]);
}

#[test]
fn a_value_read_elsewhere_than_acknowledged_is_found() {
    let history = of(acks(&[(0, 5)]), &[reader(&[(1, 0, 0)])]);
    finds(&history, &[Anomaly::Moved { value: value(0), acknowledged: 5, read: place(0) }]);
}

#[test]
fn one_value_at_two_places_is_a_duplicate() {
    let history = of(acks(&[]), &[reader(&[(1, 0, 0), (1, 1, 1), (1, 2, 0)])]);
    finds(&history, &[Anomaly::Duplicate { value: value(0), first: place(0), second: place(2) }]);
}

#[test]
fn a_later_value_before_an_earlier_one_is_a_reordering() {
    let history = of(acks(&[]), &[reader(&[(1, 0, 1), (1, 1, 0)])]);
    finds(&history, &[Anomaly::Reordered { first: value(1), then: value(0) }]);
}

#[test]
fn two_values_at_one_place_are_found_over_readers() {
    let history = of(acks(&[]), &[reader(&[(1, 0, 0)]), reader(&[(1, 0, 1)])]);
    let (one, other) = (Some(value(0)), Some(value(1)));
    let found = check(&history);
    assert_eq!(found[0], Anomaly::InconsistentOffset { place: place(0), one, other });
}

#[test]
fn what_nobody_sent_is_found() {
    let strange = |strange: Option<Value>| {
        let mut reading = reader(&[(1, 0, 0)]);
        reading.reads[0].value = strange;
        let found = check(&of(acks(&[]), &[reading]));
        assert!(found.contains(&Anomaly::NeverSent { place: place(0), value: strange }), "{found:?}");
    };
    strange(None);
    strange(Some(value(10)));
    strange(Some(Value { producer: 1, ..value(0) }));
    strange(Some(Value { partition: 1, ..value(0) }));
}

#[test]
fn a_value_that_vanished_without_a_word_is_a_hole() {
    let readings = [reader(&[(1, 0, 0), (1, 1, 2)])];
    finds(&of(acks(&[]), &readings), &[Anomaly::Hole { value: value(1) }]);
    let given_up = Producing { failed: vec![value(1)], ..acks(&[]) };
    finds(&of(given_up, &readings), &[]);
}

#[test]
fn polls_that_go_back_are_told_apart() {
    let reader_name = "reader".to_owned();
    let history = of(acks(&[]), &[reader(&[(1, 0, 0), (1, 1, 1), (1, 1, 1)])]);
    finds(
        &history,
        &[Anomaly::InternalNonmonotonicPoll {
            reader: reader_name.clone(),
            before: place(1),
            then: place(1),
        }],
    );
    let history = of(acks(&[]), &[reader(&[(1, 0, 0), (1, 1, 1), (2, 0, 0)])]);
    finds(
        &history,
        &[Anomaly::ExternalNonmonotonicPoll { reader: reader_name, before: place(1), then: place(0) }],
    );
}

#[test]
fn a_reader_that_is_not_given_a_record_is_found() {
    let whole = reader(&[(1, 0, 0), (1, 1, 1), (1, 2, 2)]);
    let skipped =
        |from, to| Anomaly::Skipped { reader: "reader".to_owned(), from: place(from), to: place(to) };
    finds(&of(acks(&[]), &[whole.clone(), reader(&[(1, 0, 0), (2, 2, 2)])]), &[skipped(1, 2)]);
    finds(&of(acks(&[]), &[whole, reader(&[(1, 1, 1), (2, 2, 2)])]), &[skipped(0, 1)]);
}

/// (time, kind, offset)
fn member(steps: &[(u64, StepKind, i64)], read: std::ops::Range<u32>) -> GroupMember {
    let step = |&(at_ms, what, offset): &(u64, StepKind, i64)| Step { at_ms, what, place: place(offset) };
    let reads: Vec<_> = read.map(|number| (number, i64::from(number), number)).collect();
    GroupMember { reading: reader(&reads), steps: steps.iter().map(step).collect() }
}

fn group(members: &[GroupMember]) -> History {
    History { group: members.to_vec(), ..of(acks(&[]), &[]) }
}

#[test]
fn a_group_goes_on_from_its_commits() {
    use StepKind::{Commit, Start, Try};
    let first = member(&[(1, Start, 0), (2, Try, 3), (3, Commit, 3), (5, Try, 4)], 0..4);
    finds(&group(&[first.clone(), member(&[(4, Start, 3)], 3..5)]), &[]);
    finds(&group(&[first.clone(), member(&[(6, Start, 4)], 4..5)]), &[]);
    // The assignment may have been made before the commit had succeeded.
    finds(&group(&[first.clone(), member(&[(3, Start, 0)], 0..4)]), &[]);
    let lost = Anomaly::LostCommit { committed: place(3), started: place(2) };
    finds(&group(&[first.clone(), member(&[(4, Start, 2)], 2..4)]), &[lost]);
    let nowhere = Anomaly::CommitFromNowhere { tried: Some(4), started: place(5) };
    finds(&group(&[first, member(&[(6, Start, 5)], 4..6)]), &[nowhere]);
    let skipping = member(&[(1, Try, 3), (1, Commit, 3)], 0..2);
    finds(&group(&[skipping]), &[Anomaly::GroupSkipped { place: place(2) }]);
}

#[test]
fn clients_that_fail_or_do_not_end_are_told() {
    let failed = Producing { errors: vec!["why".to_owned()], is_whole: false, ..acks(&[]) };
    let error = |error: &str| Anomaly::Client { client: "producer 0".to_owned(), error: error.to_owned() };
    finds(&of(failed, &[]), &[error("why"), error("ended before it was done")]);
    assert_eq!(error("why").to_string(), "client error: producer 0: why");
}
