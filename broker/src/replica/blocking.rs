//! Work that may wait for a disk, done in its place.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Does it on this thread, whose other tasks go on elsewhere meanwhile. Outside of a runtime with threads to spare, as in
/// tests, it is simply done.
pub fn apart<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}
