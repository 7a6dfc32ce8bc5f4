//! What the cluster is, where that is kept, and what Kafka's configuration keys mean.
//!
//! | module | what |
//! |-|-|
//! | `image`, `change`, `delta` | the cluster at one revision, the smallest steps by which it changes, and what leads from one revision to another |
//! | `convert` | the same as controllers push it to brokers |
//! | `keys` | every key of the store: its path and its JSON |
//! | `store` | what a metadata store can do; `etcd` and `embedded` do it |
//! | `configs` | the table of configuration keys: types, defaults, bounds, and what holds where |

pub mod change;
pub mod configs;
pub mod convert;
pub mod delta;
pub mod embedded;
pub mod etcd;
pub mod image;
pub mod keys;
pub mod store;

#[cfg(test)]
mod sample;
