//! The classic group: members that elect one of themselves to assign partitions. A pure state machine.
//!
//! One file per event: `join` (with `static_member` for those that return), `sync`, `heartbeat`, `leave`, and `rebalance`
//! for what they all lead to. `commit` and `delete` say who may change its offsets, `describe` what it shows of itself,
//! `record` how it is kept in the log. Offsets themselves are `super::offsets`.
//!
//! Error codes come in Kafka's order of checks. Safety rule 11: in one generation a partition has at most one owner,
//! because only the leader's assignment for exactly this generation is ever handed out, and only after it is stored.

mod commit;
mod delete;
mod describe;
mod group;
mod heartbeat;
mod join;
mod leave;
mod member;
mod rebalance;
mod record;
mod roster;
mod state;
mod static_member;
mod subscription;
mod sync;

pub use self::group::ClassicGroup;
pub use self::heartbeat::HeartbeatCall;
pub use self::join::{JoinCall, failed_join};
pub use self::leave::LeaveCall;
pub use self::member::Client;
pub use self::state::GroupState;
pub use self::static_member::StaticMemberReplaced;
pub use self::subscription::Retention;
pub use self::sync::{AssignmentStored, SyncCall, failed_sync};
