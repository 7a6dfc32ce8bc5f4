//! confluent-kafka, Python's client on librdkafka: idempotent producers, and groups that rebalance.

use anyhow::Result;
use e2e::python;
use e2e::server::Server;

#[test]
fn an_idempotent_producer_delivers_once_and_in_order() -> Result<()> {
    let server = Server::start("idempotent")?;
    python::run("idempotent_producer.py", &[&server.bootstrap(), "once", "3", "30000"])?;
    server.done()
}

#[test]
fn a_group_rebalances_eagerly() -> Result<()> {
    check_rebalance("range")
}

#[test]
fn a_group_rebalances_cooperatively() -> Result<()> {
    check_rebalance("cooperative-sticky")
}

fn check_rebalance(assignor: &str) -> Result<()> {
    let server = Server::start("rebalance")?;
    python::run("group_rebalance.py", &[&server.bootstrap(), "rebalanced", assignor])?;
    server.done()
}
