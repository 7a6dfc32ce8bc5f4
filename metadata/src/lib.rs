//! What the cluster is (image and changes) and where that is kept (etcd, or embedded).

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
