//! Kafka's configuration keys as a table: types, defaults, bounds, what is dynamic, what inherits from what; and the three
//! questions that are asked of it: is this value allowed ([`check_broker`], [`check_topic`] and their like), what holds here
//! ([`Layers`]), and what does a key mean and do (its [`ConfigKey`], its [`Effect`]).
//!
//! The table lies in `table/`, one file an area. Pure.

mod allowed;
mod check;
mod check_dynamic;
mod check_groups;
mod effect;
mod error;
mod key;
mod kind;
mod layers;
mod page;
mod reasons;
mod table;
mod topic_config;
mod value;

pub use check::{broker_default, check_broker, check_client_metrics, check_keys, check_topic};
pub use check_dynamic::{check_dynamic_broker, check_threads};
pub use check_groups::{check_group, misplaced_group_bound};
pub use effect::{Effect, Told, When};
pub use error::{ConfigError, InvalidValue};
pub use key::{ConfigKey, Dynamic, Inherited};
pub use kind::Kind;
pub use layers::{Layers, Resolved, Source, Synonym};
pub use page::configuration_page;
pub use table::{
    broker_areas, broker_key, broker_keys, client_metrics_key, client_metrics_keys, for_listener, group_key,
    group_keys, is_broker_key, topic_key, topic_keys,
};
pub use topic_config::TopicConfig;
pub use value::Value;
