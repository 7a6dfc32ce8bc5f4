//! Futures polled by hand: whoever they wait for is simulated as well, and says when to look again.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// Some asynchronous work of one process. It is lost when the process dies.
pub type Job<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Boxes the work.
pub fn job<T>(work: impl Future<Output = T> + Send + 'static) -> Job<T> {
    Box::pin(work)
}

/// Goes on as far as it can.
pub fn poll<T>(job: &mut Job<T>) -> Option<T> {
    match job.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}
