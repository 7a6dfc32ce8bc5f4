//! What a request is answered with, and when.

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use storage::log::FileRange;

/// How the dispatch of one request ended. Answers leave in the order of their requests.
pub enum Answer {
    /// The response is here.
    Ready(Response),
    /// The response comes when the future ends. It is polled at once, beside those before it.
    Later(Pin<Box<dyn Future<Output = Outcome> + Send>>),
    /// The request asked for no response (`acks=0`).
    Silent,
    /// The connection can't go on: the reason is logged and it is closed, after the responses before it.
    Close(String),
}

/// What a later answer turns out to be.
pub type Outcome = Result<Response, String>;

/// One response: its frame in pieces, the length prefix first.
pub struct Response {
    pub pieces: Vec<Piece>,
}

/// A stretch of a response.
pub enum Piece {
    /// Bytes made here.
    Bytes(Bytes),
    /// Bytes of a log file, which `sendfile(2)` moves to the socket.
    File(FileRange),
}

impl Response {
    /// A response without file ranges; `frame` begins with its length.
    pub fn of_bytes(frame: Bytes) -> Response {
        Response { pieces: vec![Piece::Bytes(frame)] }
    }
}
