//! Families of metrics whose values are found when they are asked for, as the registry takes them.

use std::collections::HashMap;

use prometheus::core::{Collector, Desc};
use prometheus::proto::{Bucket, LabelPair, Metric, MetricFamily, MetricType, Quantile, Summary};
use prometheus::{Registry, proto};

use super::histogram::Counts;
use super::quantile::{QUANTILES, quantile};
use super::scale::Scale;

/// What a family is called, and what it says.
#[derive(Debug)]
pub struct Family {
    pub name: &'static str,
    pub help: &'static str,
    pub kind: MetricType,
    pub labels: &'static [&'static str],
}

impl Family {
    pub const fn counter(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Family {
        Family { name, help, kind: MetricType::COUNTER, labels }
    }

    pub const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Family {
        Family { name, help, kind: MetricType::GAUGE, labels }
    }

    pub const fn histogram(
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Family {
        Family { name, help, kind: MetricType::HISTOGRAM, labels }
    }

    pub const fn summary(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Family {
        Family { name, help, kind: MetricType::SUMMARY, labels }
    }

    /// The family with these metrics.
    pub fn of(&self, metrics: Vec<Metric>) -> MetricFamily {
        let mut family = MetricFamily::default();
        family.set_name(self.name.to_owned());
        family.set_help(self.help.to_owned());
        family.set_field_type(self.kind);
        family.set_metric(metrics);
        family
    }

    /// The value of a counter or a gauge.
    pub fn value(&self, labels: &[&str], value: f64) -> Metric {
        let mut metric = self.labelled(labels);
        match self.kind {
            MetricType::COUNTER => {
                let mut counter = proto::Counter::default();
                counter.set_value(value);
                metric.set_counter(counter);
            }
            _ => {
                let mut gauge = proto::Gauge::default();
                gauge.set_value(value);
                metric.set_gauge(gauge);
            }
        }
        metric
    }

    /// All that a histogram has seen, in the base unit of its scale.
    pub fn distribution(&self, labels: &[&str], scale: &Scale, counts: &Counts) -> Metric {
        let (mut below, mut next) = (0, 0);
        let bucket = |&shown: &usize| {
            below += counts.buckets[next..=shown].iter().sum::<u64>();
            next = shown + 1;
            let mut bucket = Bucket::default();
            bucket.set_upper_bound(scale.bounds[shown] as f64 / scale.per_unit);
            bucket.set_cumulative_count(below);
            bucket
        };
        let mut histogram = proto::Histogram::default();
        histogram.set_bucket(scale.shown.iter().map(bucket).collect());
        histogram.set_sample_count(counts.count());
        histogram.set_sample_sum(counts.sum as f64 / scale.per_unit);
        let mut metric = self.labelled(labels);
        metric.set_histogram(histogram);
        metric
    }

    /// Kafka's quantiles of what was seen lately, and the count and sum of all; `per_unit` of the scale make one of Kafka's
    /// unit.
    pub fn quantiles(
        &self,
        labels: &[&str],
        scale: &Scale,
        per_unit: f64,
        all: &Counts,
        recent: &Counts,
    ) -> Metric {
        let told = QUANTILES.map(|part| {
            let mut told = Quantile::default();
            told.set_quantile(part);
            told.set_value(quantile(recent, scale, part) / per_unit);
            told
        });
        let mut summary = Summary::default();
        summary.set_quantile(told.into());
        summary.set_sample_count(all.count());
        summary.set_sample_sum(all.sum as f64 / per_unit);
        let mut metric = self.labelled(labels);
        metric.set_summary(summary);
        metric
    }

    fn labelled(&self, values: &[&str]) -> Metric {
        debug_assert_eq!(values.len(), self.labels.len(), "{}", self.name);
        let pairs = self.labels.iter().zip(values).map(|(&name, &value)| {
            let mut pair = LabelPair::default();
            pair.set_name(name.to_owned());
            pair.set_value(value.to_owned());
            pair
        });
        Metric::from_label(pairs.collect())
    }

    fn desc(&self) -> prometheus::Result<Desc> {
        let labels = self.labels.iter().map(|&label| label.to_owned()).collect();
        Desc::new(self.name.to_owned(), self.help.to_owned(), labels, HashMap::new())
    }
}

/// Families that are found by a function.
struct Found<F> {
    descs: Vec<Desc>,
    find: F,
}

impl<F: Fn() -> Vec<MetricFamily> + Send + Sync> Collector for Found<F> {
    fn desc(&self) -> Vec<&Desc> {
        self.descs.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        (self.find)()
    }
}

/// Lets `registry` ask `find` for these families at each scrape.
pub fn register(
    registry: &Registry,
    families: &[&Family],
    find: impl Fn() -> Vec<MetricFamily> + Send + Sync + 'static,
) -> prometheus::Result<()> {
    let descs = families.iter().map(|family| family.desc()).collect::<prometheus::Result<_>>()?;
    registry.register(Box::new(Found { descs, find }))
}

#[cfg(test)]
mod tests {
    use prometheus::TextEncoder;

    use super::super::histogram::Histogram;
    use super::super::scale::TIME;
    use super::*;

    #[test]
    fn a_histogram_is_shown_in_seconds_and_as_kafka_would_in_milliseconds() {
        static SEEN: Histogram = Histogram::new(&TIME);
        static SECONDS: Family = Family::histogram("took_seconds", &["request"], "Time.");
        static TIME_MS: Family = Family::summary("timems", &["request"], "Time.");
        [1, 2, 2_000].into_iter().for_each(|milliseconds| SEEN.observe(milliseconds * 1_000_000));
        let registry = Registry::new();
        let find = || {
            let counts = SEEN.counts();
            vec![
                SECONDS.of(vec![SECONDS.distribution(&["Produce"], &TIME, &counts)]),
                TIME_MS.of(vec![TIME_MS.quantiles(&["Produce"], &TIME, 1e6, &counts, &counts)]),
            ]
        };
        register(&registry, &[&SECONDS, &TIME_MS], find).expect("the names are free");
        let page = TextEncoder::new().encode_to_string(&registry.gather()).expect("it is well formed");
        for line in [
            "took_seconds_bucket{request=\"Produce\",le=\"0.0005\"} 0",
            "took_seconds_bucket{request=\"Produce\",le=\"0.002\"} 2",
            "took_seconds_bucket{request=\"Produce\",le=\"+Inf\"} 3",
            "took_seconds_sum{request=\"Produce\"} 2.003",
            "timems{request=\"Produce\",quantile=\"0.5\"} 1.75",
            "timems_count{request=\"Produce\"} 3",
        ] {
            assert!(page.lines().any(|shown| shown == line), "{line}\n{page}");
        }
    }
}
