//! What configs belong to, named in short (`--topic orders`) or as Kafka's tool has it
//! (`--entity-type topics --entity-name orders`).

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use clap::Args;
use client::{Admin, ConfigResource, ConfigResourceType, ConnectionError, Error};
use protocol::types::BrokerId;

/// One resource, or all of a kind.
#[derive(Args, Clone, Debug)]
#[group(required = true, multiple = true)]
pub struct EntityArguments {
    /// A topic.
    #[arg(long, value_name = "TOPIC", group = "entity")]
    topic: Option<String>,
    /// A broker.
    #[arg(long, value_name = "ID", group = "entity")]
    broker: Option<i32>,
    /// What holds for every broker that has no value of its own.
    #[arg(long, group = "entity")]
    broker_defaults: bool,
    /// The levels at which a broker logs.
    #[arg(long, value_name = "ID", group = "entity")]
    broker_logger: Option<i32>,
    /// A group.
    #[arg(long, value_name = "GROUP", group = "entity")]
    group: Option<String>,
    /// What clients are asked to report, by the name of the request.
    #[arg(long, value_name = "NAME", group = "entity")]
    client_metrics: Option<String>,
    /// As Kafka's tool takes it: topics, brokers, broker-loggers, groups, client-metrics.
    #[arg(long, value_name = "TYPE", group = "entity", value_parser = kind)]
    entity_type: Option<Kind>,
    /// The name of that entity; all of the type are described without it.
    #[arg(long, value_name = "NAME", requires = "entity_type", conflicts_with = "entity_default")]
    entity_name: Option<String>,
    /// The defaults of all brokers, beside --entity-type brokers.
    #[arg(long, requires = "entity_type")]
    entity_default: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Topics,
    Brokers,
    BrokerLoggers,
    Groups,
    ClientMetrics,
}

fn kind(text: &str) -> Result<Kind, String> {
    Ok(match text {
        "topics" => Kind::Topics,
        "brokers" => Kind::Brokers,
        "broker-loggers" => Kind::BrokerLoggers,
        "groups" => Kind::Groups,
        "client-metrics" => Kind::ClientMetrics,
        "users" | "clients" | "ips" => return Err("quotas and credentials cannot be kept yet".to_owned()),
        _ => return Err("topics, brokers, broker-loggers, groups and client-metrics are allowed".to_owned()),
    })
}

impl EntityArguments {
    /// The one that is named, if one is.
    pub fn one(&self) -> Result<Option<ConfigResource>> {
        let short = self.topic.clone().map(ConfigResource::Topic);
        let short = short.or(self.broker.map(|id| ConfigResource::Broker(BrokerId(id))));
        let short = short.or(self.broker_defaults.then_some(ConfigResource::BrokerDefaults));
        let short = short.or(self.broker_logger.map(|id| ConfigResource::BrokerLogger(BrokerId(id))));
        let short = short.or(self.group.clone().map(ConfigResource::Group));
        let short = short.or(self.client_metrics.clone().map(ConfigResource::ClientMetrics));
        match (short, self.entity_type) {
            (None, Some(kind)) => self.long(kind),
            (short, _) => Ok(short),
        }
    }

    fn long(&self, kind: Kind) -> Result<Option<ConfigResource>> {
        if self.entity_default {
            match kind {
                Kind::Brokers => return Ok(Some(ConfigResource::BrokerDefaults)),
                _ => bail!("--entity-default: only brokers have defaults that can be set"),
            }
        }
        let Some(name) = self.entity_name.clone() else { return Ok(None) };
        Ok(Some(match kind {
            Kind::Topics => ConfigResource::Topic(name),
            Kind::Brokers => ConfigResource::Broker(broker(&name)?),
            Kind::BrokerLoggers => ConfigResource::BrokerLogger(broker(&name)?),
            Kind::Groups => ConfigResource::Group(name),
            Kind::ClientMetrics => ConfigResource::ClientMetrics(name),
        }))
    }

