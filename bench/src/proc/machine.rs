//! The machine: what it is, and how busy it was.

use std::fs;

use anyhow::{Context, Result};
use serde::Serialize;

use super::USER_HZ;

/// What a figure depends on beside the programs.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    pub processor: String,
    pub processors: usize,
    pub memory_gib: f64,
    pub kernel: String,
    /// TCP's, which counts on loopback too: `bbr` paces what it sends by timers.
    pub congestion_control: String,
    /// As the run began: 1, 5, 15 minutes.
    pub load_average: String,
}

pub fn describe() -> Result<Machine> {
    let processors = fs::read_to_string("/proc/cpuinfo")?;
    let memory = fs::read_to_string("/proc/meminfo")?;
    let value = |text: &str, key: &str| {
        let line = text.lines().find(|line| line.starts_with(key))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let total = value(&memory, "MemTotal").context("/proc/meminfo has no MemTotal")?;
    let kib: u64 = total.trim_end_matches(" kB").parse()?;
    let load = fs::read_to_string("/proc/loadavg")?;
    Ok(Machine {
        processor: value(&processors, "model name").unwrap_or_else(|| "unknown".to_owned()),
        processors: std::thread::available_parallelism()?.get(),
        memory_gib: kib as f64 / f64::from(1 << 20),
        kernel: word("/proc/sys/kernel/osrelease")?,
        congestion_control: word("/proc/sys/net/ipv4/tcp_congestion_control")?,
        load_average: load.split(' ').take(3).collect::<Vec<_>>().join(" "),
    })
}

fn word(path: &str) -> Result<String> {
    Ok(fs::read_to_string(path)?.trim().to_owned())
}

/// CPU-seconds that all processors together were busy since the machine started.
pub fn busy_seconds() -> Result<f64> {
    let stat = fs::read_to_string("/proc/stat")?;
    busy_of(&stat).context("/proc/stat has another form")
}

/// user, nice, system, then idle and iowait, which are left out, then irq, softirq and steal.
fn busy_of(stat: &str) -> Option<f64> {
    let mut words = stat.lines().next()?.strip_prefix("cpu ")?.split_whitespace();
    let mut next = || words.next()?.parse::<u64>().ok();
    let [user, nice, system, _idle, _iowait, irq, softirq, steal] =
        [next()?, next()?, next()?, next()?, next()?, next()?, next()?, next()?];
    Some((user + nice + system + irq + softirq + steal) as f64 / USER_HZ)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_and_waiting_are_not_busy() {
        assert_eq!(busy_of("cpu  100 20 30 9999 8888 1 2 47 0 0\ncpu0 …"), Some(2.0));
        assert_eq!(busy_of("cpu  100 20"), None);
    }
}
