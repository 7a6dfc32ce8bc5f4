//! What the whole-cluster tests stand on: real servers as processes, and the foreign clients that speak to them.
//!
//! A test starts a [`server::Server`] and drives it with [`kcat`], [`python`], [`java`] and [`clients`]. Everything here
//! blocks; a wait is always for a condition, with a bound. The same tests run against Apache Kafka where `E2E_SUBJECT=kafka`.

pub mod apache_kafka;
pub mod clients;
pub mod cluster;
pub mod daemons;
pub mod dialogue;
pub mod etcd;
pub mod frames;
pub mod http;
pub mod java;
pub mod kcat;
pub mod ports;
pub mod process;
pub mod prometheus;
pub mod python;
pub mod scratch;
pub mod server;
pub mod wait;
pub mod wire;
pub mod workspace;
