//! Kafka's configuration keys as a table: types, defaults, bounds, what is dynamic, what inherits from what; and the three
//! questions that are asked of it: is this value allowed ([`check_broker`], [`check_topic`]), what holds here
//! ([`Layers`]), and what does a key mean (its [`ConfigKey`]).
//!
//! The table lies in `table/`, one file an area. Pure.

mod allowed;
mod check;
mod error;
mod key;
mod kind;
mod layers;
mod table;
mod topic_config;
mod value;

pub use check::{broker_default, check_broker, check_dynamic_broker, check_group, check_topic};
pub use error::{ConfigError, InvalidValue};
pub use key::{ConfigKey, Dynamic, Inherited};
pub use kind::Kind;
pub use layers::{Layers, Resolved, Source, Synonym};
pub use table::{
    broker_areas, broker_key, broker_keys, client_metrics_key, client_metrics_keys, group_key, group_keys,
    is_broker_key, topic_key, topic_keys,
};
pub use topic_config::TopicConfig;
pub use value::Value;
