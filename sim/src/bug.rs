//! Deliberate bugs: each breaks one rule in the simulation's own shells, never in what is simulated, and must be caught.

use std::fmt;
use std::str::FromStr;

/// One bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// A leader counts acknowledgements against the ISR as committed, though it has proposed another (safety rule 5).
    AcksIgnoreMaximalIsr,
    /// A proposal that had no answer in time is taken for refused (safety rule 5).
    ProposalForgotten,
    /// The store lets partitions be written without a look at their own revisions (safety rule 4).
    ComparesElectionKeyOnly,
    /// Who becomes a follower cuts its log to its high watermark, and asks nobody where the logs part (safety rule 6).
    TruncationToHighWatermark,
    /// A fetch that is answered with a diverging epoch counts for the high watermark (safety rule 6).
    DivergingFetchAcknowledges,
    /// A cut log remembers the producers' batches that it has no more (safety rule 9).
    StaleProducerState,
    /// A broker that lost power says that its kernel lived on (safety rule 7).
    PowerLossTrusted,
    /// Leaders take `min.insync.replicas` for 1 (safety rule 14).
    HighWatermarkBelowMinIsr,
    /// A broker takes the image of a deposed controller (safety rule 3).
    OldPushAccepted,
}

impl Bug {
    pub const ALL: [Bug; 9] = [
        Bug::AcksIgnoreMaximalIsr,
        Bug::ProposalForgotten,
        Bug::ComparesElectionKeyOnly,
        Bug::TruncationToHighWatermark,
        Bug::DivergingFetchAcknowledges,
        Bug::StaleProducerState,
        Bug::PowerLossTrusted,
        Bug::HighWatermarkBelowMinIsr,
        Bug::OldPushAccepted,
    ];

    /// What it is called on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Bug::AcksIgnoreMaximalIsr => "acks-ignore-maximal-isr",
            Bug::ProposalForgotten => "proposal-forgotten",
            Bug::ComparesElectionKeyOnly => "compares-election-key-only",
            Bug::TruncationToHighWatermark => "truncation-to-high-watermark",
            Bug::DivergingFetchAcknowledges => "diverging-fetch-acknowledges",
            Bug::StaleProducerState => "stale-producer-state",
            Bug::PowerLossTrusted => "power-loss-trusted",
            Bug::HighWatermarkBelowMinIsr => "high-watermark-below-min-isr",
            Bug::OldPushAccepted => "old-push-accepted",
        }
    }
}

impl fmt::Display for Bug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Bug {
    type Err = String;

    fn from_str(name: &str) -> Result<Bug, String> {
        let named = Bug::ALL.into_iter().find(|bug| bug.name() == name);
        named.ok_or_else(|| format!("one of {}", Bug::ALL.map(Bug::name).join(", ")))
    }
}
