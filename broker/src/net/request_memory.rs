//! How many bytes the requests of all connections may hold while they arrive (`queued.max.request.bytes`).
//!
//! A request that does not fit waits in its socket until others are done; unlimited unless the key is set.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The bytes that are left, shared by every connection.
#[derive(Clone, Debug)]
pub struct RequestMemory(Option<Arc<Semaphore>>);

/// The bytes of one request, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Held(#[expect(dead_code, reason = "is kept to be dropped")] Option<OwnedSemaphorePermit>);

impl RequestMemory {
    /// `None`: no limit.
    pub fn new(bytes_max: Option<u64>) -> RequestMemory {
        let permits = |bytes| usize::try_from(bytes).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        RequestMemory(bytes_max.map(|bytes| Arc::new(Semaphore::new(permits(bytes)))))
    }

    /// Waits until so many bytes are left, and takes them. `bytes` never exceeds what there is in all, which the
    /// configuration keeps above `socket.request.max.bytes`.
    pub(super) async fn hold(&self, bytes: usize) -> Held {
        let Some(left) = &self.0 else { return Held(None) };
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        Held(left.clone().acquire_many_owned(bytes).await.ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_request_waits_until_another_gives_its_bytes_back() {
        let memory = RequestMemory::new(Some(100));
        let first = memory.hold(70).await;
        let second = tokio::spawn({
            let memory = memory.clone();
            async move { drop(memory.hold(40).await) }
        });
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        drop(first);
        second.await.expect("it has its bytes");
    }
}
