//! `kafka_network_requestmetrics_*` and `milena_request_*`: how many requests of each API, what became of them, how large
//! they were, and where their time went.
//!
//! * [`kind`]: what is told apart; [`stations`]: what is noted of a request on its way.
//! * `record`: what each thread counts; `show`: how Prometheus is told.
//! * [`waits`]: requests that wait for something, of this moment.
//!
//! A request allocates nothing and looks nothing up by name: its row is found by a number.

pub mod kind;
mod record;
mod show;
pub mod stations;
pub mod waits;

pub use record::{observe_errors, observe_left, observe_silent};
pub use show::begin;
