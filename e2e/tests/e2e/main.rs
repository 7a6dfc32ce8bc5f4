//! Whole clusters under real clients: one file a subject, one server a test.

mod api_versions;
mod command_line;
mod confluent_client;
mod daemons;
mod dev_command;
mod java_tools;
mod kcat_client;
mod kill;
mod log_files;
mod metrics;
mod misbehaving_clients;
mod random_frames;
mod replication;
mod retention;
