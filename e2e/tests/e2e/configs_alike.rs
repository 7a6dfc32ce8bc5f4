//! DescribeConfigs of a topic, a broker, a group and a subscription: every key is described as Apache Kafka describes it.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use e2e::server::{Server, Subject, subject};
use e2e::wire;
use protocol::ErrorCode;
use protocol::messages::DescribeConfigsRequest;
use protocol::messages::describe_configs_request::DescribeConfigsResource;
use protocol::messages::describe_configs_response::DescribeConfigsResourceResult;

const VERSION: i16 = 4;
const CREATE_TIME_MAX: Duration = Duration::from_secs(20);

/// Kafka's `ConfigResource.Type`s, each with a name of which both brokers know something.
const RESOURCES: [(i8, &str); 4] = [(2, "described"), (4, "1"), (32, "a-group"), (16, "a-subscription")];

/// Keys that Apache Kafka does not have.
const OURS: [&str; 8] = [
    "metadata.store",
    "metadata.endpoints",
    "metadata.prefix",
    "controller.listener",
    "controller.advertised.listener",
    "metrics.listener",
    "logging.level",
    "logging.format",
];

/// Keys that the two brokers were told different things of, so that values, sources and synonyms differ; Apache Kafka tells
/// itself what `min.insync.replicas` is in the whole cluster, since eligible leader replicas rest on it.
const TOLD_OTHERWISE: [&str; 10] = [
    "node.id",
    "broker.id",
    "process.roles",
    "controller.quorum.voters",
    "controller.listener.names",
    "listeners",
    "log.dirs",
    "log.dir",
    "transaction.state.log.min.isr",
    "min.insync.replicas",
];

/// Other defaults, and why.
const OTHER_DEFAULTS: [(&str, &str); 2] = [
    ("broker.session.timeout.ms", "the lease of a registration in etcd is shorter than KRaft's session"),
    ("socket.listen.backlog.size", "thousands that connect at once are all let in"),
];

/// What is told of a key; where it comes from is told by codes.
#[derive(Debug, PartialEq, Eq)]
struct Description {
    config_type: i8,
    is_sensitive: bool,
    read_only: bool,
    value: Option<String>,
    source: i8,
    synonyms: Vec<(String, Option<String>, i8)>,
}

impl Description {
    fn of(told: &DescribeConfigsResourceResult) -> Description {
        let text = |text: &protocol::wire::Str| text.to_string();
        let synonyms = told.synonyms.iter();
        Description {
            config_type: told.config_type,
            is_sensitive: told.is_sensitive,
            read_only: told.read_only,
            value: told.value.as_ref().map(text),
            source: told.config_source,
            synonyms: synonyms
                .map(|one| (text(&one.name), one.value.as_ref().map(text), one.source))
                .collect(),
        }
    }

    /// Without what depends on what the broker was told.
    fn of_the_key_alone(mut self) -> Description {
        (self.value, self.source) = (None, 0);
        self.synonyms.clear();
        self
    }
}

type Described = BTreeMap<String, Description>;

fn describe(port: u16, (kind, name): (i8, &str)) -> Result<Described> {
    let resource =
        DescribeConfigsResource { resource_type: kind, resource_name: name.into(), configuration_keys: None };
    let request = DescribeConfigsRequest {
        resources: vec![resource],
        include_synonyms: true,
        include_documentation: true,
    };
    let answer = wire::call(port, &request, VERSION)?;
    let result = answer.results.first().context("one result")?;
    ensure!(result.error_code == ErrorCode::None.code(), "{name}: {:?}", result.error_message);
    for told in &result.configs {
        let documented = told.documentation.as_ref().is_some_and(|text| !text.is_empty());
        ensure!(documented || told.config_type == 0, "{} is not documented", told.name);
    }
    Ok(result.configs.iter().map(|told| (told.name.to_string(), Description::of(told))).collect())
}

fn described_by(subject: Subject, name: &str) -> Result<Vec<Described>> {
    let server = Server::of(subject, name, 1, &[("log.retention.hours", "48"), ("group.max.size", "7")])?;
    let created = wire::create_topic(server.port(), "described", 1, 1, CREATE_TIME_MAX)?;
    ensure!(created == ErrorCode::None, "{created:?}");
    let described = RESOURCES.iter().map(|resource| describe(server.port(), *resource)).collect();
    server.done()?;
    described
}

/// What differs, key by key.
fn differences(kafka: Described, mut milena: Described) -> Vec<String> {
    let mut differences = Vec::new();
    for (name, theirs) in kafka {
        let Some(ours) = milena.remove(&name) else {
            differences.push(format!("{name}: Milena does not know it"));
            continue;
        };
        let told_otherwise =
            TOLD_OTHERWISE.contains(&name.as_str()) || OTHER_DEFAULTS.iter().any(|(key, _)| *key == name);
        let (theirs, ours) = match told_otherwise {
            true => (theirs.of_the_key_alone(), ours.of_the_key_alone()),
            false => (theirs, ours),
        };
        if theirs != ours {
            differences.push(format!("{name}:\n  Kafka  {theirs:?}\n  Milena {ours:?}"));
        }
    }
    let unknown = milena.into_keys().filter(|name| !OURS.contains(&name.as_str()));
    differences.extend(unknown.map(|name| format!("{name}: Apache Kafka does not know it")));
    differences
}

#[test]
fn every_key_is_described_as_apache_kafka_describes_it() -> Result<()> {
    if subject()? == Subject::ApacheKafka {
        return Ok(());
    }
    let (kafka, milena) = thread::scope(|scope| {
        let kafka = scope.spawn(|| described_by(Subject::ApacheKafka, "configs-kafka"));
        let milena = described_by(Subject::Milena, "configs-milena");
        let kafka = kafka.join().map_err(|_| anyhow::anyhow!("a panic"))?;
        Ok::<_, anyhow::Error>((kafka?, milena?))
    })?;
    let keys: usize = kafka.iter().map(BTreeMap::len).sum();
    let differences: Vec<String> =
        kafka.into_iter().zip(milena).flat_map(|(kafka, milena)| differences(kafka, milena)).collect();
    ensure!(differences.is_empty(), "of {keys} keys {}:\n{}", differences.len(), differences.join("\n"));
    ensure!(keys > 300, "only {keys} keys were compared");
    Ok(())
}
