//! One file per Kafka API, from the decoded request to the response; [`dispatch`] is the table of what is served.

use std::time::{SystemTime, UNIX_EPOCH};

mod ahead;
mod alter_configs;
mod api_versions;
mod authorized;
mod auto_create;
mod cluster_view;
mod config_changes;
mod config_entry;
mod config_resource;
mod context;
mod create_partitions;
mod create_topics;
mod delete_groups;
mod delete_records;
mod delete_topics;
mod describe_cluster;
mod describe_configs;
mod describe_groups;
mod describe_log_dirs;
mod describe_producers;
mod describe_topic_partitions;
mod dispatch;
mod elect_leaders;
mod fetch;
mod find_coordinator;
mod forward;
mod heartbeat;
mod hosted;
mod incremental_alter_configs;
mod init_producer_id;
mod join_group;
mod leader_hint;
mod leave_group;
mod list_config_resources;
mod list_groups;
mod list_offsets;
mod logger_levels;
mod metadata;
mod offset_commit;
mod offset_delete;
mod offset_fetch;
mod offset_for_leader_epoch;
mod produce;
#[cfg(test)]
mod sample;
mod sync_group;
pub(crate) mod topic_names;

pub use context::{Listener, Peer, Principal, RequestContext, RequestId, SecurityProtocol};
pub use dispatch::dispatch;

/// Milliseconds since 1970, as Kafka stamps records.
pub(crate) fn wall_clock_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
