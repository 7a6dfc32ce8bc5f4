//! `milena configs describe`: what is in force, and where it comes from.

use clap::Args;
use client::{Admin, ConfigDetail, ConfigEntry, ConfigResource, ConfigSynonym};
use serde_json::json;

use super::entity::EntityArguments;
use crate::arguments::Output;
use crate::connect::Connect;
use crate::output::{Table, print, print_json};

/// What stands for a value that a broker does not tell.
const HIDDEN: &str = "[hidden]";
/// Longer values are cut in tables.
const VALUE_CHARS_MAX: usize = 60;

/// Describe configs: what was set, or with --all everything.
#[derive(Args)]
pub struct DescribeArguments {
    #[command(flatten)]
    connect: Connect,
    #[command(flatten)]
    entity: EntityArguments,
    /// Keys that have their defaults too.
    #[arg(long)]
    all: bool,
    /// The values that are set at every level, the one in force first.
    #[arg(long)]
    synonyms: bool,
    /// What each key means.
    #[arg(long)]
    documentation: bool,
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// One resource with what is to be shown of it.
struct Described {
    resource: ConfigResource,
    entries: Vec<ConfigEntry>,
}

pub async fn run(arguments: DescribeArguments) -> anyhow::Result<()> {
    let admin = arguments.connect.admin().await?;
    let resources = arguments.entity.all(&admin).await?;
    let described = arguments.describe(&admin, resources).await?;
    match arguments.output {
        Output::Table => {
            print(&described.iter().map(|it| arguments.text_of(it)).collect::<Vec<_>>().join("\n"))
        }
        Output::Json => print_json(&described.iter().map(json_of).collect()),
    }
}

impl DescribeArguments {
    async fn describe(
        &self,
        admin: &Admin,
        resources: Vec<ConfigResource>,
    ) -> Result<Vec<Described>, client::Error> {
        let detail = ConfigDetail { synonyms: self.synonyms, documentation: self.documentation };
        let entries = admin.describe_configs(&resources, detail).await?;
        let described = resources.into_iter().zip(entries).map(|(resource, mut entries)| {
            entries.retain(|entry| self.all || is_set_for(&resource, entry));
            entries.sort_by(|one, other| one.name.cmp(&other.name));
            Described { resource, entries }
        });
        Ok(described.collect())
    }

    fn text_of(&self, Described { resource, entries }: &Described) -> String {
        if entries.is_empty() {
            return format!("Configs of {resource}: nothing is set.\n");
        }
        let mut titles = vec!["KEY", "VALUE", "SOURCE"];
        if self.synonyms {
            titles.push("SYNONYMS");
        }
        let mut table = Table::new(titles);
        for entry in entries {
            let value = shortened(&value(entry.value.as_deref(), entry.sensitive));
            let mut cells = vec![entry.name.to_string(), value, entry.source.name().to_owned()];
            if self.synonyms {
                cells.push(entry.synonyms.iter().map(synonym).collect::<Vec<_>>().join(", "));
            }
            table.row(cells);
        }
        let documentation = if self.documentation { documentation(entries) } else { String::new() };
        format!("Configs of {resource}:\n{}{documentation}", table.render())
    }
}

/// Whether somebody set it for this very resource. Loggers have levels, and each is shown.
fn is_set_for(resource: &ConfigResource, entry: &ConfigEntry) -> bool {
    let own = match resource {
        ConfigResource::Topic(_) => "DYNAMIC_TOPIC_CONFIG",
        ConfigResource::Broker(_) => "DYNAMIC_BROKER_CONFIG",
        ConfigResource::BrokerDefaults => "DYNAMIC_DEFAULT_BROKER_CONFIG",
        ConfigResource::BrokerLogger(_) => "DYNAMIC_BROKER_LOGGER_CONFIG",
        ConfigResource::Group(_) => "DYNAMIC_GROUP_CONFIG",
        ConfigResource::ClientMetrics(_) => "DYNAMIC_CLIENT_METRICS_CONFIG",
    };
    entry.source.name() == own
}

fn value(value: Option<&str>, sensitive: bool) -> String {
    match value {
        Some(value) => value.to_owned(),
        None if sensitive => HIDDEN.to_owned(),
        None => "null".to_owned(),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(VALUE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn synonym(synonym: &ConfigSynonym) -> String {
    let value = shortened(synonym.value.as_deref().unwrap_or("null"));
    format!("{}:{}={value}", synonym.source.name(), synonym.name)
}

fn documentation(entries: &[ConfigEntry]) -> String {
    let of = |entry: &ConfigEntry| {
        let text = entry.documentation.as_deref().filter(|text| !text.is_empty())?;
        Some(format!("\n{}\n  {}\n", entry.name, text.trim()))
    };
    entries.iter().filter_map(of).collect()
}

fn json_of(Described { resource, entries }: &Described) -> serde_json::Value {
    let text = |text: Option<&str>| text.map(str::to_owned);
    let synonym = |synonym: &ConfigSynonym| {
        json!({
            "name": &*synonym.name,
            "value": text(synonym.value.as_deref()),
            "source": synonym.source.name(),
        })
    };
    let entry = |entry: &ConfigEntry| {
        json!({
            "name": &*entry.name,
            "value": text(entry.value.as_deref()),
            "source": entry.source.name(),
            "read_only": entry.read_only,
            "sensitive": entry.sensitive,
            "synonyms": entry.synonyms.iter().map(synonym).collect::<Vec<_>>(),
            "documentation": text(entry.documentation.as_deref()),
        })
    };
    json!({
        "resource": resource.to_string(),
        "name": resource.name(),
        "configs": entries.iter().map(entry).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use client::ConfigSource;

    fn entry(source: i8, value: Option<&str>) -> ConfigEntry {
        ConfigEntry {
            name: "k".into(),
            value: value.map(Into::into),
            source: ConfigSource(source),
            read_only: false,
            sensitive: value.is_none(),
            synonyms: Vec::new(),
            documentation: None,
        }
    }

    #[test]
    fn only_what_was_set_for_the_resource_itself_is_its_own() {
        let topic = ConfigResource::Topic("t".into());
        assert!(is_set_for(&topic, &entry(1, Some("1"))));
        assert!(!is_set_for(&topic, &entry(4, Some("1"))) && !is_set_for(&topic, &entry(5, Some("1"))));
        assert!(is_set_for(&ConfigResource::BrokerDefaults, &entry(3, Some("1"))));
    }

    #[test]
    fn secrets_are_hidden_and_long_values_cut() {
        let secret = entry(2, None);
        assert_eq!(value(secret.value.as_deref(), secret.sensitive), HIDDEN);
        assert_eq!(shortened(&"é".repeat(61)), "é".repeat(60) + "…");
    }
}
