//! Every so often leadership goes back to preferred replicas, where it is to (`auto.leader.rebalance.enable`).

use std::time::Duration;

use tokio::time::Instant;

use super::Active;
use crate::commit::CommitError;
use crate::plan::preferred_leaders::balance_leaders;

impl Active {
    /// Sets the time of the next look.
    pub(super) fn plan_balancing(&mut self) {
        let interval = self.state.cluster_number("leader.imbalance.check.interval.seconds");
        let interval = Duration::from_secs(interval.max(1).unsigned_abs());
        self.balancing_due = Some(Instant::now() + interval);
    }

    pub(super) async fn balance_if_due(&mut self) -> Result<(), CommitError> {
        if self.balancing_due.is_none_or(|due| due > Instant::now()) {
            return Ok(());
        }
        self.plan_balancing();
        if !self.state.cluster_flag("auto.leader.rebalance.enable") {
            return Ok(());
        }
        let plan = balance_leaders(&self.state);
        let moved: usize = plan.steps.iter().map(|step| step.writes.len()).sum();
        if moved > 0 {
            tracing::info!(moved, "leadership goes back to preferred replicas");
        }
        self.carry_out(plan).await
    }
}
