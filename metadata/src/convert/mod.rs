//! Images and changes as the controller's pushes carry them, both ways.
//!
//! Unknown fields, and changes of a kind that this release does not know, are passed over: one release older and newer run
//! side by side. What is malformed is an error, never a panic.

mod from_proto;
mod parts;
mod to_proto;

pub use from_proto::{partition_from_proto, uuid_from_proto};
pub use parts::{PushAssembly, pushes};
pub use to_proto::{partition_to_proto, uuid_to_proto};

/// A push that cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    #[error("{field} has {length} bytes, but a uuid has 16")]
    UuidLength { field: &'static str, length: usize },
    #[error("{field} is missing")]
    Missing { field: &'static str },
    #[error("port {port} is out of range")]
    Port { port: u32 },
    #[error("a part of the push to revision {got} came before the push to revision {pending} was whole")]
    Interleaved { got: i64, pending: i64 },
    #[error("a push of more than {max} changes")]
    TooLarge { max: usize },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delta::{Delta, changes_between};
    use crate::sample;

    fn assemble(delta: &Delta) -> Option<Delta> {
        let mut assembly = PushAssembly::default();
        let mut parts = pushes(delta).into_iter().map(|push| assembly.accept(push).unwrap());
        parts.find_map(|whole| whole)
    }

    #[test]
    fn images_and_deltas_come_back_as_they_were() {
        for seed in 0..50 {
            let whole = Delta::whole(&sample::image(seed), 2);
            assert_eq!(assemble(&whole), Some(whole));
            let (earlier, later) = (sample::image(seed), sample::image(seed + 3));
            let delta = Delta {
                from_revision: Some(earlier.revision),
                to_revision: later.revision,
                changes: changes_between(&earlier, &later),
                ..Delta::whole(&later, 2)
            };
            assert_eq!(assemble(&delta), Some(delta));
        }
    }
}
