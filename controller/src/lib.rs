//! The controller: elects, decides, commits to the metadata store, pushes to brokers.
//!
//! | pure | what |
//! |-|-|
//! | `state` | all that an active controller knows, and how it is read |
//! | `plan` | what it means to do: transactions and the changes that brokers learn |
//! | `partition_leader`, `partition_change` | who leads, what becomes of ISR, ELR and epochs |
//! | `placement`, `admission`, `producer_ids`, `acknowledgements` | one decision each |
//! | `failure_detector` | which brokers are dead, and whether it is the controller that is cut off |
//! | `admin` | the admin calls of Kafka clients |
//! | `recovery` | a metadata store that went back: how it is noticed, and what is done |
//!
//! | shell | what |
//! |-|-|
//! | `controller`, `standby`, `election_of_controller` | standing by, and winning |
//! | `term`, `lease` | a term, for as long as its lease is kept |
//! | `dial` | whether anybody listens |
//! | `active`, `event`, `event_queue`, `commit` | the loop of the active controller |
//! | `server`, `push` | gRPC: calls and streams |
//! | `metrics`, `params` | what it shows and what it is told |

mod acknowledgements;
pub mod active;
mod admin;
mod admission;
mod commit;
mod controller;
mod dial;
pub mod election_of_controller;
pub mod event;
pub mod event_queue;
pub mod failure_detector;
pub mod lease;
mod metrics;
mod params;
mod partition_change;
mod partition_leader;
mod placement;
mod plan;
mod producer_ids;
pub mod push;
mod recovery;
mod server;
mod standby;
mod standbys;
mod state;
pub mod term;

pub use controller::Controller;
pub use params::{ControllerConfig, ControllerParams};
