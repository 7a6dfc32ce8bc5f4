//! What each thread counts of the requests whose responses it has sent: a row for each kind, made when the first comes.

use std::sync::OnceLock;
use std::time::Instant;

use node::measure::histogram::{Counts, Distribution, nanoseconds};
use node::measure::per_thread::PerThread;
use node::measure::scale::{SIZE, TIME};
use node::measure::tally::{Tally, Writer};
use protocol::ErrorCode;

use super::kind::{KINDS, Kind};
use super::stations::Stations;

/// Versions that are told apart; none of Kafka's APIs has so many.
pub(super) const VERSIONS: usize = 32;

/// Error codes that are told apart, from −1 on; Kafka has 135 or so.
pub(super) const ERRORS: usize = 192;

/// What is measured of each request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    Total,
    Queue,
    Local,
    Remote,
    ResponseQueue,
    Send,
    RequestBytes,
    ResponseBytes,
}

/// How many there are.
pub(super) const MEASURES: usize = 8;

static ROWS: PerThread<Rows> = PerThread::new();

/// One thread's part.
struct Rows([OnceLock<Box<Row>>; KINDS]);

struct Row {
    versions: [Tally; VERSIONS],
    errors: [Tally; ERRORS],
    measures: [Distribution; MEASURES],
}

/// One kind, by all threads.
#[derive(Clone)]
pub(super) struct Totals {
    pub versions: [u64; VERSIONS],
    /// By error code, from −1 on.
    pub errors: [u64; ERRORS],
    pub measures: [Counts; MEASURES],
}

/// These responses went into the socket together.
pub fn observe_left(left: &[Stations], send_begun: Instant, sent: Instant) {
    ROWS.with(|rows, writer| {
        left.iter().for_each(|one| rows.row(one.kind).add(one, send_begun, sent, writer))
    });
}

/// A request that asked for no response was dealt with.
pub fn observe_silent(request: &Stations) {
    let now = Instant::now();
    observe_left(std::slice::from_ref(request), now, now);
}

/// So many places of a response told of this error.
pub fn observe_errors(kind: Kind, error: ErrorCode, places: u64) {
    ROWS.with(|rows, writer| rows.row(kind).add_errors(error.code(), places, writer));
}

/// All that was counted of a kind; `None` if nothing was.
pub(super) fn totals(kind: Kind) -> Option<Totals> {
    let mut totals = Totals::default();
    let mut found = false;
    for row in ROWS.all().filter_map(|rows| rows.0[kind.row()].get()) {
        found = true;
        totals.add(row);
    }
    found.then_some(totals)
}

impl Default for Rows {
    fn default() -> Rows {
        Rows([const { OnceLock::new() }; KINDS])
    }
}

impl Rows {
    fn row(&self, kind: Kind) -> &Row {
        self.0[kind.row()].get_or_init(Box::default)
    }
}

impl Default for Row {
    fn default() -> Row {
        Row {
            versions: std::array::from_fn(|_| Tally::default()),
            errors: std::array::from_fn(|_| Tally::default()),
            measures: std::array::from_fn(|_| Distribution::default()),
        }
    }
}

impl Row {
    fn add(&self, request: &Stations, send_begun: Instant, sent: Instant, writer: Writer) {
        let times = request.times(send_begun, sent);
        let version = usize::try_from(request.version).unwrap_or(0).min(VERSIONS - 1);
        self.versions[version].add(1, writer);
        if request.successes > 0 {
            self.add_errors(ErrorCode::None.code(), request.successes, writer);
        }
        for (measure, time) in [
            (Measure::Total, times.total),
            (Measure::Queue, times.queue),
            (Measure::Local, times.local),
            (Measure::Remote, times.remote),
            (Measure::ResponseQueue, times.response_queue),
            (Measure::Send, times.send),
        ] {
            self.measures[measure as usize].observe(&TIME, nanoseconds(time), writer);
        }
        for (measure, bytes) in
            [(Measure::RequestBytes, request.request_bytes), (Measure::ResponseBytes, request.response_bytes)]
        {
            self.measures[measure as usize].observe(&SIZE, bytes as u64, writer);
        }
    }

    fn add_errors(&self, code: i16, places: u64, writer: Writer) {
        let at = usize::try_from(i32::from(code) + 1).unwrap_or(0).min(ERRORS - 1);
        self.errors[at].add(places, writer);
    }
}

impl Default for Totals {
    fn default() -> Totals {
        Totals {
            versions: [0; VERSIONS],
            errors: [0; ERRORS],
            measures: std::array::from_fn(|_| Counts::default()),
        }
    }
}

impl Totals {
    fn add(&mut self, row: &Row) {
        let add = |sums: &mut [u64], tallies: &[Tally]| {
            sums.iter_mut().zip(tallies).for_each(|(sum, tally)| *sum += tally.get());
        };
        add(&mut self.versions, &row.versions);
        add(&mut self.errors, &row.errors);
        self.measures.iter_mut().zip(&row.measures).for_each(|(counts, part)| counts.add(part));
    }

    pub fn merge(&mut self, other: &Totals) {
        self.versions.iter_mut().zip(&other.versions).for_each(|(sum, count)| *sum += count);
        self.errors.iter_mut().zip(&other.errors).for_each(|(sum, count)| *sum += count);
        self.measures.iter_mut().zip(&other.measures).for_each(|(sum, counts)| sum.merge(counts));
    }

    pub fn measure(&self, measure: Measure) -> &Counts {
        &self.measures[measure as usize]
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use protocol::ApiKey;

    use super::*;

    #[test]
    fn a_request_is_counted_when_its_response_has_left() {
        // Of an API that no other test asks for.
        let kind = Kind::of(ApiKey::DescribeUserScramCredentials);
        let mut request = Stations::begin(kind, 2, 90, Instant::now());
        request.answered();
        (request.response_bytes, request.successes) = (400, 3);
        observe_errors(kind, ErrorCode::UnsupportedVersion, 2);
        let sent = Instant::now() + Duration::from_millis(3);
        observe_left(&[request, request], sent, sent);
        let totals = totals(kind).expect("it was counted");
        assert_eq!(totals.versions[2], 2);
        assert_eq!(totals.measure(Measure::ResponseBytes).sum, 800);
        assert!(totals.measure(Measure::ResponseQueue).sum >= 5_000_000);
        let errors = |code: ErrorCode| totals.errors[(code.code() + 1) as usize];
        assert_eq!((errors(ErrorCode::None), errors(ErrorCode::UnsupportedVersion)), (6, 2));
    }

    #[test]
    fn every_version_and_every_error_has_its_place() {
        let last = ApiKey::ALL.iter().map(|api| *api.valid_versions().end()).max();
        assert!(last.is_some_and(|last| (last as usize) < VERSIONS));
        let last = ErrorCode::ALL.iter().map(|error| error.code()).max();
        assert!(last.is_some_and(|last| (last as usize) + 1 < ERRORS));
    }

    /// Run with `cargo test --release -p broker -- --ignored --nocapture cost_of`.
    #[test]
    #[ignore = "it measures"]
    fn the_cost_of_a_request() {
        const TIMES: u32 = 3_000_000;
        let began = Instant::now();
        for _ in 0..TIMES {
            let mut request = Stations::begin(Kind::of(ApiKey::Produce), 11, 1_000, began);
            request.answered();
            request.successes = 1;
            let (send_begun, sent) = (Instant::now(), Instant::now());
            observe_left(std::hint::black_box(&[request]), send_begun, sent);
        }
        println!("all that is noted of a request takes {:?}", began.elapsed() / TIMES);
    }
}
