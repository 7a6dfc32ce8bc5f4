//! Kafka's text checkpoint files: `recovery-point-offset-checkpoint`, `leader-epoch-checkpoint` and their like.
//!
//! ```text
//! 0                    the version
//! 2                    how many entries follow
//! orders 0 1042        one entry a line
//! orders 1 977
//! ```
//!
//! They are replaced in one step; whether they are read leniently is for the owner to say.

mod leader_epochs;
mod offsets;
mod text;

pub(crate) use leader_epochs::FILE_NAME as LEADER_EPOCHS;
pub(crate) use leader_epochs::leader_epochs_text;
pub use leader_epochs::read_leader_epochs;
pub use offsets::{
    CLEANER_OFFSETS, HIGH_WATERMARKS, LOG_START_OFFSETS, OffsetCheckpoint, RECOVERY_POINTS, read_offsets,
    write_offsets,
};
pub use text::CheckpointError;
