//! How Prometheus is told of requests: Kafka's meters under the names that the JMX exporter gives them, and histograms in
//! seconds and bytes beside them.
//!
//! A kind's series appear with its first request. Kafka counts a fetch twice, as `FetchConsumer` or `FetchFollower` and as
//! `Fetch`; so do its meters here, while the histograms leave `Fetch` out.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::Instant;

use node::measure::family::Family;
use node::measure::recent::Recent;
use node::measure::scale::{SIZE, Scale, TIME};
use parking_lot::Mutex;
use prometheus::proto::{Metric, MetricFamily};
use protocol::{ApiKey, ErrorCode};

use super::kind::Kind;
use super::record::{Measure, Totals, totals};
use super::waits::{Delayed, waiting};
use crate::metrics::show;

const REQUEST: &[&str] = &["request"];
const DELAYED: &[&str] = &["delayedOperation"];

/// One of Kafka's histograms.
struct Meter {
    measure: Measure,
    family: Family,
    scale: &'static Scale,
    /// So much of the scale makes one of Kafka's unit.
    per_unit: f64,
}

/// One of ours.
struct Histogram {
    measure: Measure,
    scale: &'static Scale,
    /// The value of the label `phase`, if the family has it.
    phase: Option<&'static str>,
}

static REQUESTS: Family = Family::counter(
    "kafka_network_requestmetrics_requests_total",
    &["request", "version"],
    "Requests answered, by API and version; fetches are counted both as Fetch and as FetchConsumer or FetchFollower",
);
static ERRORS: Family = Family::counter(
    "kafka_network_requestmetrics_errors_total",
    &["request", "error"],
    "Error codes in responses, one for each place that has one; NONE where all went well",
);
static DURATION: Family = Family::histogram(
    "milena_request_duration_seconds",
    REQUEST,
    "Time in seconds from a request whole in the buffer to its response in the socket",
);
static PHASES: Family = Family::histogram(
    "milena_request_phase_duration_seconds",
    &["request", "phase"],
    "Parts of milena_request_duration_seconds: queue, local, remote, response_queue, send",
);
static REQUEST_SIZE: Family =
    Family::histogram("milena_request_size_bytes", REQUEST, "Sizes of requests in bytes");
static RESPONSE_SIZE: Family =
    Family::histogram("milena_response_size_bytes", REQUEST, "Sizes of responses in bytes");
static PURGATORY: Family = Family::gauge(
    "kafka_server_delayedoperationpurgatory_purgatorysize",
    DELAYED,
    "Requests that wait now: Produce for the in-sync replicas, Fetch for records, DeleteRecords for all replicas",
);
static DELAYED_OPERATIONS: Family = Family::gauge(
    "kafka_server_delayedoperationpurgatory_numdelayedoperations",
    DELAYED,
    "The same as kafka_server_delayedoperationpurgatory_purgatorysize, for nobody waits here who has been answered",
);

const fn time(measure: Measure, name: &'static str, help: &'static str) -> Meter {
    Meter { measure, family: Family::summary(name, REQUEST, help), scale: &TIME, per_unit: 1e6 }
}

static METERS: [Meter; 7] = [
    time(
        Measure::Total,
        "kafka_network_requestmetrics_totaltimems",
        "Time in milliseconds from a request whole in the buffer to its response in the socket; quantiles of 5 minutes",
    ),
    time(
        Measure::Queue,
        "kafka_network_requestmetrics_requestqueuetimems",
        "Time in milliseconds that a request waited in its connection's buffer; quantiles of 5 minutes",
    ),
    time(
        Measure::Local,
        "kafka_network_requestmetrics_localtimems",
        "Time in milliseconds of this broker's work on a request; quantiles of 5 minutes",
    ),
    time(
        Measure::Remote,
        "kafka_network_requestmetrics_remotetimems",
        "Time in milliseconds that a request waited for others: replicas, records, members, the controller; quantiles of 5 \
         minutes",
    ),
    time(
        Measure::ResponseQueue,
        "kafka_network_requestmetrics_responsequeuetimems",
        "Time in milliseconds that a response waited for those before it; quantiles of 5 minutes",
    ),
    time(
        Measure::Send,
        "kafka_network_requestmetrics_responsesendtimems",
        "Time in milliseconds that a response was on its way into the socket; quantiles of 5 minutes",
    ),
    Meter {
        measure: Measure::RequestBytes,
        family: Family::summary(
            "kafka_network_requestmetrics_requestbytes",
            REQUEST,
            "Sizes of requests in bytes; quantiles of 5 minutes",
        ),
        scale: &SIZE,
        per_unit: 1.0,
    },
];

const fn phase(measure: Measure, name: &'static str) -> Histogram {
    Histogram { measure, scale: &TIME, phase: Some(name) }
}

static PHASE_HISTOGRAMS: [Histogram; 5] = [
    phase(Measure::Queue, "queue"),
    phase(Measure::Local, "local"),
    phase(Measure::Remote, "remote"),
    phase(Measure::ResponseQueue, "response_queue"),
    phase(Measure::Send, "send"),
];

/// What the quantiles look back on.
static RECENT: LazyLock<Mutex<HashMap<(Kind, usize), Recent>>> = LazyLock::new(Mutex::default);

/// Shows what is counted here, from now on.
pub fn begin() {
    let mut families = vec![&REQUESTS, &ERRORS, &DURATION, &PHASES, &REQUEST_SIZE, &RESPONSE_SIZE];
    families.extend([&PURGATORY, &DELAYED_OPERATIONS]);
    families.extend(METERS.iter().map(|meter| &meter.family));
    show(&families, find);
}