    /// The one that is named, or all of the type.
    pub async fn all(&self, admin: &Admin) -> Result<Vec<ConfigResource>> {
        match (self.one()?, self.entity_type) {
            (Some(one), _) => Ok(vec![one]),
            (None, Some(kind)) => all_of(kind, admin).await,
            (None, None) => bail!("nothing is named"),
        }
    }
}

fn broker(name: &str) -> Result<BrokerId> {
    match name.parse() {
        Ok(id) => Ok(BrokerId(id)),
        Err(_) => bail!("--entity-name {name}: the id of a broker is a number"),
    }
}

async fn all_of(kind: Kind, admin: &Admin) -> Result<Vec<ConfigResource>> {
    let metadata = admin.cluster().metadata();
    let brokers = metadata.brokers().map(|broker| broker.id);
    Ok(match kind {
        Kind::Topics => {
            let topics = admin.list_topics().await?;
            topics.iter().map(|topic| ConfigResource::Topic(topic.name.to_string())).collect()
        }
        Kind::Brokers => {
            brokers.map(ConfigResource::Broker).chain([ConfigResource::BrokerDefaults]).collect()
        }
        Kind::BrokerLoggers => brokers.map(ConfigResource::BrokerLogger).collect(),
        Kind::Groups => groups(admin).await?.into_iter().map(ConfigResource::Group).collect(),
        Kind::ClientMetrics => {
            let names = admin.list_config_resources(ConfigResourceType::ClientMetrics).await?;
            names.into_iter().map(ConfigResource::ClientMetrics).collect()
        }
    })
}

/// Those that are there, and those that something is set for. Of the latter an older broker does not tell.
async fn groups(admin: &Admin) -> Result<BTreeSet<String>> {
    let listed = admin.list_groups(&[], &[]).await?;
    let mut names: BTreeSet<_> = listed.into_iter().map(|group| group.group_id.to_string()).collect();
    match admin.list_config_resources(ConfigResourceType::Group).await {
        Ok(set) => names.extend(set),
        Err(Error::Connection(ConnectionError::ApiNotServed { .. } | ConnectionError::Encode { .. })) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        entity: EntityArguments,
    }

    fn named(arguments: &[&str]) -> Option<ConfigResource> {
        let command = Command::try_parse_from([&["milena"], arguments].concat()).expect("it is named");
        command.entity.one().expect("it is one")
    }

    fn is_refused(arguments: &[&str]) -> bool {
        match Command::try_parse_from([&["milena"], arguments].concat()) {
            Ok(command) => command.entity.one().is_err(),
            Err(_) => true,
        }
    }

    #[test]
    fn both_spellings_name_the_same() {
        let pairs: [(&[&str], &[&str]); 5] = [
            (&["--topic", "t"], &["--entity-type", "topics", "--entity-name", "t"]),
            (&["--broker", "1"], &["--entity-type", "brokers", "--entity-name", "1"]),
            (&["--broker-defaults"], &["--entity-type", "brokers", "--entity-default"]),
            (&["--broker-logger", "2"], &["--entity-type", "broker-loggers", "--entity-name", "2"]),
            (&["--group", "g"], &["--entity-type", "groups", "--entity-name", "g"]),
        ];
        for (short, long) in pairs {
            assert!(named(short).is_some() && named(short) == named(long), "{short:?}");
        }
        assert_eq!(named(&["--entity-type", "brokers"]), None);
    }

    #[test]
    fn what_names_nothing_or_two_things_is_refused() {
        let wrong: [&[&str]; 6] = [
            &[],
            &["--topic", "t", "--group", "g"],
            &["--entity-name", "t"],
            &["--entity-type", "topics", "--entity-default"],
            &["--entity-type", "brokers", "--entity-name", "one"],
            &["--entity-type", "users"],
        ];
        for wrong in wrong {
            assert!(is_refused(wrong), "{wrong:?}");
        }
    }
}
