//! What the kernel says of this process at one moment: /proc/self, getrusage and the limit of open files.

use std::fs;

use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage};

/// One look at the process.
#[derive(Debug, PartialEq)]
pub(super) struct Reading {
    pub cpu_seconds: f64,
    pub resident_memory_bytes: u64,
    pub open_fds: u64,
    pub max_fds: u64,
    /// Since the Unix epoch.
    pub start_time_seconds: f64,
    pub threads: u64,
}

impl Reading {
    /// `None` where /proc is not what it should be, in a jail without it for one.
    pub fn take() -> Option<Reading> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        let machine_stat = fs::read_to_string("/proc/stat").ok()?;
        Some(Reading {
            cpu_seconds: cpu_seconds()?,
            resident_memory_bytes: field(&status, "VmRSS:")? * 1024,
            open_fds: open_fds()?,
            max_fds: getrlimit(Resource::RLIMIT_NOFILE).ok()?.0,
            start_time_seconds: field(&machine_stat, "btime ")? as f64 + started_after_boot(&stat)?,
            threads: field(&status, "Threads:")?,
        })
    }
}

fn cpu_seconds() -> Option<f64> {
    let usage = getrusage(UsageWho::RUSAGE_SELF).ok()?;
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    Some(seconds(usage.user_time()) + seconds(usage.system_time()))
}

/// Linux 6.2 and later say the number as the size of the directory; before that its entries are counted.
fn open_fds() -> Option<u64> {
    match fs::metadata("/proc/self/fd").ok()?.len() {
        0 => Some(fs::read_dir("/proc/self/fd").ok()?.count() as u64),
        known => Some(known),
    }
}

/// The first number on the line that begins with `name`.
fn field(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// Seconds from boot to the start of the process: field 22 of /proc/self/stat, in ticks. The process's name (field 2)
/// stands in parentheses and may hold anything, so fields are counted from the last closing one.
fn started_after_boot(stat: &str) -> Option<f64> {
    const FIELDS_BETWEEN_NAME_AND_START: usize = 19;
    let (_, after_name) = stat.rsplit_once(')')?;
    let ticks: u64 = after_name.split_whitespace().nth(FIELDS_BETWEEN_NAME_AND_START)?.parse().ok()?;
    Some(ticks as f64 / ticks_per_second()?)
}

fn ticks_per_second() -> Option<f64> {
    // SAFETY: sysconf takes a number and returns one.
    let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    (ticks > 0).then_some(ticks as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_their_name() {
        let status = "Name:\tmilena\nVmRSS:\t   20480 kB\nThreads:\t3\n";
        assert_eq!(field(status, "VmRSS:"), Some(20480));
        assert_eq!(field(status, "Threads:"), Some(3));
        assert_eq!(field(status, "Missing:"), None);
    }

    #[test]
    fn a_process_may_have_any_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194304 1 0 0 0 5 3 0 0 20 0 2 0 12300 1 1";
        let ticks = ticks_per_second().expect("the kernel knows");
        assert_eq!(started_after_boot(stat), Some(12300.0 / ticks));
    }

    /// Other tests open and close files meanwhile, so only what is held here is certain.
    #[test]
    fn a_reading_counts_the_files_held_open() {
        let files: Vec<_> = (0..50).map(|_| fs::File::open("/dev/null").expect("opens")).collect();
        let before = Reading::take().expect("/proc is there");
        let after = Reading::take().expect("/proc is there");
        assert!(before.open_fds >= files.len() as u64, "{before:?}");
        assert!(after.cpu_seconds >= before.cpu_seconds, "{before:?} {after:?}");
        assert_eq!(after.start_time_seconds, before.start_time_seconds);
    }
}
