//! What a request is answered with, and when.

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use storage::log::FileRange;

use crate::api::RequestId;
use crate::metrics::requests::stations::Stations;

/// How the dispatch of one request ended. Answers leave in the order of their requests.
pub enum Answer {
    /// The response is here.
    Ready(Response),
    /// The response comes when the future ends. It is polled at once, beside those before it.
    Later(Pin<Box<dyn Future<Output = Outcome> + Send>>),
    /// The request asked for no response (`acks=0`).
    Silent(Stations),
    /// The connection can't go on: the reason is logged and it is closed, after the responses before it.
    Close(Refusal),
}

/// What a later answer turns out to be.
pub type Outcome = Result<Response, Refusal>;

/// Why a connection can't go on.
#[derive(Debug)]
pub struct Refusal {
    /// The request that it can't be answered; `None` where not even that is known.
    pub request: Option<RequestId>,
    pub reason: String,
}

/// One response: its frame in pieces, the length prefix first.
pub struct Response {
    pub pieces: Vec<Piece>,
    /// Of its request, up to here.
    pub stations: Stations,
}

/// A stretch of a response.
pub enum Piece {
    /// Bytes made here.
    Bytes(Bytes),
    /// Bytes of a log file, which `sendfile(2)` moves to the socket.
    File(FileRange),
}

impl Piece {
    /// In bytes.
    pub fn length(&self) -> usize {
        match self {
            Piece::Bytes(bytes) => bytes.len(),
            Piece::File(range) => range.length as usize,
        }
    }
}
