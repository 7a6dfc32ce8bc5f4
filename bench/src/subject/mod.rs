//! The brokers under load, alone: what each is called, how it is started, and the settings it runs with.

pub mod daemon;
pub mod folder;
pub mod kafka;
mod milena;
mod server;

use anyhow::Result;
use clap::ValueEnum;
use serde::Serialize;

use crate::parts::Parts;

pub use server::Server;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Subject {
    Kafka,
    Milena,
}

/// What a reader must know to start the same.
#[derive(Clone, Debug, Serialize)]
pub struct Description {
    pub name: &'static str,
    pub version: String,
    pub settings: Vec<String>,
}

impl Subject {
    pub fn name(self) -> &'static str {
        match self {
            Subject::Kafka => "Kafka",
            Subject::Milena => "Milena",
        }
    }

    /// Version and settings.
    pub fn describe(self, parts: &Parts) -> Result<Description> {
        let (version, settings) = match self {
            Subject::Kafka => (kafka::version(parts)?, kafka::settings()),
            Subject::Milena => (milena::version(parts)?, milena::settings()),
        };
        Ok(Description { name: self.name(), version, settings })
    }

    /// Starts one node on an empty folder and waits until it serves Metadata.
    pub fn start(self, parts: &Parts) -> Result<Server> {
        let folder = parts.work().join(self.name().to_lowercase());
        folder::clear(&folder)?;
        let port = server::free_port()?;
        let command = match self {
            Subject::Kafka => kafka::command(parts, &folder, port)?,
            Subject::Milena => milena::command(parts, &folder, port)?,
        };
        Server::start(self, command, folder, port)
    }
}
