//! `kafka_server_socket_server_metrics_*`: the connections of each listener, and what goes through them.

use std::sync::LazyLock;

use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts};

use super::registered;

const LISTENER: &[&str] = &["listener"];

struct Families {
    open: IntGaugeVec,
    opened: IntCounterVec,
    closed: IntCounterVec,
    bytes_in: IntCounterVec,
    bytes_out: IntCounterVec,
    refused: IntCounterVec,
    idle: IntGauge,
}

static FAMILIES: LazyLock<Option<Families>> = LazyLock::new(|| {
    let opts = |name: &str, help: &str| Opts::new(format!("kafka_server_socket_server_metrics_{name}"), help);
    let counter = |name, help| registered(IntCounterVec::new(opts(name, help), LISTENER));
    let refused = Opts::new(
        "milena_connections_refused_total",
        "Connections refused because there were as many as max.connections or max.connections.per.ip allows",
    );
    let idle = IntGauge::new(
        "kafka_network_socketserver_expiredconnectionskilledcount",
        "Connections closed because they were idle for connections.max.idle.ms; it only grows",
    );
    Some(Families {
        open: registered(IntGaugeVec::new(opts("connection_count", "Open connections"), LISTENER))?,
        opened: counter("connection_creation_total", "Connections accepted")?,
        closed: counter("connection_close_total", "Connections that ended, whoever ended them")?,
        bytes_in: counter("incoming_byte_total", "Bytes received from clients and other brokers")?,
        bytes_out: counter("outgoing_byte_total", "Bytes of responses that went into the sockets")?,
        refused: registered(IntCounterVec::new(refused, &["listener", "reason"]))?,
        idle: registered(idle)?,
    })
});

/// The series of one listener, shared by its connections.
#[derive(Clone, Debug)]
struct Series {
    open: IntGauge,
    closed: IntCounter,
    bytes_in: IntCounter,
    bytes_out: IntCounter,
}

/// One open connection; it counts until it is dropped.
#[derive(Debug)]
pub struct OpenConnection(Option<Series>);

/// Why a connection finds no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    Total,
    PerIp,
}

impl Limit {
    /// As Kafka calls the key, with underscores.
    fn name(self) -> &'static str {
        match self {
            Limit::Total => "max_connections",
            Limit::PerIp => "max_connections_per_ip",
        }
    }
}

/// Shows a listener from the start.
pub fn listening(listener: &str) {
    if let Some(families) = &*FAMILIES {
        families.series(listener);
        for limit in [Limit::Total, Limit::PerIp] {
            families.refused.with_label_values(&[listener, limit.name()]);
        }
    }
}

/// Counts a connection of this listener.
pub fn opened(listener: &str) -> OpenConnection {
    let Some(families) = &*FAMILIES else { return OpenConnection(None) };
    families.opened.with_label_values(&[listener]).inc();
    let series = families.series(listener);
    series.open.inc();
    OpenConnection(Some(series))
}

/// A connection was refused.
pub fn refused(listener: &str, limit: Limit) {
    if let Some(families) = &*FAMILIES {
        families.refused.with_label_values(&[listener, limit.name()]).inc();
    }
}

/// A connection was closed because nothing came for too long.
pub fn closed_as_idle() {
    if let Some(families) = &*FAMILIES {
        families.idle.inc();
    }
}

impl Families {
    fn series(&self, listener: &str) -> Series {
        self.opened.with_label_values(&[listener]);
        Series {
            open: self.open.with_label_values(&[listener]),
            closed: self.closed.with_label_values(&[listener]),
            bytes_in: self.bytes_in.with_label_values(&[listener]),
            bytes_out: self.bytes_out.with_label_values(&[listener]),
        }
    }
}

impl OpenConnection {
    /// So many bytes came.
    pub fn received(&self, bytes: usize) {
        if let Some(series) = &self.0 {
            series.bytes_in.inc_by(bytes as u64);
        }
    }

    /// So many bytes went.
    pub fn sent(&self, bytes: usize) {
        if let Some(series) = &self.0 {
            series.bytes_out.inc_by(bytes as u64);
        }
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        if let Some(series) = &self.0 {
            series.open.dec();
            series.closed.inc();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_counts_while_it_is_open_and_what_went_through_it_stays() {
        let of = |vector: &IntCounterVec| vector.with_label_values(&["COUNTED"]).get();
        listening("COUNTED");
        let families = FAMILIES.as_ref().expect("the names are free");
        let connection = opened("COUNTED");
        connection.received(70);
        connection.sent(100);
        connection.sent(11);
        assert_eq!(families.open.with_label_values(&["COUNTED"]).get(), 1);
        drop(connection);
        assert_eq!(families.open.with_label_values(&["COUNTED"]).get(), 0);
        assert_eq!((of(&families.opened), of(&families.closed)), (1, 1));
        assert_eq!((of(&families.bytes_in), of(&families.bytes_out)), (70, 111));
        refused("COUNTED", Limit::PerIp);
        let refusals = |limit: Limit| families.refused.with_label_values(&["COUNTED", limit.name()]).get();
        assert_eq!((refusals(Limit::Total), refusals(Limit::PerIp)), (0, 1));
    }
}
