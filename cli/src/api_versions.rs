//! `milena api-versions`: which APIs each broker serves, in which versions, beside those that this client speaks.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use clap::Args;
use client::{Admin, Broker, Error, Lane};
use protocol::ApiKey;
use serde_json::{Value, json};

use crate::arguments::Output;
use crate::connect::Connect;
use crate::outcomes::Outcomes;
use crate::output::{DASH, Table, print, print_json};

/// Show which versions of which APIs each broker serves, and which of them this client speaks.
#[derive(Args)]
pub struct ApiVersionsArguments {
    #[command(flatten)]
    connect: Connect,
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// What one broker serves, by the numbers of the APIs.
type Served = BTreeMap<i16, RangeInclusive<i16>>;

pub async fn run(arguments: ApiVersionsArguments) -> anyhow::Result<()> {
    let admin = arguments.connect.admin().await?;
    let metadata = admin.cluster().metadata();
    let mut outcomes = Outcomes::default();
    for broker in metadata.brokers() {
        let served = served(&admin, broker).await;
        outcomes.add(broker, served);
    }
    match arguments.output {
        Output::Table => print(&text_of(&outcomes))?,
        Output::Json => {
            print_json(&outcomes.iter().map(|(broker, served)| json_of(broker, served)).collect())?
        }
    }
    outcomes.end("brokers did not answer")
}

async fn served(admin: &Admin, broker: &Broker) -> Result<Served, Error> {
    Ok(admin.cluster().broker(broker.id, Lane::Requests).await?.api_versions().collect())
}

/// One table for all brokers that serve the same.
fn text_of(outcomes: &Outcomes<&Broker, Served>) -> String {
    let mut alike: Vec<(&Served, Vec<String>)> = Vec::new();
    for (broker, served) in outcomes.successes() {
        let name = format!("{} at {}", broker.id, broker.address());
        match alike.iter_mut().find(|(other, _)| *other == served) {
            Some((_, names)) => names.push(name),
            None => alike.push((served, vec![name])),
        }
    }
    let text = |(served, names): &(&Served, Vec<String>)| {
        let title = if names.len() == 1 { "Broker" } else { "Brokers" };
        format!("{title} {}:\n{}", names.join(", "), table(served).render())
    };
    alike.iter().map(text).collect::<Vec<_>>().join("\n")
}

fn table(served: &Served) -> Table {
    let mut table = Table::new(["KEY", "API", "THEIRS", "OURS", "USED"]);
    let keys = served.keys().copied().chain(ApiKey::ALL.iter().map(|key| *key as i16));
    let keys: std::collections::BTreeSet<i16> = keys.collect();
    for key in keys {
        let (theirs, ours) = (served.get(&key), ours(key));
        if theirs.is_none() && ours.is_none() {
            continue;
        }
        let used = theirs.zip(ours.as_ref()).and_then(|(theirs, ours)| used(theirs, ours));
        table.row([
            key.to_string(),
            name(key),
            theirs.map_or(DASH.into(), range),
            ours.as_ref().map_or(DASH.into(), range),
            used.map_or(DASH.into(), |used| used.to_string()),
        ]);
    }
    table
}

fn name(key: i16) -> String {
    ApiKey::try_from(key).map_or_else(|_| "unknown".to_owned(), |key| key.name().to_owned())
}

/// The versions that this client speaks.
fn ours(key: i16) -> Option<RangeInclusive<i16>> {
    ApiKey::try_from(key).ok()?.served_versions()
}

/// The version that a connection takes.
fn used(theirs: &RangeInclusive<i16>, ours: &RangeInclusive<i16>) -> Option<i16> {
    let highest = *theirs.end().min(ours.end());
    (highest >= *theirs.start().max(ours.start())).then_some(highest)
}

fn range(versions: &RangeInclusive<i16>) -> String {
    match (versions.start(), versions.end()) {
        (first, last) if first == last => first.to_string(),
        (first, last) => format!("{first}-{last}"),
    }
}

fn json_of(broker: &Broker, outcome: &Result<Served, Error>) -> Value {
    let api = |(key, theirs): (&i16, &RangeInclusive<i16>)| {
        let ours = ours(*key);
        let used = ours.as_ref().and_then(|ours| used(theirs, ours));
        let bounds = |range: &RangeInclusive<i16>| [*range.start(), *range.end()];
        json!({
            "key": key,
            "name": name(*key),
            "theirs": bounds(theirs),
            "ours": ours.as_ref().map(bounds),
            "used": used,
        })
    };
    json!({
        "broker": broker.id.0,
        "address": broker.address(),
        "apis": outcome.as_ref().ok().map(|served| served.iter().map(api).collect::<Vec<_>>()),
        "error": outcome.as_ref().err().map(ToString::to_string),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_common_version_is_used() {
        assert_eq!(used(&(0..=11), &(4..=17)), Some(11));
        assert_eq!(used(&(0..=3), &(4..=17)), None);
    }

    #[test]
    fn what_either_side_knows_has_a_row() {
        let served = Served::from([(18, 0..=4), (9999, 1..=1)]);
        let text = table(&served).render();
        let row = |start: &str| text.lines().find(|line| line.starts_with(start)).map(str::to_owned);
        assert_eq!(row("18 ").map(|row| row.split_whitespace().last() == Some("4")), Some(true), "{text}");
        let unknown = row("9999").map(|row| row.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(unknown, Some(["9999", "unknown", "1", "-", "-"].map(str::to_owned).to_vec()));
        assert!(row("1 ").is_some_and(|fetch| fetch.contains("Fetch")), "{text}");
    }
}
