//! Which segments have had their time. Pure: facts in, a count out.

use protocol::types::Offset;

use super::DeletionReason;

/// What retention knows of one segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct SegmentFacts {
    /// The offset behind its last: the next segment's base offset, or the log end offset.
    pub end_offset: Offset,
    pub bytes: u64,
    /// Of its newest record, in milliseconds.
    pub newest_timestamp: i64,
    /// Whether it is the one that is appended to.
    pub is_active: bool,
}

/// How long and how much is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Retention {
    /// Older records go; `None` keeps any age, and so does a topic that is only compacted.
    pub time_ms: Option<i64>,
    /// The log keeps so many bytes; `None` keeps any number.
    pub bytes: Option<u64>,
    pub log_start_offset: Offset,
    /// What is not committed is kept (safety rule 8).
    pub high_watermark: Offset,
    pub now_ms: i64,
}

/// Of the segments, oldest first, the reasons why the first ones go. What follows stays.
pub(super) fn expired(segments: &[SegmentFacts], retention: &Retention) -> Vec<DeletionReason> {
    let total: u64 = segments.iter().map(|segment| segment.bytes).sum();
    let mut surplus = retention.bytes.and_then(|bytes| total.checked_sub(bytes));
    let mut reasons = Vec::new();
    for segment in segments {
        let Some(reason) = reason_to_delete(segment, retention, surplus) else { break };
        surplus = surplus.map(|surplus| surplus.saturating_sub(segment.bytes));
        reasons.push(reason);
    }
    reasons
}

fn reason_to_delete(
    segment: &SegmentFacts,
    retention: &Retention,
    surplus: Option<u64>,
) -> Option<DeletionReason> {
    let empty_and_active = segment.is_active && segment.bytes == 0;
    if segment.end_offset > retention.high_watermark || empty_and_active {
        return None;
    }
    let age_ms = retention.now_ms.saturating_sub(segment.newest_timestamp);
    if segment.end_offset <= retention.log_start_offset && !segment.is_active {
        Some(DeletionReason::LogStart)
    } else if retention.time_ms.is_some_and(|time_ms| age_ms > time_ms) {
        Some(DeletionReason::Time)
    } else if surplus.is_some_and(|surplus| surplus >= segment.bytes) {
        Some(DeletionReason::Size)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use DeletionReason::{LogStart, Size, Time};

    fn segments() -> Vec<SegmentFacts> {
        let segment = |n: i64| SegmentFacts {
            end_offset: Offset(n * 10),
            bytes: 100,
            newest_timestamp: n * 1000,
            is_active: n == 4,
        };
        (1..=4).map(segment).collect()
    }

    fn check(change: impl FnOnce(&mut Retention), expected: &[DeletionReason]) {
        let (log_start_offset, high_watermark) = (Offset(0), Offset(40));
        let mut retention =
            Retention { time_ms: None, bytes: None, log_start_offset, high_watermark, now_ms: 5000 };
        change(&mut retention);
        assert_eq!(expired(&segments(), &retention), expected, "{retention:?}");
    }

    #[test]
    fn segments_go_by_age_from_the_oldest_on() {
        check(|_| {}, &[]);
        check(|r| r.time_ms = Some(3000), &[Time]);
        check(|r| r.time_ms = Some(2999), &[Time, Time]);
        check(|r| r.time_ms = Some(0), &[Time; 4]);
        check(|r| r.now_ms = i64::MIN, &[]);
    }

    #[test]
    fn segments_go_by_size_as_long_as_enough_is_left() {
        check(|r| r.bytes = Some(400), &[]);
        check(|r| r.bytes = Some(301), &[]);
        check(|r| r.bytes = Some(300), &[Size]);
        check(|r| r.bytes = Some(199), &[Size, Size]);
        check(|r| r.bytes = Some(0), &[Size; 4]);
    }

    #[test]
    fn segments_below_the_log_start_offset_go() {
        check(|r| r.log_start_offset = Offset(19), &[LogStart]);
        check(|r| r.log_start_offset = Offset(20), &[LogStart, LogStart]);
        check(|r| r.log_start_offset = Offset(40), &[LogStart; 3]);
    }

    #[test]
    fn what_is_not_committed_stays() {
        check(
            |r| {
                r.time_ms = Some(0);
                r.high_watermark = Offset(29);
            },
            &[Time, Time],
        );
    }

    #[test]
    fn reasons_combine_and_an_empty_active_segment_stays() {
        let mut segments = segments();
        segments[3].bytes = 0;
        let retention = Retention {
            time_ms: Some(2999),
            bytes: Some(0),
            log_start_offset: Offset(10),
            high_watermark: Offset(40),
            now_ms: 5000,
        };
        assert_eq!(expired(&segments, &retention), [LogStart, Time, Size]);
    }
}
