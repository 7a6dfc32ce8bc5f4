//! The group coordinator: which consumers share a group, who consumes what, and how far each has come.
//!
//! | file | what |
//! |-|-|
//! | `machine/` | what becomes of a request: pure |
//! | `coordinator` | from a request to the shard of its group and back |
//! | `task` | the shell of one shard: loads it, feeds it, carries out what it asks for |
//! | `load`, `append`, `in_flight`, `log` | the shard's log: read, written, waited for; the seam to the replicas |
//! | `partition`, `member_id`, `clock` | where a group is kept, what a member is called, what time it is |

mod append;
mod clock;
mod coordinator;
mod in_flight;
pub mod leadership;
mod load;
mod log;
mod machine;
mod member_id;
mod partition;
mod task;
#[cfg(test)]
mod tests;

pub use self::coordinator::{GroupCoordinator, JoinRules, Reply};
pub use self::log::{Appending, BoxFuture, CoordinatorLog};
pub use self::machine::{Client, DeletedTopic, Survey, SurveyedGroup};
pub use self::partition::partition_of;
