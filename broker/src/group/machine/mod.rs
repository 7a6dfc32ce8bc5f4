//! The pure part of the coordinator: what becomes of a request, a timer, a written record. No IO, no clock.
//!
//! | file | what |
//! |-|-|
//! | `shard` | the machine: events in, effects out |
//! | `event`, `effects`, `turn`, `timers`, `notice` | what goes in and comes out |
//! | `groups` | which group an event is for; what the log says when it is replayed |
//! | `classic` | one classic group: members and rebalances |
//! | `offsets` | committed offsets |
//! | `records` | what the log keeps |
//! | `census`, `survey` | what those who watch are told |

mod census;
mod classic;
mod effects;
mod event;
mod groups;
mod notice;
mod offsets;
mod records;
mod shard;
mod survey;
#[cfg(test)]
mod tests;
mod timers;
mod turn;

pub use self::census::Census;
pub use self::classic::{Client, HeartbeatCall, JoinCall, LeaveCall, SyncCall};
pub use self::effects::{Effects, Port, Write, Written};
pub use self::event::{Event, ListCall};
pub use self::notice::Notice;
pub use self::offsets::{CommitCall, DeleteOffsetsCall, DeletedTopic, FetchCall};
pub use self::records::{CoordinatorRecord, KeyValue};
pub use self::shard::Shard;
pub use self::survey::{Survey, SurveyedGroup};
#[cfg(test)]
pub use self::tests::settings as settings_for_tests;
pub use self::turn::Now;
