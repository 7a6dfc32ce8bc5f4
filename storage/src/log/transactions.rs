//! What `read_committed` consumers need to know of transactions.

use protocol::types::Offset;

use super::Log;

impl Log {
    /// Up to where every record's fate is decided and replicated. Never past `high_watermark`, nor before the log starts:
    /// the first records of a transaction may be deleted while it is open (safety rule 8).
    pub fn last_stable_offset(&self, high_watermark: Offset) -> Offset {
        self.producers
            .first_unstable_offset(high_watermark)
            .map_or(high_watermark, |first| first.max(self.log_start_offset).min(high_watermark))
    }

    /// The high watermark has come to `high_watermark`: transactions that ended below it are settled.
    pub fn forget_settled_transactions(&mut self, high_watermark: Offset) {
        self.producers.forget_settled_transactions(high_watermark);
    }

    /// Forgets producers that have been silent for `producer.id.expiration.ms`.
    pub fn remove_expired_producers(&mut self, now_ms: i64) {
        let expiration = self.config.producer_id_expiration.as_millis();
        self.producers.remove_expired(now_ms, i64::try_from(expiration).unwrap_or(i64::MAX));
    }
}
