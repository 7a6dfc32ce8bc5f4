//! Every message of the Kafka wire and of its internal topics, generated from the definitions under `messages/`.
//!
//! Each message has a module of its own, which also holds its nested structs:
//! [`ProduceRequest`] and [`produce_request::TopicProduceData`].

include!(concat!(env!("OUT_DIR"), "/messages.rs"));
