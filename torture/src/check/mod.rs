//! The checker: which of its promises the cluster broke, told from what its clients saw. Pure.
//!
//! In the manner of Jepsen's test of Kafka: every value is written once, so each read names the write that it saw. The
//! log is put together from all reads; then writes, order, polls and commits are held against it.

mod anomaly;
mod group;
mod log;
mod polls;
#[cfg(test)]
mod tests;
mod writes;

pub use anomaly::Anomaly;
pub use log::Log;

use crate::history::History;

/// Every broken promise, the gravest kinds first.
pub fn check(history: &History) -> Vec<Anomaly> {
    let (log, mut found) = Log::of(history.all_readings());
    found.extend(writes::check(history, &log));
    found.extend(log.check_order());
    found.extend(writes::check_values(history, &log));
    found.extend(polls::check(&history.readings));
    found.extend(group::check(&history.group));
    found.extend(client_errors(history));
    found
}

fn client_errors(history: &History) -> Vec<Anomaly> {
    let producers = history
        .producing
        .iter()
        .map(|part| (format!("producer {}", part.producer), &part.errors, part.is_whole));
    let readers = history.all_readings().map(|part| (part.reader.clone(), &part.errors, part.is_whole));
    let mut found = Vec::new();
    for (client, errors, is_whole) in producers.chain(readers) {
        found.extend(
            errors.iter().map(|error| Anomaly::Client { client: client.clone(), error: error.clone() }),
        );
        if !is_whole {
            found.push(Anomaly::Client { client, error: "ended before it was done".to_owned() });
        }
    }
    found
}
