//! The resource BROKER_LOGGER: which loggers there are, how much each says, and how that is changed (KIP-412). A change holds
//! for the process, and is gone with it.
//!
//! Our loggers are the modules, with dots for colons: tools take no others. A logger speaks for all below it that have no level
//! of their own.

use node::logging::{self, Level, ROOT_LOGGER};
use protocol::ErrorCode;
use protocol::messages::describe_configs_response::DescribeConfigsResourceResult;
use protocol::types::BrokerId;

use super::config_changes::{Change, DELETE, Outcome, Resource, SET, check_names, invalid};
use super::forward::Failure;
use metadata::configs::Source;

const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;

/// The loggers that have names: the root, our crates and the folders in them, and those who carry our gRPC.
const LOGGERS: [&str; 33] = [
    ROOT_LOGGER,
    "broker",
    "broker.api",
    "broker.api.fetch",
    "broker.config",
    "broker.fetch",
    "broker.group",
    "broker.group.machine",
    "broker.lag",
    "broker.link",
    "broker.metrics",
    "broker.metrics.requests",
    "broker.net",
    "broker.replica",
    "broker.replica.follower",
    "broker.replica.housekeeping",
    "broker.replica.isr",
    "broker.replica.recovery",
    "broker.replica.retries",
    "broker.server",
    "broker.unreachable_peers",
    "client",
    "controller",
    "metadata",
    "metadata.embedded",
    "metadata.etcd",
    "node",
    "protocol",
    "storage",
    "storage.log",
    "etcd_client",
    "h2",
    "tonic",
];

/// Every logger with its level.
pub(super) fn entries() -> Vec<DescribeConfigsResourceResult> {
    LOGGERS.iter().map(|logger| entry(logger)).collect()
}

fn entry(logger: &str) -> DescribeConfigsResourceResult {
    let level = logging::levels().map_or(Level::Info, |levels| levels.level_of(&module(logger)));
    DescribeConfigsResourceResult {
        name: logger.into(),
        value: Some(level.name().into()),
        config_source: Source::DynamicBrokerLogger as i8,
        ..DescribeConfigsResourceResult::default()
    }
}

/// What tracing calls a logger.
fn module(logger: &str) -> String {
    logger.replace('.', "::")
}

/// Changes levels: all that are named, or none.
pub(super) fn change(this: BrokerId, resource: &Resource, validate_only: bool) -> Outcome {
    check_names(resource)?;
    let name = &**resource.name;
    let id: i32 =
        name.parse().map_err(|_| invalid(format!("Node id must be an integer, but it is: {name}")))?;
    if id != this.0 {
        return Err(invalid(format!("Unexpected node id. Expected {this}, but received {id}")));
    }
    let changes = resource.changes.iter().map(checked).collect::<Result<Vec<_>, Failure>>()?;
    let Some(levels) = logging::levels().filter(|_| !validate_only) else { return Ok(()) };
    levels.change(&changes).map_err(|error| invalid(error.to_string()))?;
    for (logger, _) in &changes {
        tracing::warn!(logger, level = %levels.level_of(&module(logger)), "the level of a logger was changed");
    }
    Ok(())
}

/// The logger and the level that it is to have; without one it gets back what it began with.
fn checked(change: &Change) -> Result<(String, Option<Level>), Failure> {
    let logger = &**change.name;
    let refuse = |operation: &str| {
        invalid(format!("{operation} operation is not allowed for the BROKER_LOGGER resource"))
    };
    let unknown = || Failure {
        error: ErrorCode::InvalidConfig,
        message: format!("Logger {logger} does not exist!").into(),
    };
    match change.operation {
        SET | DELETE if !LOGGERS.contains(&logger) => Err(unknown()),
        SET => {
            level(logger, change.value.map_or("", |value| value)).map(|level| (module(logger), Some(level)))
        }
        DELETE if logger == ROOT_LOGGER => {
            Err(invalid(format!("Removing the log level of the {ROOT_LOGGER} logger is not allowed")))
        }
        DELETE => Ok((module(logger), None)),
        APPEND => Err(refuse("APPEND")),
        SUBTRACT => Err(refuse("SUBTRACT")),
        other => Err(invalid(format!(
            "Unknown operation type {other} is not allowed for the BROKER_LOGGER resource"
        ))),
    }
}

fn level(logger: &str, text: &str) -> Result<Level, Failure> {
    let unsupported = || {
        let mut levels = Level::ALL.map(Level::name);
        levels.sort_unstable();
        format!(
            "Cannot set the log level of {logger} to {text} as it is not a supported log level. Valid log levels are {}",
            levels.join(", ")
        )
    };
    Level::named(text)
        .ok_or_else(|| Failure { error: ErrorCode::InvalidConfig, message: unsupported().into() })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use protocol::wire::Str;

    use super::super::config_resource::BROKER_LOGGER;
    use super::*;

    fn answer(name: &str, logger: &str, operation: i8, value: Option<&str>) -> String {
        let (name, logger, value): (Str, Str, Option<Str>) =
            (name.into(), logger.into(), value.map(Into::into));
        let changes = vec![Change { name: &logger, value: value.as_ref(), operation }];
        let resource = Resource { kind: BROKER_LOGGER, name: &name, changes };
        change(BrokerId(1), &resource, true)
            .map_or_else(|failure| failure.message.to_string(), |()| String::new())
    }

    #[test]
    fn a_level_is_refused_in_kafkas_words() {
        assert_eq!(answer("1", "broker.group", SET, Some("DEBUG")), "");
        assert_eq!(answer("1", "broker.group", DELETE, None), "");
        let refused = [
            (answer("2", "root", SET, Some("INFO")), "Unexpected node id. Expected 1, but received 2"),
            (answer("", "root", SET, Some("INFO")), "Node id must be an integer, but it is: "),
            (answer("1", "kafka.server", SET, Some("INFO")), "Logger kafka.server does not exist!"),
            (answer("1", "root", DELETE, None), "Removing the log level of the root logger is not allowed"),
            (
                answer("1", "root", APPEND, Some("INFO")),
                "APPEND operation is not allowed for the BROKER_LOGGER resource",
            ),
            (
                answer("1", "root", SET, Some("OFF")),
                "Cannot set the log level of root to OFF as it is not a supported log level. Valid log levels are \
                 DEBUG, ERROR, FATAL, INFO, TRACE, WARN",
            ),
        ];
        for (told, expected) in refused {
            assert_eq!(told, expected);
        }
    }

    #[test]
    fn every_folder_of_the_broker_has_a_logger_and_no_logger_is_made_up() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let inside = std::fs::read_dir(&source).expect("the source is there");
        let folders = inside.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir());
        for folder in folders {
            let name = folder.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
            assert!(LOGGERS.contains(&format!("broker.{name}").as_str()), "{name} has no logger");
        }
        for module in LOGGERS.iter().filter_map(|logger| logger.strip_prefix("broker.")) {
            let path = source.join(module.replace('.', "/"));
            assert!(path.is_dir() || path.with_extension("rs").is_file(), "{module}");
        }
        assert_eq!(LOGGERS.iter().collect::<BTreeSet<_>>().len(), LOGGERS.len(), "each is named once");
    }
}
