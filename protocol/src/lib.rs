//! The Kafka wire: messages, their encoding, and record batches. No IO, no clock.

pub mod records;
pub mod types;
