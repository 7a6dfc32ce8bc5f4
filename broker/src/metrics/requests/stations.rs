//! The stations of one request, from the moment that it is whole in its connection's buffer until its response has gone into
//! the socket. It goes with the request, and then with the response.

use std::time::{Duration, Instant};

use super::kind::Kind;

/// When a request came by its stations so far, and what is known of it besides.
#[derive(Clone, Copy, Debug)]
pub struct Stations {
    pub kind: Kind,
    pub version: i16,
    pub request_bytes: usize,
    pub response_bytes: usize,
    /// Places in the response that tell of no error.
    pub successes: u64,
    received: Instant,
    begun: Instant,
    /// Since when it waits for others.
    waits_since: Option<Instant>,
    answered: Instant,
}

/// Where the time of a request went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// Until this broker began with it.
    pub queue: Duration,
    /// This broker's work, until the response, or until others had to be waited for.
    pub local: Duration,
    /// What came then until the response.
    pub remote: Duration,
    /// The response waited for those before it.
    pub response_queue: Duration,
    /// The response was on its way into the socket.
    pub send: Duration,
    pub total: Duration,
}

impl Stations {
    /// The request, of which the last byte was received so long ago, is begun with now.
    pub fn begin(kind: Kind, version: i16, request_bytes: usize, received: Instant) -> Stations {
        let begun = Instant::now();
        Stations {
            kind,
            version,
            request_bytes,
            response_bytes: 0,
            successes: 0,
            received,
            begun,
            waits_since: None,
            answered: begun,
        }
    }

    /// When it was begun with.
    pub fn begun(&self) -> Instant {
        self.begun
    }

    /// From now on it waits for others, if it did not before.
    pub fn waits(&mut self) {
        self.waits_since.get_or_insert_with(Instant::now);
    }

    /// Its response is there.
    pub fn answered(&mut self) {
        self.answered = Instant::now();
    }

    /// Where the time went of one whose response was on its way between these moments.
    pub fn times(&self, send_begun: Instant, sent: Instant) -> Times {
        let since = |later: Instant, earlier| later.saturating_duration_since(earlier);
        let left_to_others = self.waits_since.unwrap_or(self.answered);
        Times {
            queue: since(self.begun, self.received),
            local: since(left_to_others, self.begun),
            remote: since(self.answered, left_to_others),
            response_queue: since(send_begun, self.answered),
            send: since(sent, send_begun),
            total: since(sent, self.received),
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::ApiKey;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn request() -> Stations {
        Stations::begin(Kind::of(ApiKey::Produce), 11, 100, Instant::now())
    }

    #[test]
    fn the_parts_make_the_whole() {
        let mut request = request();
        let received = request.received;
        (request.begun, request.answered) = (received + MS, received + 16 * MS);
        request.waits_since = Some(received + 3 * MS);
        let times = request.times(received + 48 * MS, received + 112 * MS);
        let parts = [times.queue, times.local, times.remote, times.response_queue, times.send];
        assert_eq!(parts, [MS, 2 * MS, 13 * MS, 32 * MS, 64 * MS]);
        assert_eq!(times.total, parts.iter().sum());
    }

    #[test]
    fn one_that_never_waited_was_this_brokers_work() {
        let mut request = request();
        request.answered = request.begun + 5 * MS;
        let times = request.times(request.answered, request.answered);
        assert_eq!((times.local, times.remote), (5 * MS, Duration::ZERO));
    }
}
