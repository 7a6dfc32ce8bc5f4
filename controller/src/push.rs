//! Pushing: every stream gets the image, or the deltas that it lacks, and then every delta as it is committed.
//!
//! Deltas go to all streams through one bounded ring. A stream that falls behind the ring is not waited for: it gets the whole
//! image instead.

use std::collections::VecDeque;
use std::sync::Arc;

use metadata::convert::pushes;
use metadata::delta::Delta;
use metadata::image::ClusterImage;
use metadata::store::Revision;
use proto::controller::Push;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc, oneshot};
use tonic::Status;

use crate::event::{Event, StreamId};
use crate::event_queue::EventSender;

/// How many deltas are remembered for streams that are behind, and for brokers that come back.
const DELTAS_MAX: usize = 256;

/// What has been committed lately, and all who listen.
pub struct Publisher {
    live: broadcast::Sender<Arc<Delta>>,
    recent: VecDeque<Arc<Delta>>,
    last_stream: StreamId,
}

/// What a new stream starts from, and what it goes on with.
pub struct Subscription {
    pub stream: StreamId,
    pub controller_id: i32,
    /// What the broker should say in its log.
    pub notice: Option<String>,
    first: First,
    live: broadcast::Receiver<Arc<Delta>>,
    /// Why the controller ends it; dropped where it says nothing.
    hung_up: oneshot::Receiver<Status>,
}

enum First {
    Whole(Arc<ClusterImage>),
    Deltas(Vec<Arc<Delta>>),
}

impl Default for Publisher {
    fn default() -> Publisher {
        Publisher::new()
    }
}

impl Publisher {
    pub fn new() -> Publisher {
        Publisher { live: broadcast::Sender::new(DELTAS_MAX), recent: VecDeque::new(), last_stream: 0 }
    }

    pub fn publish(&mut self, delta: Delta) {
        let delta = Arc::new(delta);
        if self.recent.len() == DELTAS_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back(Arc::clone(&delta));
        // An error says that nobody listens.
        let _ = self.live.send(delta);
    }

    /// Opens a stream for a broker that has the image up to `known` from this very controller; `None`: it has nothing.
    pub fn subscribe(
        &mut self,
        image: &Arc<ClusterImage>,
        controller_id: i32,
        known: Option<Revision>,
        hung_up: oneshot::Receiver<Status>,
    ) -> Subscription {
        self.last_stream += 1;
        let missed = known.and_then(|known| self.since(known, image.revision));
        let first = missed.map_or_else(|| First::Whole(Arc::clone(image)), First::Deltas);
        let live = self.live.subscribe();
        Subscription { stream: self.last_stream, controller_id, notice: None, first, live, hung_up }
    }

    /// The deltas from a revision on, if they are remembered.
    fn since(&self, known: Revision, present: Revision) -> Option<Vec<Arc<Delta>>> {
        if known == present {
            return Some(Vec::new());
        }
        let at = self.recent.iter().position(|delta| delta.from_revision == Some(known))?;
        Some(self.recent.iter().skip(at).cloned().collect())
    }
}

impl Subscription {
    pub fn with_notice(self, notice: String) -> Subscription {
        Subscription { notice: Some(notice), ..self }
    }
}

/// Feeds one stream until it or the controller's term ends.
pub async fn feed(
    subscription: Subscription,
    events: EventSender,
    to: mpsc::Sender<Result<Push, Status>>,
) -> Option<()> {
    let Subscription { controller_id, first, mut live, mut hung_up, .. } = subscription;
    let mut sent = match first {
        First::Whole(image) => send_whole(&image, controller_id, &to).await?,
        First::Deltas(deltas) => send_all(&deltas, &to).await?,
    };
    loop {
        let delta = tokio::select! {
            // A stream that is over gets nothing more; and always in one order, so that a simulation is one history.
            biased;
            () = to.closed() => return None,
            why = &mut hung_up => {
                let superseded = |_| Status::unavailable("this controller is no longer active, or another stream has taken over");
                // Unless it is gone, it hears why.
                return to.send(Err(why.unwrap_or_else(superseded))).await.ok();
            }
            delta = live.recv() => delta,
        };
        match delta {
            Ok(delta) if delta.to_revision > sent => {
                send(&delta, &to).await?;
                sent = delta.to_revision;
            }
            // The whole image was newer than what the ring still held.
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => {
                sent = send_whole(&*whole_image(&events).await?, controller_id, &to).await?
            }
            Err(RecvError::Closed) => {
                // Unless it is gone, it hears why.
                return to.send(Err(Status::unavailable("this controller is no longer active"))).await.ok();
            }
        }
    }
}

