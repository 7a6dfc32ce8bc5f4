//! What the cluster is (image and changes) and where that is kept (etcd, or embedded).

pub mod change;
pub mod convert;
pub mod delta;
pub mod image;
pub mod keys;

#[cfg(test)]
mod sample;
