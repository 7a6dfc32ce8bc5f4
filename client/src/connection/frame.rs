//! From a request to its call on the link, and from an answer's frame to the response.

use std::sync::atomic::{AtomicI32, Ordering};

use bytes::Bytes;
use protocol::frame::{decode_response, encode_request};
use protocol::wire::{DecodeError, Request, Str};
use tokio::sync::oneshot;

use super::ConnectionError;
use super::link::{Call, Link, Waiter};

/// Correlation ids must differ among the requests of one connection; they differ in the whole process, so that its
/// logs can be read.
static NEXT_CORRELATION_ID: AtomicI32 = AtomicI32::new(0);

/// A link and what errors call its other end.
pub struct Peer<'a> {
    pub link: &'a Link,
    pub address: &'a str,
    pub client_id: &'a str,
}

impl Peer<'_> {
    /// Sends a request and awaits its response.
    pub async fn call<R: Request>(&self, request: &R, version: i16) -> Result<R::Response, ConnectionError> {
        let answer = self.exchange(request, version).await?;
        self.decode::<R>(answer, version)
    }

    /// Sends a request and awaits the frame of its response.
    pub async fn exchange<R: Request>(&self, request: &R, version: i16) -> Result<Bytes, ConnectionError> {
        let (reply, answer) = oneshot::channel();
        self.queue(request, version, Waiter::Answer(reply)).await?;
        answer.await.map_err(|_| self.disconnected::<R>())
    }

    /// Sends a request that has no answer.
    pub async fn cast<R: Request>(&self, request: &R, version: i16) -> Result<(), ConnectionError> {
        let (reply, written) = oneshot::channel();
        self.queue(request, version, Waiter::Written(reply)).await?;
        written.await.map_err(|_| self.disconnected::<R>())
    }

    /// Reads the response to an `R` from its frame.
    pub fn decode<R: Request>(&self, answer: Bytes, version: i16) -> Result<R::Response, ConnectionError> {
        let broken = |source: DecodeError| ConnectionError::Decode {
            api: R::KEY.name(),
            address: self.address.to_owned(),
            version,
            source,
        };
        decode_response::<R>(answer, version).map(|(_, response)| response).map_err(broken)
    }

    async fn queue<R: Request>(
        &self,
        request: &R,
        version: i16,
        waiter: Waiter,
    ) -> Result<(), ConnectionError> {
        let correlation_id = NEXT_CORRELATION_ID.fetch_add(1, Ordering::Relaxed) & i32::MAX;
        let frame = encode_request(version, correlation_id, Some(Str::from(self.client_id)), request)
            .map_err(|source| ConnectionError::Encode { api: R::KEY.name(), version, source })?
            .bytes;
        let call = Call { correlation_id, frame, waiter };
        self.link.queue(call).await.map_err(|_| self.disconnected::<R>())
    }

    fn disconnected<R: Request>(&self) -> ConnectionError {
        ConnectionError::Disconnected {
            api: R::KEY.name(),
            address: self.address.to_owned(),
            reason: self.link.why_ended(),
        }
    }
}