fn find() -> Vec<MetricFamily> {
    let kinds: Vec<_> = Kind::all().filter_map(|kind| Some((kind, totals(kind)?))).collect();
    let with_sums = with_sums(&kinds);
    let mut found = vec![requests(&with_sums), errors(&with_sums)];
    found.extend(meters(&with_sums));
    found.extend(histograms(&kinds));
    for family in [&PURGATORY, &DELAYED_OPERATIONS] {
        let waiting = |what: &Delayed| family.value(&[what.name()], waiting(*what) as f64);
        found.push(family.of(Delayed::ALL.iter().map(waiting).collect()));
    }
    found
}

/// Adds `Fetch`, the sum of both fetches.
fn with_sums(kinds: &[(Kind, Totals)]) -> Vec<(Kind, Totals)> {
    let mut fetches: Option<Totals> = None;
    for (_, totals) in kinds.iter().filter(|(kind, _)| kind.sum().is_some()) {
        fetches.get_or_insert_default().merge(totals);
    }
    let sum = fetches.map(|totals| (Kind::of(ApiKey::Fetch), totals));
    kinds.iter().cloned().chain(sum).collect()
}

fn requests(kinds: &[(Kind, Totals)]) -> MetricFamily {
    let of_kind = |(kind, totals): &(Kind, Totals)| {
        let name = kind.name();
        let asked = totals.versions.iter().enumerate().filter(|(_, count)| **count > 0);
        asked
            .map(|(version, &count)| REQUESTS.value(&[name, &version.to_string()], count as f64))
            .collect::<Vec<_>>()
    };
    REQUESTS.of(kinds.iter().flat_map(of_kind).collect())
}

/// Kafka counts those of fetches under `Fetch` alone.
fn errors(kinds: &[(Kind, Totals)]) -> MetricFamily {
    let of_kind = |(kind, totals): &(Kind, Totals)| {
        let name = kind.name();
        let told = (-1..).zip(&totals.errors).filter(|(_, count)| **count > 0);
        told.map(|(code, &count)| ERRORS.value(&[name, ErrorCode::from_code(code).name()], count as f64))
            .collect::<Vec<_>>()
    };
    ERRORS.of(kinds.iter().filter(|(kind, _)| kind.sum().is_none()).flat_map(of_kind).collect())
}

fn meters(kinds: &[(Kind, Totals)]) -> Vec<MetricFamily> {
    let (now, mut recent) = (Instant::now(), RECENT.lock());
    let mut quantiles = |meter: &Meter, (kind, totals): &(Kind, Totals)| {
        let all = totals.measure(meter.measure);
        let lately = recent.entry((*kind, meter.measure as usize)).or_default().look(now, all);
        meter.family.quantiles(&[kind.name()], meter.scale, meter.per_unit, all, &lately)
    };
    let mut metrics = |meter: &Meter| kinds.iter().map(|kind| quantiles(meter, kind)).collect::<Vec<_>>();
    METERS.iter().map(|meter| meter.family.of(metrics(meter))).collect()
}

fn histograms(kinds: &[(Kind, Totals)]) -> [MetricFamily; 4] {
    let each = |family: &Family, histogram: &Histogram| -> Vec<Metric> {
        let labels =
            |kind: &Kind| [Some(kind.name()), histogram.phase].into_iter().flatten().collect::<Vec<_>>();
        let metric = |(kind, totals): &(Kind, Totals)| {
            family.distribution(&labels(kind), histogram.scale, totals.measure(histogram.measure))
        };
        kinds.iter().map(metric).collect()
    };
    let one =
        |family: &Family, measure, scale| family.of(each(family, &Histogram { measure, scale, phase: None }));
    let phases = PHASE_HISTOGRAMS.iter().flat_map(|phase| each(&PHASES, phase)).collect();
    [
        one(&DURATION, Measure::Total, &TIME),
        PHASES.of(phases),
        one(&REQUEST_SIZE, Measure::RequestBytes, &SIZE),
        one(&RESPONSE_SIZE, Measure::ResponseBytes, &SIZE),
    ]
}

#[cfg(test)]
mod tests {
    use prometheus::TextEncoder;

    use super::super::record::observe_left;
    use super::super::stations::Stations;
    use super::*;

    #[test]
    fn a_fetch_is_told_as_kafka_tells_it() {
        let mut fetch = Stations::begin(Kind::FETCH_FOLLOWER, 17, 70, Instant::now());
        fetch.answered();
        fetch.successes = 2;
        let now = Instant::now();
        observe_left(&[fetch], now, now);
        let families: Vec<_> = find().into_iter().filter(|family| !family.get_metric().is_empty()).collect();
        let page = TextEncoder::new().encode_to_string(&families).expect("it is well formed");
        let shows = |series: &str| page.lines().any(|line| line.starts_with(series));
        for kind in ["Fetch", "FetchFollower"] {
            let series =
                format!("kafka_network_requestmetrics_requests_total{{request=\"{kind}\",version=\"17\"}} ");
            assert!(shows(&series), "{series}\n{page}");
        }
        assert!(shows(
            "kafka_network_requestmetrics_totaltimems{request=\"FetchFollower\",quantile=\"0.99\"} 0"
        ));
        assert!(shows("kafka_network_requestmetrics_errors_total{request=\"Fetch\",error=\"NONE\"} "));
        assert!(!shows("kafka_network_requestmetrics_errors_total{request=\"FetchFollower\""));
        let phase = "milena_request_phase_duration_seconds_count{request=\"FetchFollower\",phase=\"send\"} ";
        assert!(shows(phase));
        assert!(!shows("milena_request_duration_seconds_count{request=\"Fetch\"}"));
    }
}
