//! Watches: one stream each, forwarded into a bounded channel. The channel ends with the stream.

use etcd_client::{EventType, WatchClient, WatchOptions, WatchResponse, WatchStream};
use tokio::sync::mpsc;

use super::error::within;
use super::metrics::{observe_failure, observe_watch};
use super::read::key_value;
use super::{ANSWER_BYTES_MAX, CALL_TIMEOUT};
use crate::store::{KeyRange, Revision, StoreError, WatchEvent, WatchMessage};

/// Messages that may wait for the receiver; then the stream waits, and etcd keeps what follows.
const MESSAGES_MAX: usize = 64;

pub(super) async fn open(
    watches: WatchClient,
    range: KeyRange,
    from: Revision,
) -> Result<mpsc::Receiver<WatchMessage>, StoreError> {
    let watches = watches.max_decoding_message_size(ANSWER_BYTES_MAX);
    let options = WatchOptions::new().with_range(range.end).with_start_revision(from);
    let call = || {
        let (mut watches, start, options) = (watches.clone(), range.start.clone(), options.clone());
        async move { watches.watch(start, Some(options)).await }
    };
    let stream = within(CALL_TIMEOUT, call).await?;
    let (messages, receiver) = mpsc::channel(MESSAGES_MAX);
    tokio::spawn(async move {
        tokio::select! {
            () = forward(stream, &messages) => {}
            () = messages.closed() => {}
        }
    });
    Ok(receiver)
}

async fn forward(mut stream: WatchStream, messages: &mpsc::Sender<WatchMessage>) {
    loop {
        let response = match stream.message().await {
            Ok(Some(response)) => response,
            Ok(None) => return observe_failure("watch", "lost"),
            Err(error) => {
                tracing::debug!(%error, "a watch on etcd was lost");
                return observe_failure("watch", "lost");
            }
        };
        let last = response.canceled();
        if let Some(message) = message(&response) {
            let waiting = messages.max_capacity() - messages.capacity();
            observe(&response, &message, waiting);
            if messages.send(message).await.is_err() {
                return;
            }
        }
        if last {
            return;
        }
    }
}

fn observe(response: &WatchResponse, message: &WatchMessage, waiting: usize) {
    if let (Some(header), WatchMessage::Events { revision, .. }) = (response.header(), message) {
        observe_watch(header.revision(), *revision, waiting);
    }
}

/// `None`: nothing to tell (the watch was created, or canceled for another reason than compaction).
fn message(response: &WatchResponse) -> Option<WatchMessage> {
    if response.compact_revision() > 0 {
        observe_failure("watch", "compacted");
        return Some(WatchMessage::Compacted { before: response.compact_revision() });
    }
    let events: Vec<WatchEvent> = response.events().iter().filter_map(event).collect();
    let revision = match events.last()? {
        WatchEvent::Put(entry) => entry.mod_revision,
        WatchEvent::Deleted { revision, .. } => *revision,
    };
    Some(WatchMessage::Events { revision, events })
}

fn event(event: &etcd_client::Event) -> Option<WatchEvent> {
    let entry = key_value(event.kv()?);
    Some(match event.event_type() {
        EventType::Put => WatchEvent::Put(entry),
        EventType::Delete => WatchEvent::Deleted { key: entry.key, revision: entry.mod_revision },
    })
}
