//! Java's admin client, one family of its calls after the other: the program says which answers are right.

use anyhow::{Result, ensure};
use e2e::clients::{Client, Kind};
use serde_json::json;

const FAMILIES: [&str; 10] = [
    "topics",
    "partitions",
    "configs",
    "config-resources",
    "groups",
    "group-offsets",
    "offsets",
    "delete-records",
    "producers",
    "cluster",
];

#[test]
fn javas_admin_client_gets_its_answers() -> Result<()> {
    let server = super::start("admin", &[])?;
    let mut client = Client::start(Kind::Java, &server.bootstrap(), server.scratch())?;
    let failed = FAMILIES.iter().filter_map(|family| {
        let asked = json!({"do": "admin", "call": family});
        client.call(&asked).err().map(|error| format!("{family}: {error:#}"))
    });
    let failed: Vec<String> = failed.collect();
    ensure!(failed.is_empty(), "{}", failed.join("\n"));
    server.done()
}