async fn whole_image(events: &EventSender) -> Option<Arc<ClusterImage>> {
    let (reply, answer) = oneshot::channel();
    events.send(Event::WholeImage { reply }).await.ok()?;
    answer.await.ok()
}

async fn send_whole(
    image: &ClusterImage,
    controller_id: i32,
    to: &mpsc::Sender<Result<Push, Status>>,
) -> Option<Revision> {
    send(&Delta::whole(image, controller_id), to).await?;
    Some(image.revision)
}

async fn send_all(deltas: &[Arc<Delta>], to: &mpsc::Sender<Result<Push, Status>>) -> Option<Revision> {
    for delta in deltas {
        send(delta, to).await?;
    }
    Some(deltas.last().map_or(0, |delta| delta.to_revision))
}

async fn send(delta: &Delta, to: &mpsc::Sender<Result<Push, Status>>) -> Option<()> {
    for push in pushes(delta) {
        to.send(Ok(push)).await.ok()?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event_queue::channel;

    fn delta(from: Revision, to: Revision) -> Delta {
        Delta { from_revision: Some(from), to_revision: to, ..Delta::default() }
    }

    fn image(revision: Revision) -> Arc<ClusterImage> {
        Arc::new(ClusterImage { revision, ..ClusterImage::default() })
    }

    /// What a stream is pushed until it waits: whether whole, and up to where.
    async fn pushed(subscription: Subscription, events: EventSender) -> Vec<(bool, Revision)> {
        let (to, mut pushes) = mpsc::channel(1000);
        let feeding = tokio::spawn(feed(subscription, events, to));
        tokio::task::yield_now().await;
        while !feeding.is_finished() && pushes.is_empty() {
            tokio::task::yield_now().await;
        }
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        feeding.abort();
        let mut all = Vec::new();
        while let Some(push) = pushes.recv().await {
            let push = push.expect("the term goes on");
            all.push((push.whole, push.to_revision));
        }
        all
    }

    #[tokio::test]
    async fn a_stream_gets_what_it_lacks_and_then_what_comes() {
        let (events, _kept) = channel(1);
        let mut publisher = Publisher::new();
        publisher.publish(delta(10, 11));
        publisher.publish(delta(11, 14));
        for (known, expected) in [
            (None, vec![(true, 14), (false, 15)]),
            (Some(3), vec![(true, 14), (false, 15)]),
            (Some(10), vec![(false, 11), (false, 14), (false, 15)]),
            (Some(14), vec![(false, 15)]),
        ] {
            let (_kept, hung_up) = oneshot::channel();
            let subscription = publisher.subscribe(&image(14), 1, known, hung_up);
            let _ = publisher.live.send(Arc::new(delta(14, 15)));
            assert_eq!(pushed(subscription, events.clone()).await, expected, "{known:?}");
        }
    }

    #[tokio::test]
    async fn a_stream_that_is_hung_up_hears_why() {
        let (events, _kept) = channel(1);
        let mut publisher = Publisher::new();
        let (hang_up, hung_up) = oneshot::channel();
        let subscription = publisher.subscribe(&image(14), 1, Some(14), hung_up);
        let (to, mut pushes) = mpsc::channel(1);
        hang_up.send(Status::failed_precondition("register again")).unwrap();
        feed(subscription, events, to).await;
        assert_eq!(pushes.recv().await.unwrap().unwrap_err().message(), "register again");
    }

    #[tokio::test]
    async fn a_stream_that_falls_behind_gets_the_whole_image() {
        let (events, mut asked) = channel(1);
        let mut publisher = Publisher::new();
        let (_kept, hung_up) = oneshot::channel();
        let subscription = publisher.subscribe(&image(1), 1, Some(1), hung_up);
        let last = 1 + 2 * DELTAS_MAX as Revision;
        (1..last).for_each(|from| publisher.publish(delta(from, from + 1)));
        tokio::spawn(async move {
            while let Some(Event::WholeImage { reply }) = asked.recv().await {
                let _ = reply.send(image(last));
            }
        });
        assert_eq!(pushed(subscription, events).await, [(true, last)]);
    }
}
