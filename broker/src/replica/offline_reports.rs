//! Tells the controller which replicas can't be used here, so that others lead in their place at once: when a directory
//! fails, and after every stream that was opened, for another controller may not have heard of it.

use std::sync::Arc;
use std::time::Duration;

use node::shutdown::Shutdown;
use tokio::time::sleep;

use crate::Broker;

/// How long the controller may take to answer.
const CALL_TIME_MAX: Duration = Duration::from_secs(10);

/// Before what had no answer is told again.
const RETRY_DELAY: Duration = Duration::from_millis(200);

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
        let offline = broker.replicas.offline_replicas();
        let is_news = match &told {
            Some(told) => new_stream || *told != offline,
            None => !offline.is_empty(),
        };
        if is_connected && is_news {
            let replicas: usize = offline.values().map(Vec::len).sum();
            match broker.link.replicas_offline(&offline, CALL_TIME_MAX).await {
                Ok(()) => {
                    tracing::info!(replicas, "the controller knows which replicas are offline here");
                    told = Some(offline).filter(|offline| !offline.is_empty());
                }
                Err(error) => {
                    tracing::warn!(
                        replicas,
                        "the controller is told again which replicas are offline here: {error}"
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
