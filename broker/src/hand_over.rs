//! The first act of a clean stop (Kafka's controlled shutdown): leadership goes to others while this broker still serves, so
//! that its clients hear from it who leads now, and its last records are fetched.
//!
//! Everything is bounded: a broker without a controller, or the last one of its cluster, stops all the same.

use std::time::{Duration, Instant};

use metadata::image::ClusterImage;
use protocol::types::BrokerId;
use tokio::time::{sleep, timeout};

use crate::Broker;
use crate::link::ForwardError;

/// How long a controller is waited for that is not there or does not answer.
const CONTROLLER_WAIT_MAX: Duration = Duration::from_secs(2);

/// How long all of it may take.
const TIME_MAX: Duration = Duration::from_secs(10);

/// Before the controller is asked again.
const ASK_INTERVAL: Duration = Duration::from_millis(50);

/// After the last leadership has gone, clients have so long to ask once more and to be sent on.
const CLIENTS_TIME: Duration = Duration::from_millis(100);

/// Why this broker stops with leaderships that nobody took.
#[derive(Debug, thiserror::Error)]
enum Kept {
    #[error(transparent)]
    Unasked(#[from] ForwardError),
    #[error("it was not done in {TIME_MAX:?}")]
    Late,
    #[error("the task that takes images is gone")]
    NoImages,
}

/// Gives up every leadership; returns when that is done, or cannot be.
pub async fn hand_over(broker: &Broker) {
    let began = Instant::now();
    let given = timeout(TIME_MAX, give_up(broker)).await.unwrap_or(Err(Kept::Late));
    match given {
        Ok(()) => tracing::info!(took = ?began.elapsed(), "leads nothing any more"),
        Err(why) => {
            let partitions = led(&broker.image(), broker.config.broker_id);
            tracing::warn!(partitions, "stops with the leadership of partitions: {why}");
        }
    }
}

/// Lets clients come once more and hear who leads now. Nothing is fetched from others any more by then: a leader would take
/// this broker for one that returns to its ISRs.
pub async fn send_clients_on() {
    sleep(CLIENTS_TIME).await;
}

/// Asks until nothing is left, and waits for the image that says so.
async fn give_up(broker: &Broker) -> Result<(), Kept> {
    loop {
        match broker.link.controlled_shutdown(CONTROLLER_WAIT_MAX).await {
            Ok(0) => break,
            // Another controller may do better.
            Ok(_) | Err(ForwardError::TimedOut | ForwardError::Interrupted(_)) => {}
            Err(error) => return Err(error.into()),
        }
        sleep(ASK_INTERVAL).await;
    }
    let this = broker.config.broker_id;
    let mut images = broker.image.subscribe();
    images.wait_for(|image| led(image, this) == 0).await.map(|_| ()).map_err(|_| Kept::NoImages)
}

/// What it leads and another one could. What it alone has in sync it leads until it goes.
fn led(image: &ClusterImage, broker: BrokerId) -> usize {
    let partitions = image.topics.values().flat_map(|topic| &topic.partitions);
    partitions.filter(|partition| partition.leader == broker && partition.isr.len() > 1).count()
}
