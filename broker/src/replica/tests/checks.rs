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
        let records = self.nodes[node].records();
        let visible = &mut self.visible;
        let (start, known) = (records.start.max(visible.start), visible.end().min(high_watermark));
        let shown = records.within(start, known);
        assert_eq!(shown, visible.within(start, known), "node {node} shows other records");
        assert!(records.start <= visible.end(), "node {node} starts behind all that was ever visible");
        visible.all.extend_from_slice(records.within(visible.end(), high_watermark));
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
            let held = records.get(*offset).map(|record| record.1);
            let is_deleted = held.is_none() && *offset < self.deleted;
            assert!(
                is_deleted || held == Some(*value),
                "node {node} is elected without the record at {offset}"
            );
        }
    }
}
