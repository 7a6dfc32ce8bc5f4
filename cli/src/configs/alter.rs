//! `milena configs alter`.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;
use client::{ConfigChange, ConfigOperation};
use node::properties::Properties;

use super::changes::{self, Changes};
use super::entity::EntityArguments;
use crate::connect::Connect;
use crate::output::print;

/// Change configs of a topic, a broker, all brokers, a broker's loggers or a group: all that is named, or nothing.
#[derive(Args)]
pub struct AlterArguments {
    #[command(flatten)]
    connect: Connect,
    #[command(flatten)]
    entity: EntityArguments,
    /// Set keys; in brackets where a value holds commas: cleanup.policy=[compact,delete].
    #[arg(long, visible_alias = "add-config", value_name = "KEY=VALUE,…", value_parser = changes::set)]
    add: Vec<Changes>,
    /// Set the keys of a properties file; --add wins over it.
    #[arg(long, visible_alias = "add-config-file", value_name = "FILE")]
    add_file: Option<PathBuf>,
    /// Delete keys, so that the next level's values are in force.
    #[arg(long, visible_alias = "delete-config", value_name = "KEY,…", value_parser = changes::delete)]
    delete: Vec<Changes>,
    /// Add to the lists that keys have.
    #[arg(long, value_name = "KEY=VALUE,…", value_parser = changes::append)]
    append: Vec<Changes>,
    /// Take away from the lists that keys have.
    #[arg(long, value_name = "KEY=VALUE,…", value_parser = changes::subtract)]
    subtract: Vec<Changes>,
    /// Only say whether it could be done.
    #[arg(long)]
    validate_only: bool,
}

pub async fn run(arguments: AlterArguments) -> Result<()> {
    let resource = arguments.entity.one()?;
    let resource = resource.context("--entity-type alone says only what kind: add --entity-name NAME")?;
    let changes = arguments.changes()?;
    let admin = arguments.connect.admin().await?;
    admin.alter_configs(&resource, &changes, arguments.validate_only).await?;
    let outcome = if arguments.validate_only { "could be altered" } else { "altered" };
    print(&format!("Configs of {resource}: {outcome}.\n"))
}

impl AlterArguments {
    /// Each key once.
    fn changes(&self) -> Result<Vec<ConfigChange>> {
        let given = self.delete.iter().chain(&self.add).chain(&self.append).chain(&self.subtract);
        let mut changes: Vec<ConfigChange> = given.flat_map(|changes| changes.0.clone()).collect();
        let named_twice =
            changes.iter().enumerate().find(|(at, change)| names(&changes[..*at], &change.name));
        if let Some((_, change)) = named_twice {
            anyhow::bail!("key {} is named twice", change.name);
        }
        for change in self.file()? {
            if !names(&changes, &change.name) {
                changes.push(change);
            }
        }
        ensure!(!changes.is_empty(), "say what to change: --add KEY=VALUE, --delete KEY");
        Ok(changes)
    }

    fn file(&self) -> Result<Vec<ConfigChange>> {
        let mut properties = Properties::default();
        if let Some(path) = &self.add_file {
            properties.read_file(path)?;
        }
        let set = |(name, value): (&str, &node::properties::Value)| ConfigChange {
            name: name.to_owned(),
            operation: ConfigOperation::Set(value.text.trim().to_owned()),
        };
        Ok(properties.iter().map(set).collect())
    }
}

fn names(changes: &[ConfigChange], name: &str) -> bool {
    changes.iter().any(|change| change.name == name)
}
