//! The controller: elects, decides, commits to the metadata store, pushes to brokers.
//!
//! | pure | what |
//! |-|-|
//! | `state` | all that an active controller knows, and how it is read |
//! | `plan` | what it means to do: transactions and the changes that brokers learn |
//! | `partition_leader`, `partition_change` | who leads, what becomes of ISR, ELR and epochs |
//! | `placement`, `admission`, `producer_ids`, `acknowledgements` | one decision each |
//! | `admin` | the admin calls of Kafka clients |
//!
//! | shell | what |
//! |-|-|
//! | `controller`, `election_of_controller`, `term` | standing by, winning, and a term |
//! | `active`, `event`, `commit` | the loop of the active controller |
//! | `server`, `push` | gRPC: calls and streams |
//! | `metrics`, `params` | what it shows and what it is told |

mod acknowledgements;
pub mod active;
mod admin;
mod admission;
mod commit;
mod controller;
pub mod election_of_controller;
pub mod event;
mod metrics;
mod params;
mod partition_change;
mod partition_leader;
mod placement;
mod plan;
mod producer_ids;
pub mod push;
mod server;
mod state;
pub mod term;

pub use controller::Controller;
pub use params::{ControllerConfig, ControllerParams};
