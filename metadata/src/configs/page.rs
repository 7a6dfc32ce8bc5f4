//! The page that says of every key what it is and does here, `docs/configuration.md`, made from the table.

use std::fmt::Write as _;

use super::key::{ConfigKey, Dynamic};
use super::table::{broker_areas, client_metrics_keys, group_keys, topic_keys};

const OPENING: &str = "\
# Configuration

Every key of Apache Kafka 4.3.1, and those that Milena adds: what it is, what it allows, and what it does here. This page is made
from the table by which the daemons read their keys (`metadata/src/configs/table`): `cargo xtask configuration` writes it anew.

* A key has its value by the nearest of these: its topic or group; the broker, while it runs; all brokers, while they run; the
  broker's own settings, where `--override key=value` goes before the environment, and that before the file; its default.
* A value that a key does not allow stops the start, or the call that sets it, and the answer says what is allowed. A key that is
  known and does nothing here is taken, and the broker's log says so. A key that nobody knows is taken as well, with a warning,
  and DescribeConfigs never shows its value.
* *fixed* keys hold from the start of a broker on. *broker* keys may change while it runs, by AlterConfigs for one broker; *cluster*
  keys for one broker or for all. Keys of listeners may carry `listener.name.{name}.` in front and then hold for that one alone.
* What controllers decide by stands in their own files: `auto.leader.rebalance.enable`, `delete.topic.enable`,
  `leader.imbalance.check.interval.seconds`, `min.insync.replicas`, `unclean.leader.election.enable`, the bounds on groups, and
  `num.partitions` and `default.replication.factor` where neither a client nor its broker says how many.
* In the environment `log.retention.ms` is `KAFKA_LOG_RETENTION_MS`: `_` is a dot, `__` an underscore, `___` a dash.
* Two of Apache Kafka's defaults are others here: `broker.session.timeout.ms` is 6 s, not 9 s, and `socket.listen.backlog.size` 4096, not 50:
  of a crowd that comes at once, those beyond wait a second for their next try.
* Log levels are changed as well while a broker runs: the resource BROKER_LOGGER, as for `kafka-configs --entity-type
  broker-loggers`, names the parts of Milena; a change is gone with the process.
";

/// The whole page.
pub fn configuration_page() -> String {
    let mut page = OPENING.to_owned();
    section(&mut page, "Topics", topic_keys(), Columns::Inherited);
    section(&mut page, "Groups", group_keys(), Columns::Inherited);
    section(&mut page, "Subscriptions to clients' metrics", client_metrics_keys(), Columns::Plain);
    for area in broker_areas() {
        section(&mut page, &format!("Brokers: {}", area.title), area.keys, Columns::Dynamic);
    }
    page
}

/// What is said of keys beside the rest.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Columns {
    Plain,
    /// Which broker keys a topic's or group's key takes its value from.
    Inherited,
    /// How a broker key may change.
    Dynamic,
}

fn section(page: &mut String, title: &str, keys: &[ConfigKey], columns: Columns) {
    let (more, line) = match columns {
        Columns::Plain => ("", ""),
        Columns::Inherited => (" Else by |", "-|"),
        Columns::Dynamic => (" Changes |", "-|"),
    };
    // A String takes whatever is written to it.
    let _ = write!(page, "\n## {title}\n\n| Key | Meaning | Value |{more} In Milena |\n|-|-|-|{line}-|\n");
    for key in keys.iter().filter(|key| !key.internal) {
        let _ = writeln!(page, "{}", row(key, columns));
    }
}

fn row(key: &ConfigKey, columns: Columns) -> String {
    let more = match columns {
        Columns::Plain => String::new(),
        Columns::Inherited => format!(" {} |", inherited(key)),
        Columns::Dynamic => format!(" {} |", changes(key.dynamic)),
    };
    let row = format!("| `{}` | {} | {} |{more} {} |", key.name, key.documentation, value(key), key.effect);
    row.replace("  ", " ")
}

fn value(key: &ConfigKey) -> String {
    let default = match key.default() {
        Some("") => "empty".to_owned(),
        Some("9223372036854775807" | "2147483647" | "1.7976931348623157E308") => {
            "the largest number".to_owned()
        }
        Some(text) => format!("`{text}`"),
        None if key.is_required() => "required in Apache Kafka".to_owned(),
        None => "unset".to_owned(),
    };
    format!("{default}; {}", key.allowed())
}

fn inherited(key: &ConfigKey) -> String {
    key.inherits.iter().map(|from| format!("`{}`", from.name)).collect::<Vec<_>>().join(", ")
}

fn changes(dynamic: Dynamic) -> &'static str {
    match dynamic {
        Dynamic::ReadOnly => "fixed",
        Dynamic::PerBroker => "broker",
        Dynamic::ClusterWide => "cluster",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_breaks_its_table() {
        for line in configuration_page().lines().filter(|line| line.starts_with("| `")) {
            let cells = line.matches(" |").count();
            assert!((4..=5).contains(&cells), "{cells} cells: {line}");
        }
    }
}
