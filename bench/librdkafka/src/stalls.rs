//! When the machine itself stood still: on each processor a thread that comes before all others wants to wake every
//! millisecond, and says when it could not (in the manner of jHiccup).
//!
//! A host takes a virtual machine's processors away for milliseconds at a time. Whatever was to happen there waits,
//! whichever program it belongs to.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::libc;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

const PERIOD: Duration = Duration::from_millis(1);
/// Who comes first and still wakes so late was not let.
const LATE: Duration = Duration::from_micros(500);
const THIS_THREAD: Pid = Pid::from_raw(0);

/// Tells of each stall, from when until when, as long as the process lives.
pub fn watch(tell: impl Fn(Instant, Instant) + Clone + Send + 'static) -> Result<()> {
    let processors = sched_getaffinity(THIS_THREAD)?;
    for processor in (0..CpuSet::count()).filter(|&processor| processors.is_set(processor).unwrap_or(false)) {
        let (ready, readiness) = mpsc::channel();
        let tell = tell.clone();
        thread::spawn(move || {
            let prepared = stay_on(processor).and_then(|()| come_first());
            let well = prepared.is_ok();
            let _ = ready.send(prepared);
            if well {
                watch_here(tell);
            }
        });
        readiness.recv()?.context("the machine's stalls cannot be seen without the right to SCHED_FIFO")?;
    }
    Ok(())
}

fn watch_here(tell: impl Fn(Instant, Instant)) {
    loop {
        let due = Instant::now() + PERIOD;
        thread::sleep(PERIOD);
        let woke = Instant::now();
        if woke.saturating_duration_since(due) >= LATE {
            tell(due, woke);
        }
    }
}

fn stay_on(processor: usize) -> Result<(), Errno> {
    let mut only = CpuSet::new();
    only.set(processor)?;
    sched_setaffinity(THIS_THREAD, &only)
}

fn come_first() -> Result<(), Errno> {
    let least = libc::sched_param { sched_priority: 1 };
    // SAFETY: the kernel reads the parameters, which live as long as the call; the id 0 is that of the calling thread.
    Errno::result(unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &least) }).map(drop)
}
