//! The queue of events before the active controller. Each knows since when it waits, so that it can be told how long they do.

use std::time::Instant;

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TryRecvError;

use crate::event::Event;
use crate::metrics;

/// Where events are put in. A full queue makes whoever puts one in wait.
#[derive(Clone, Debug)]
pub struct EventSender(mpsc::Sender<Waiting>);

/// Where they come out, in the order in which they were put in.
#[derive(Debug)]
pub struct EventReceiver(mpsc::Receiver<Waiting>);

struct Waiting {
    since: Instant,
    event: Event,
}

/// Nobody takes events out any more.
#[derive(Debug, thiserror::Error)]
#[error("this controller is no longer active")]
pub struct Gone;

/// A queue of so many events at most.
pub fn channel(events_max: usize) -> (EventSender, EventReceiver) {
    let (sender, receiver) = mpsc::channel(events_max);
    (EventSender(sender), EventReceiver(receiver))
}

impl EventSender {
    pub async fn send(&self, event: Event) -> Result<(), Gone> {
        let since = Instant::now();
        let place = self.0.reserve().await.map_err(|_| Gone)?;
        place.send(Waiting { since, event });
        Ok(())
    }

    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
}

impl EventReceiver {
    /// `None`: nobody can put one in any more.
    pub async fn recv(&mut self) -> Option<Event> {
        self.0.recv().await.map(taken)
    }

    pub fn try_recv(&mut self) -> Result<Event, TryRecvError> {
        self.0.try_recv().map(taken)
    }
}

fn taken(Waiting { since, event }: Waiting) -> Event {
    metrics::observe_event_queue(since.elapsed());
    event
}
