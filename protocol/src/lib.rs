//! The Kafka wire: messages, their encoding, and record batches. No IO, no clock.
//!
//! | module | what |
//! |-|-|
//! | `messages` | every message, generated from `messages/*.api`, `*.record` and `*.data` |
//! | `wire` | how Kafka's types lie in bytes; what the generated code calls |
//! | `api` | the APIs, their versions, and which of them are served |
//! | `frame` | requests and responses with their headers |
//! | `error_code` | Kafka's error codes |
//! | `records` | record batches |
//! | `types` | offsets, epochs, brokers, topic ids |
//! | `arbitrary` | random messages, for tests (feature `arbitrary`) |

pub mod api;
#[cfg(feature = "arbitrary")]
pub mod arbitrary;
pub mod error_code;
pub mod frame;
pub mod messages;
pub mod records;
#[cfg(feature = "schema")]
pub mod schema;
pub mod types;
pub mod wire;

pub use api::ApiKey;
pub use error_code::ErrorCode;
