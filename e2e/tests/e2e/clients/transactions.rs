//! Transactions are not served yet: a client hears so at once, and clearly, rather than wait for a coordinator.

use anyhow::{Context, Result, ensure};
use e2e::clients::Client;
use serde_json::json;

/// Much less than any client's patience with a coordinator that might come, on a busy machine too.
const REFUSED_WITHIN_SECONDS: f64 = 10.0;

#[test]
fn a_transaction_is_refused_at_once() -> Result<()> {
    let server = super::start("transactions", &[])?;
    super::create(&server, "never-written", 1)?;
    for mut client in Client::start_all(&server.bootstrap(), server.scratch())? {
        let asked = json!({"do": "transaction", "id": "a-transaction", "topic": "never-written"});
        let answer = client.call(&asked)?;
        let seconds = answer["seconds"].as_f64().context("no seconds")?;
        if server.is_milena() {
            ensure!(!answer["refusal"].is_null(), "{:?}: the transaction was done", client.kind);
            ensure!(seconds < REFUSED_WITHIN_SECONDS, "{:?}: {answer}", client.kind);
        } else {
            ensure!(answer["refusal"].is_null(), "{:?}: {answer}", client.kind);
        }
    }
    server.done()
}
