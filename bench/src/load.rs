//! What the program that drives librdkafka prints, and the run that makes it print.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::parts::output;

/// Under what librdkafka a load ran.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Client {
    pub librdkafka: String,
    /// What is set; all else is librdkafka's default.
    pub settings: BTreeMap<String, String>,
}

/// The line: what every load says, and its own figures.
#[derive(Clone, Debug, Deserialize)]
pub struct Done<F> {
    #[serde(flatten)]
    pub client: Client,
    /// What the load itself used.
    pub cpu_seconds: f64,
    #[serde(flatten)]
    pub figures: F,
}

/// Figures of `create`.
#[derive(Clone, Debug, Deserialize)]
pub struct Created {
    pub created_seconds: f64,
    pub led_seconds: f64,
}

/// Figures of `produce` and `fetch`.
#[derive(Clone, Debug, Deserialize)]
pub struct Moved {
    /// Bytes of the records' values.
    pub bytes: u64,
    pub seconds: f64,
}

/// Figures of `describe`.
#[derive(Clone, Debug, Deserialize)]
pub struct Described {
    /// A broker for each partition.
    pub leaders: Vec<i32>,
}

/// Figures of `steady`.
#[derive(Clone, Debug, Deserialize)]
pub struct Kept {
    pub acknowledged: u64,
    pub failed: u64,
    /// By so many records the topic grew.
    pub standing: u64,
}

/// Figures of `latency`.
#[derive(Clone, Debug, Deserialize)]
pub struct Latencies {
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub p999_ms: f64,
    pub max_ms: f64,
}

/// Runs the program to its end.
pub fn run<F: DeserializeOwned>(command: &mut Command) -> Result<Done<F>> {
    let line = output(command)?;
    parse(&line).with_context(|| format!("of {command:?}"))
}

/// Reads what the program printed.
pub fn parse<F: DeserializeOwned>(line: &str) -> Result<Done<F>> {
    serde_json::from_str(line).with_context(|| format!("the result {line:?}"))
}
