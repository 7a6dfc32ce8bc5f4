//! Whole clusters under real clients: one file a subject, one server a test.

mod api_versions;
mod bounce;
mod command_line;
mod confluent_client;
mod coordinator_moves;
mod daemons;
mod dev_command;
mod java_tools;
mod kcat_client;
mod kill;
mod leader_epochs;
mod log_files;
mod metadata_alike;
mod metrics;
mod misbehaving_clients;
mod partitions_in_trouble;
mod random_frames;
mod replication;
mod retention;
mod torture;
