//! Who there is.

use std::fmt;

/// A machine with one process on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Host {
    Broker(usize),
    Controller(usize),
    Store,
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Broker(id) => write!(f, "broker {id}"),
            Host::Controller(id) => write!(f, "controller {id}"),
            Host::Store => write!(f, "store"),
        }
    }
}
