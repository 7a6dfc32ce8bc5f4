//! Futures that run side by side and end in the order in which they began.
//!
//! A [`FuturesOrdered`] that has polled all it holds wakes its own task, to let others have their turn. That costs a round
//! through the scheduler, and the waking of an idle thread, for every request that waits. Here it is polled again in its
//! place instead, which finds nothing to do and ends the matter.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use futures_util::task::AtomicWaker;

/// After so many polls of a stream that goes on waking itself others have their turn after all.
const POLLS_MAX: u32 = 4;

/// See the module.
pub struct InOrder<F: Future> {
    futures: FuturesOrdered<F>,
    wakes: Arc<Wakes>,
    waker: Waker,
}

/// Invariant: a wake is passed on to the task, or seen by the poll that is under way.
#[derive(Default)]
struct Wakes {
    polling: AtomicBool,
    woken: AtomicBool,
    task: AtomicWaker,
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::SeqCst);
        if !self.polling.load(Ordering::SeqCst) {
            self.task.wake();
        }
    }
}

impl<F: Future> Default for InOrder<F> {
    fn default() -> InOrder<F> {
        let wakes = Arc::<Wakes>::default();
        InOrder { futures: FuturesOrdered::new(), waker: Waker::from(wakes.clone()), wakes }
    }
}

impl<F: Future> InOrder<F> {
    /// Adds one behind the others; it is polled when the next is awaited.
    pub fn push_back(&mut self, future: F) {
        self.futures.push_back(future);
    }

    pub fn len(&self) -> usize {
        self.futures.len()
    }

    pub fn is_empty(&self) -> bool {
        self.futures.is_empty()
    }

    /// What the oldest came to, once it has ended; `None` if there is none.
    pub async fn next(&mut self) -> Option<F::Output> {
        std::future::poll_fn(|context| self.poll_next(context)).await
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<F::Output>> {
        self.wakes.task.register(context.waker());
        for _ in 0..POLLS_MAX {
            self.wakes.woken.store(false, Ordering::SeqCst);
            self.wakes.polling.store(true, Ordering::SeqCst);
            let polled = self.futures.poll_next_unpin(&mut Context::from_waker(&self.waker));
            self.wakes.polling.store(false, Ordering::SeqCst);
            if polled.is_ready() || !self.wakes.woken.load(Ordering::SeqCst) {
                self.pass_on(&polled, context);
                return polled;
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// A future that was woken while another one ended is still to be polled.
    fn pass_on(&self, polled: &Poll<Option<F::Output>>, context: &Context<'_>) {
        if polled.is_ready() && !self.futures.is_empty() && self.wakes.woken.load(Ordering::SeqCst) {
            context.waker().wake_by_ref();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn they_end_in_order_whatever_came_first() {
        let (one, first) = oneshot::channel();
        let (two, second) = oneshot::channel();
        let mut in_order = InOrder::default();
        in_order.push_back(first);
        in_order.push_back(second);
        two.send(2).expect("it is awaited");
        let waiting = tokio::spawn(async move { (in_order.next().await, in_order.next().await) });
        tokio::task::yield_now().await;
        one.send(1).expect("it is awaited");
        assert_eq!(waiting.await.expect("it ends"), (Some(Ok(1)), Some(Ok(2))));
        assert_eq!(InOrder::<std::future::Ready<()>>::default().next().await, None);
    }

    /// Counts the wakes of a task.
    #[derive(Default)]
    struct Counting(AtomicU32);

    impl Wake for Counting {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn one_that_waits_does_not_wake_its_own_task_and_one_that_ends_does() {
        let counting = Arc::<Counting>::default();
        let waker = Waker::from(counting.clone());
        let mut context = Context::from_waker(&waker);
        let (sender, receiver) = oneshot::channel();
        let mut in_order = InOrder::default();
        in_order.push_back(receiver);
        assert!(in_order.poll_next(&mut context).is_pending());
        assert_eq!(counting.0.load(Ordering::SeqCst), 0);
        sender.send(()).expect("it is awaited");
        assert_eq!(counting.0.load(Ordering::SeqCst), 1);
        assert!(in_order.poll_next(&mut context).is_ready());
    }
}
