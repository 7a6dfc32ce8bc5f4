//! Clients that are ahead of this broker: they have a leader epoch from another one that its push reached earlier.
//!
//! Such a request is held back until the push is here as well, a moment at most, rather than refused with
//! UNKNOWN_LEADER_EPOCH. Replicas take their roles before the image is published, so that whoever sees the image finds them.

use std::sync::Arc;
use std::time::Duration;

use metadata::image::ClusterImage;
use protocol::types::LeaderEpoch;
use tokio::sync::watch;
use tokio::time::timeout;

/// How long an epoch may be unknown here. Pushes reach all brokers within milliseconds of each other.
const PARKED_MAX: Duration = Duration::from_millis(500);

/// Returns once the image has every epoch that is named, or when that takes too long. Each: topic, partition, and the epoch
/// of its leader by which the client goes (−1: none).
pub(super) async fn await_epochs<'a>(
    images: &watch::Sender<Arc<ClusterImage>>,
    named: impl Iterator<Item = (&'a str, i32, i32)> + Clone,
) {
    let is_caught_up = |image: &Arc<ClusterImage>| {
        named.clone().all(|(topic, partition, epoch)| !is_ahead(image, topic, partition, LeaderEpoch(epoch)))
    };
    if is_caught_up(&images.borrow()) {
        return;
    }
    let mut images = images.subscribe();
    // Whatever came of it: the partitions themselves say what they make of the epochs.
    let _ = timeout(PARKED_MAX, images.wait_for(is_caught_up)).await;
}

/// A partition that is not known at all is not waited for: most likely it was deleted.
fn is_ahead(image: &ClusterImage, topic: &str, partition: i32, epoch: LeaderEpoch) -> bool {
    image.partition(topic, partition).is_some_and(|state| state.leader_epoch < epoch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::sample::{image, led_by, with_topic};
    use metadata::image::{PartitionImage, TopicImage};
    use tokio::time::{Instant, sleep};

    /// The cluster at that leader epoch of `t-0`.
    fn at_epoch(epoch: i32) -> Arc<ClusterImage> {
        let mut image = with_topic(image(), "t", &[]);
        let state = PartitionImage { leader_epoch: LeaderEpoch(epoch), ..led_by(1) };
        let topic =
            TopicImage { name: "t".into(), partitions: vec![Arc::new(state)], ..TopicImage::default() };
        image.topics.insert("t".into(), Arc::new(topic));
        Arc::new(image)
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_waits_for_its_epoch_and_not_for_ever() {
        let images = watch::Sender::new(at_epoch(4));
        let began = Instant::now();
        await_epochs(&images, [("t", 0, 4), ("t", 0, -1)].into_iter()).await;
        assert_eq!(began.elapsed(), Duration::ZERO, "nothing is ahead");
        let pushed = async {
            sleep(PARKED_MAX / 2).await;
            images.send_replace(at_epoch(5));
        };
        tokio::join!(await_epochs(&images, [("t", 0, 5)].into_iter()), pushed);
        assert!(began.elapsed() < PARKED_MAX, "the push came");
        let began = Instant::now();
        await_epochs(&images, [("t", 0, 6)].into_iter()).await;
        assert!(began.elapsed() >= PARKED_MAX);
    }

    #[test]
    fn only_a_later_epoch_of_a_known_partition_is_waited_for() {
        let image = with_topic(image(), "t", &[1]);
        let ahead = |topic, partition, epoch| is_ahead(&image, topic, partition, LeaderEpoch(epoch));
        assert!(ahead("t", 0, 6));
        assert!(!ahead("t", 0, 5) && !ahead("t", 0, -1));
        assert!(!ahead("t", 1, 6) && !ahead("u", 0, 6));
    }
}
