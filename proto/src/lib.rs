//! The contract between controllers and brokers, as generated from `controller.proto`.
//!
//! Plain messages, the client and the server trait; what the messages mean for an image is `metadata::convert`'s.

/// `milena.controller.v1`.
pub mod controller {
    tonic::include_proto!("milena.controller.v1");
}

/// What every message can do: `encoded_len` for one.
pub use prost::Message;

/// The metadata entry, ahead of a broker's stream, in which the controller says what should stand in the broker's log.
pub const NOTICE: &str = "milena-notice-bin";

/// The largest message that either side accepts. A push is cut into parts well below it.
pub const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;
