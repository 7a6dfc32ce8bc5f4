//! The wish to stop, from whoever has it to everyone who must heed it.
//!
//! Every task holds a [`Shutdown`]; one [`Trigger`] fires them all. The first SIGTERM or SIGINT asks for an orderly
//! stop, a later one ends the process at once. Who stops in which order is for the daemons.

use std::time::{Duration, Instant};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// So long after the first signal another one is its echo, not impatience: `timeout`, for one, signals the process and then
/// its whole group.
const ECHO_TIME: Duration = Duration::from_millis(500);

/// Asks all who hold the [`Shutdown`] to stop. To drop it asks too: nobody is left who could.
#[derive(Debug)]
pub struct Trigger(watch::Sender<bool>);

/// Says whether one is to stop. Clones are cheap and all hear the same.
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Receiver<bool>);

/// A trigger and what it fires.
pub fn channel() -> (Trigger, Shutdown) {
    let (sender, receiver) = watch::channel(false);
    (Trigger(sender), Shutdown(receiver))
}

impl Trigger {
    /// Asks for the stop; again changes nothing.
    pub fn fire(&self) {
        self.0.send_replace(true);
    }
}

impl Shutdown {
    /// Returns once the stop is asked for. Safe to drop and to call again.
    pub async fn requested(&self) {
        let mut receiver = self.0.clone();
        // An error says that the trigger is gone, which asks for the stop as well.
        let _ = receiver.wait_for(|requested| *requested).await;
    }

    /// Whether the stop is asked for already.
    pub fn is_requested(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }
}

/// A shutdown that SIGTERM and SIGINT ask for. To be called within a tokio runtime.
pub fn on_signals() -> std::io::Result<Shutdown> {
    let signals =
        Signals { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? };
    let (trigger, shutdown) = channel();
    tokio::spawn(signals.fire(trigger));
    Ok(shutdown)
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    async fn fire(mut self, trigger: Trigger) {
        let first = self.next().await;
        tracing::info!(signal = first.name, "shutting down; another signal ends the process at once");
        trigger.fire();
        let asked = Instant::now();
        loop {
            let next = self.next().await;
            if asked.elapsed() > ECHO_TIME {
                tracing::warn!(signal = next.name, "ended by another signal");
                std::process::exit(next.exit_code);
            }
        }
    }

    async fn next(&mut self) -> Received {
        tokio::select! {
            _ = self.terminate.recv() => Received { name: "SIGTERM", exit_code: 128 + libc::SIGTERM },
            _ = self.interrupt.recv() => Received { name: "SIGINT", exit_code: 128 + libc::SIGINT },
        }
    }
}

struct Received {
    name: &'static str,
    /// What a shell reports for a process that the signal killed.
    exit_code: i32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_who_hold_it_hear_the_trigger() {
        let (trigger, shutdown) = channel();
        let other = shutdown.clone();
        assert!(!shutdown.is_requested());
        let waiting = tokio::spawn(async move { other.requested().await });
        trigger.fire();
        waiting.await.expect("the task ends");
        shutdown.requested().await;
        assert!(shutdown.is_requested());
    }

    #[tokio::test]
    async fn a_dropped_trigger_asks_for_the_stop() {
        let (trigger, shutdown) = channel();
        drop(trigger);
        shutdown.requested().await;
        assert!(shutdown.is_requested());
    }
}
