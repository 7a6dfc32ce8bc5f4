//! Torture: a real cluster on hosts of its own, clients that write down all they see, a nemesis that breaks things, and
//! a checker that tells whether anything acknowledged was lost, doubled, reordered or read differently.
//!
//! `check`, `gaps`, `history`, `nemesis::{fault, schedule}` and `replicas::compare` are pure. The namespaces that
//! `stage::inside` enters bound all traffic and all processes.

pub mod check;
pub mod cut;
pub mod gaps;
pub mod histories;
pub mod history;
pub mod nemesis;
pub mod progress;
pub mod replicas;
pub mod report;
pub mod run;
pub mod stage;
pub mod trial;
