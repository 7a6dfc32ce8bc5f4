//! The controllers that stand by, as their streams tell: for those who look at the cluster. Nothing is decided by it.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use proto::controller::StandbyMessage;

use crate::metrics;

/// Who stands by now.
#[derive(Clone, Default)]
pub struct Standbys(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    next: u64,
    standbys: BTreeMap<u64, StandbyMessage>,
}

impl Standbys {
    /// A stream was opened; it is counted until it is dropped.
    pub fn came(&self) -> Place {
        metrics::observe_standby(1);
        let mut known = self.0.lock();
        known.next += 1;
        Place { number: known.next, among: self.clone() }
    }

    /// Those who said who they are, by their ids.
    pub fn list(&self) -> Vec<StandbyMessage> {
        let mut standbys: Vec<_> = self.0.lock().standbys.values().cloned().collect();
        standbys.sort_by_key(|standby| standby.controller_id);
        standbys
    }
}

/// One who stands by.
pub struct Place {
    number: u64,
    among: Standbys,
}

impl Place {
    /// It said who it is.
    pub fn is_of(&self, standby: StandbyMessage) {
        self.among.0.lock().standbys.insert(self.number, standby);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        metrics::observe_standby(-1);
        self.among.0.lock().standbys.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_said_its_name_is_listed_while_its_stream_stands() {
        let standbys = Standbys::default();
        let (two, one, nameless) = (standbys.came(), standbys.came(), standbys.came());
        let named =
            |controller_id| StandbyMessage { controller_id, endpoint: format!("http://{controller_id}") };
        two.is_of(named(2));
        one.is_of(named(1));
        assert_eq!(standbys.list(), [named(1), named(2)]);
        drop((two, nameless));
        assert_eq!(standbys.list(), [named(1)]);
    }
}
