//! etcd as Milena's metadata store: one member, its data on disk, every write synced; and who is the active controller.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::node::{Health, Node};
use super::ports;
use crate::http;

/// Of the default `metadata.prefix`.
const CONTROLLER_KEY: &str = "/milena/controller";

/// One that does not run yet.
pub fn node(folder: &Path) -> Result<Node> {
    let (port, peers) = (ports::fixed()?, ports::fixed()?);
    let (clients, peers) = (url(port), url(peers));
    let mut command = Command::new("etcd");
    command.args(["--name", "bench", "--data-dir"]).arg(folder.join("etcd"));
    command.args(["--listen-client-urls", &clients, "--advertise-client-urls", &clients]);
    command.args(["--listen-peer-urls", &peers, "--initial-advertise-peer-urls", &peers]);
    command.args(["--initial-cluster", &format!("bench={peers}")]);
    Node::new("etcd", port, command, Health::Http(port, "/health"), folder)
}

/// `metadata.endpoints` of one that serves on this port.
pub fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// Who is active, and since which revision: each election has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActiveController {
    pub id: i32,
    pub elected: i64,
}

/// None while there is none.
pub fn active_controller(port: u16) -> Result<Option<ActiveController>> {
    let body = format!("{{\"key\":\"{}\"}}", STANDARD.encode(CONTROLLER_KEY));
    parse(&http::post(port, "/v3/kv/range", &body)?)
}

/// The gateway's JSON: numbers of 64 bits are texts, bytes are base64.
#[derive(Deserialize)]
struct Range {
    #[serde(default)]
    kvs: Vec<KeyValue>,
}

#[derive(Deserialize)]
struct KeyValue {
    create_revision: String,
    value: String,
}

#[derive(Deserialize)]
struct Controller {
    id: i32,
}

fn parse(answer: &str) -> Result<Option<ActiveController>> {
    let range: Range = serde_json::from_str(answer).with_context(|| format!("etcd's answer {answer}"))?;
    let Some(key) = range.kvs.first() else { return Ok(None) };
    let controller: Controller = serde_json::from_slice(&STANDARD.decode(&key.value)?)?;
    Ok(Some(ActiveController { id: controller.id, elected: key.create_revision.parse()? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gateways_answer_names_the_active_controller() {
        let value = STANDARD.encode(r#"{"id":101,"endpoint":"http://127.0.0.1:1","epoch":3}"#);
        let answer = format!(
            r#"{{"header":{{"revision":"9"}},"kvs":[{{"key":"eA==","create_revision":"7","value":"{value}"}}],"count":"1"}}"#
        );
        assert_eq!(parse(&answer).unwrap(), Some(ActiveController { id: 101, elected: 7 }));
        assert_eq!(parse(r#"{"header":{"revision":"9"}}"#).unwrap(), None);
        assert!(parse("nonsense").is_err());
    }
}
