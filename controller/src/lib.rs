//! The controller.

pub mod admission;
pub mod partition_change;
pub mod partition_leader;
pub mod placement;
pub mod plan;
pub mod state;
