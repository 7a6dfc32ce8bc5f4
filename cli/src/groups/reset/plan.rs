//! Which offset a partition is set to. Pure.
//!
//! Invariant: what is asked for by its number ends up between the first and the last offset of the partition.

use client::TopicPartition;

use super::way::Way;

/// What is known of a partition when it is reset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known {
    pub committed: Option<i64>,
    pub earliest: i64,
    pub latest: i64,
    /// The first record from the time on that was asked for.
    pub at_time: Option<i64>,
}

/// Where a partition is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What is committed now.
    pub before: Option<i64>,
    pub offset: i64,
    /// Why it is not what was asked for.
    pub note: Option<Note>,
}

/// What was asked for cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    BeforeTheFirst {
        asked: i64,
    },
    BehindTheLast {
        asked: i64,
    },
    /// No record is as late as the time that was asked for.
    NothingSince,
}

/// Only what is committed can be shifted.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} cannot be shifted: the group has committed nothing for it")]
pub struct NothingToShift(pub TopicPartition);

/// The target of one partition; `None` where it would be shifted from nowhere.
pub fn target(way: &Way, known: Known) -> Option<Target> {
    let plain = |offset| Target { before: known.committed, offset, note: None };
    Some(match way {
        Way::Earliest => plain(known.earliest),
        Way::Latest => plain(known.latest),
        Way::Current => plain(known.committed.unwrap_or(known.latest)),
        Way::Offset(offset) => within(*offset, known),
        Way::Shift(records) => within(known.committed?.saturating_add(*records), known),
        Way::Time(_) => match known.at_time {
            Some(offset) => plain(offset),
            None => Target { note: Some(Note::NothingSince), ..plain(known.latest) },
        },
    })
}

/// The offset nearest to the one that was asked for.
pub fn within(asked: i64, known: Known) -> Target {
    let (offset, note) = match asked {
        asked if asked > known.latest => (known.latest, Some(Note::BehindTheLast { asked })),
        asked if asked < known.earliest => (known.earliest, Some(Note::BeforeTheFirst { asked })),
        asked => (asked, None),
    };
    Target { before: known.committed, offset, note }
}

impl Target {
    /// What is to be said of it, if anything.
    pub fn remark(&self) -> Option<String> {
        let offset = self.offset;
        Some(match self.note? {
            Note::BeforeTheFirst { asked } => {
                format!("offset {asked} lies before its first record, so it is set to {offset}")
            }
            Note::BehindTheLast { asked } => {
                format!("offset {asked} lies behind its end, so it is set to {offset}")
            }
            Note::NothingSince => {
                format!("it has no record from that time on, so it is set to its end, {offset}")
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(way: Way, committed: Option<i64>, expected: Option<i64>) {
        let known = Known { committed, earliest: 10, latest: 100, at_time: None };
        assert_eq!(target(&way, known).map(|target| target.offset), expected, "{way:?}");
    }

    #[test]
    fn words_are_the_ends_of_the_partition() {
        check(Way::Earliest, Some(50), Some(10));
        check(Way::Latest, Some(50), Some(100));
    }

    #[test]
    fn the_current_offset_stays_even_where_its_record_is_gone() {
        check(Way::Current, Some(50), Some(50));
        check(Way::Current, Some(5), Some(5));
        check(Way::Current, None, Some(100));
    }

    #[test]
    fn numbers_are_kept_between_the_ends() {
        check(Way::Offset(50), None, Some(50));
        check(Way::Offset(3), None, Some(10));
        check(Way::Offset(101), None, Some(100));
        check(Way::Shift(5), Some(50), Some(55));
        check(Way::Shift(-45), Some(50), Some(10));
        check(Way::Shift(i64::MAX), Some(50), Some(100));
        check(Way::Shift(0), None, None);
    }

    #[test]
    fn a_time_behind_every_record_is_the_end() {
        let known = Known { committed: None, earliest: 0, latest: 9, at_time: None };
        let target_of = |known| target(&Way::Time(0), known).expect("there is one");
        assert_eq!(target_of(known).note, Some(Note::NothingSince));
        assert_eq!(target_of(Known { at_time: Some(4), ..known }).offset, 4);
    }
}
