//! Tells the controller which replicas can't be used here, so that others lead in their place at once, or do not wait for
//! them: when a directory fails or is full, and after every stream that was opened, for another controller may not have heard
//! of it.

use std::sync::Arc;
use std::time::Duration;

use node::shutdown::Shutdown;
use tokio::time::sleep;

use crate::Broker;

/// How long the controller may take to answer.
const CALL_TIME_MAX: Duration = Duration::from_secs(10);

/// Before what had no answer is told again.
const RETRY_DELAY: Duration = Duration::from_millis(200);

/// The shortest time between two reports: when a disk is full its followers find out one by one.
const REPORT_INTERVAL_MIN: Duration = Duration::from_millis(100);

/// Reports until shutdown.
pub async fn run(broker: Arc<Broker>, shutdown: Shutdown) {
    tokio::select! {
        () = report(&broker) => {}
        () = shutdown.requested() => {}
    }
}

async fn report(broker: &Broker) {
    let (mut changes, mut streams) = (broker.replicas.offline_changes(), broker.link.streams());
    // What the controller was told last, where that was not that all is well.
    let mut told = None;
    loop {
        let new_stream = streams.has_changed().unwrap_or(false);
        let is_connected = streams.borrow_and_update().is_some();
        changes.borrow_and_update();
        let unusable = broker.replicas.unusable_replicas();
        let is_news = match &told {
            Some(told) => new_stream || *told != unusable,
            None => !unusable.is_empty(),
        };
        if is_connected && is_news {
            let (offline, full) = unusable.counts();
            match broker.link.replicas_offline(&unusable, CALL_TIME_MAX).await {
                Ok(()) => {
                    tracing::info!(offline, full, "the controller knows which replicas can't be used here");
                    told = Some(unusable).filter(|unusable| !unusable.is_empty());
                    sleep(REPORT_INTERVAL_MIN).await;
                }
                Err(error) => {
                    tracing::warn!(
                        offline,
                        full,
                        "the controller is told again which replicas can't be used here: {error}"
                    );
                    sleep(RETRY_DELAY).await;
                    continue;
                }
            }
        }
        // The senders live as long as the broker; an error cannot come.
        tokio::select! {
            _ = changes.changed() => {}
            _ = streams.changed() => {}
        }
    }
}
