//! What the two daemons and `milena dev` share: configuration files, logging, measuring, the metrics and health listener,
//! shutdown, and the process's limits.
//!
//! It knows nothing of Kafka's keys: which keys exist and what they allow is the table in `metadata::configs`.

pub mod causes;
pub mod limits;
pub mod logging;
pub mod measure;
pub mod metrics_listener;
pub mod process_metrics;
pub mod properties;
pub mod shutdown;
