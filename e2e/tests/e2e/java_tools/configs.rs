//! ConfigCommand, as it describes; what it alters is in `dynamic_configs.rs`.

use anyhow::Result;
use e2e::java;
use e2e::server::Server;

use super::{line, tool};

#[test]
fn config_command_describes_broker_and_topic() -> Result<()> {
    let server = Server::with("configs", &[("log.retention.hours", "100")])?;
    tool(&server, java::TOPICS, &["--create", "--topic", "configured", "--config", "segment.bytes=2000000"])?;
    let configs = |arguments: &[&str]| tool(&server, java::CONFIGS, arguments);
    let set = configs(&["--describe", "--topic", "configured"])?;
    assert!(
        line(&set, "segment.bytes=2000000")?.contains("DYNAMIC_TOPIC_CONFIG:segment.bytes=2000000"),
        "{set}"
    );
    assert!(line(&set, "segment.bytes=")?.contains("DEFAULT_CONFIG:log.segment.bytes=1073741824"), "{set}");
    let all = configs(&["--describe", "--all", "--topic", "configured"])?;
    assert!(line(&all, "retention.ms=360000000")?.contains("sensitive=false"), "{all}");
    assert!(line(&all, "cleanup.policy=delete")?.contains("sensitive=false"), "{all}");
    let broker = configs(&["--describe", "--all", "--broker", "1"])?;
    assert!(line(&broker, "log.retention.hours=100")?.contains("STATIC_BROKER_CONFIG"), "{broker}");
    assert!(line(&broker, "node.id=1").is_ok(), "{broker}");
    server.done()
}
