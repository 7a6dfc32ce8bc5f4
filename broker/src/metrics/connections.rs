//! `kafka_server_socket_server_metrics_connection_count`: the open connections of each listener.

use std::sync::LazyLock;

use prometheus::{IntGauge, IntGaugeVec, Opts};

use super::registered;

static CONNECTIONS: LazyLock<Option<IntGaugeVec>> = LazyLock::new(|| {
    let opts = Opts::new("kafka_server_socket_server_metrics_connection_count", "Open connections");
    registered(IntGaugeVec::new(opts, &["listener"]))
});

/// One open connection; it counts until it is dropped.
#[derive(Debug)]
pub struct OpenConnection {
    gauge: Option<IntGauge>,
}

/// Counts a connection of this listener.
pub fn opened(listener: &str) -> OpenConnection {
    let gauge = CONNECTIONS.as_ref().map(|vector| vector.with_label_values(&[listener]));
    if let Some(gauge) = &gauge {
        gauge.inc();
    }
    OpenConnection { gauge }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        if let Some(gauge) = &self.gauge {
            gauge.dec();
        }
    }
}
