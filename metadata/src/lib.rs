//! What the cluster is (image and changes) and where that is kept (etcd, or embedded).

pub mod change;
pub mod image;
