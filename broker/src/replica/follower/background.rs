//! The threads that catch up: they come after those that serve, where there is too little CPU for both.
//!
//! What is caught up with comes in pieces that are checked and written in one go. On a thread that serves clients as well they would
//! wait for it; on one of less weight the kernel lets whoever serves go first. The weight is not the least that there is:
//! who catches up holds the lock of a log now and then, and must arrive.

use std::io;

use tokio::runtime::{Builder, Runtime};
use tokio::task::{AbortHandle, JoinSet};

/// How much less nice the threads that serve are: a third of their weight is left.
const NICE: libc::c_int = 5;

/// A runtime of few threads of less weight, begun when there is something to do for it. Dropping it ends its tasks.
#[derive(Debug, Default)]
pub struct Background {
    runtime: Option<Runtime>,
}

impl Background {
    /// Adds a task to a set. It runs beside all others where no thread can be begun.
    pub fn spawn(
        &mut self,
        tasks: &mut JoinSet<()>,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> AbortHandle {
        if self.runtime.is_none() {
            match begin() {
                Ok(runtime) => self.runtime = Some(runtime),
                Err(error) => {
                    tracing::warn!("catching up beside all else, for no thread can be begun: {error}")
                }
            }
        }
        match &self.runtime {
            Some(runtime) => tasks.spawn_on(task, runtime.handle()),
            None => tasks.spawn(task),
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        // Those who drop it may be tasks, which must not wait for threads.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn begin() -> io::Result<Runtime> {
    // Once for all: a thread that one of the threads begins has its niceness already.
    let niceness = niceness() + NICE;
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).thread_name("catching-up").enable_all();
    builder.on_thread_start(move || give_way(niceness)).build()
}

/// Of this thread.
fn niceness() -> libc::c_int {
    // SAFETY: the call touches no memory; the id 0 is that of the calling thread.
    unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) }
}

/// Lessens the weight of this thread, which anyone may. More than 19 is taken for 19.
fn give_way(niceness: libc::c_int) {
    // SAFETY: as above.
    if unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, niceness) } != 0 {
        tracing::debug!("catching up with the weight of all others: {}", io::Error::last_os_error());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tasks_and_what_they_block_on_give_way_and_others_do_not() {
        let (mut background, mut tasks, mine) = (Background::default(), JoinSet::new(), niceness());
        let (told, tell) = std::sync::mpsc::channel();
        let task = async move {
            let blocking = tokio::task::spawn_blocking(niceness).await.expect("it ends");
            told.send((niceness(), blocking)).expect("somebody asks");
        };
        background.spawn(&mut tasks, task);
        tasks.join_next().await.expect("one task").expect("it ends");
        let less = (mine + NICE).min(19);
        assert_eq!(tell.recv(), Ok((less, less)));
        assert_eq!(niceness(), mine);
    }
}
