//! What must hold after every step, whatever happened.

use protocol::ErrorCode;
use protocol::types::Offset;

use super::cluster::Cluster;

impl Cluster {
    /// Safety rules 2, 8 and 14, and that no high watermark goes back.
    pub fn check(&mut self) {
        self.note_acknowledgements();
        for node in 0..self.nodes.len() {
            let Some(high_watermark) = self.nodes[node].high_watermark() else { continue };
            let highest = &mut self.nodes[node].highest;
            assert!(high_watermark >= *highest, "node {node}: {high_watermark} after {highest}");
            *highest = high_watermark;
            self.check_min_isr(node, high_watermark);
            let shows = self.nodes[node].epoch().map(|epoch| (epoch, high_watermark));
            if shows.is_some() && self.shown.insert(node, shows) != Some(shows) {
                self.check_visible(node, high_watermark);
            }
        }
    }

    /// A leader that knows of too few members stands still (safety rule 14).
    fn check_min_isr(&mut self, node: usize, high_watermark: Offset) {
        match self.nodes[node].leads().filter(|led| led.is_under_min_isr) {
            Some(led) => {
                let frozen = self.frozen.entry(node).or_insert((led.epoch, high_watermark));
                if frozen.0 != led.epoch {
                    *frozen = (led.epoch, high_watermark);
                }
                assert_eq!(frozen.1, high_watermark, "node {node} moved on below min.insync.replicas");
            }
            None => {
                self.frozen.remove(&node);
            }
        }
    }

    /// What a replica shows, leader or follower, is what any other showed (safety rule 2).
    fn check_visible(&mut self, node: usize, high_watermark: Offset) {
        let mut records = self.nodes[node].records();
        records.truncate(usize::try_from(high_watermark.0).unwrap_or_default());
        let common = records.len().min(self.visible.len());
        assert_eq!(records[..common], self.visible[..common], "node {node} shows other records");
        if records.len() > common {
            self.visible = records;
        }
    }

    fn note_acknowledgements(&mut self) {
        for produced in std::mem::take(&mut self.produced) {
            match produced.wait.as_ref().map_or(ErrorCode::None, |wait| wait.outcomes()[0]) {
                ErrorCode::None => {
                    let offsets = (produced.base_offset.0..).map(Offset);
                    self.acknowledged.extend(offsets.zip(produced.values));
                }
                ErrorCode::RequestTimedOut => self.produced.push(produced),
                _ => {}
            }
        }
    }

    /// Safety rule 1.
    pub fn check_holds_what_was_acknowledged(&mut self, node: usize) {
        self.note_acknowledgements();
        let records = self.nodes[node].records();
        for (offset, value) in &self.acknowledged {
            let held = usize::try_from(offset.0).ok().and_then(|at| records.get(at)).map(|record| record.1);
            assert_eq!(held, Some(*value), "node {node} is elected without the record at {offset}");
        }
    }
}
