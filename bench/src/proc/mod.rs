//! What `/proc` says of one process and of the whole machine.

pub mod machine;
pub mod process;

/// Ticks a second in every file of `/proc`: part of Linux's interface to user space, whatever the kernel ticks at.
const USER_HZ: f64 = 100.0;
