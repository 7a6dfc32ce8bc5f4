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
    let load = fs::read_to_string("/proc/loadavg")?;
    Ok(Machine {
        processor: value_of(&processors, "model name").unwrap_or("unknown").to_owned(),
        processors: std::thread::available_parallelism()?.get(),
        memory_gib: kib_of(&memory, "MemTotal")? as f64 / f64::from(1 << 20),
        kernel: word("/proc/sys/kernel/osrelease")?,
        congestion_control: word("/proc/sys/net/ipv4/tcp_congestion_control")?,
        load_average: load.split(' ').take(3).collect::<Vec<_>>().join(" "),
    })
}

/// MiB that the kernel has yet to write to disks.
pub fn unwritten_mib() -> Result<u64> {
    let memory = fs::read_to_string("/proc/meminfo")?;
    Ok((kib_of(&memory, "Dirty")? + kib_of(&memory, "Writeback")?) >> 10)
}

fn kib_of(memory: &str, key: &str) -> Result<u64> {
    let value = value_of(memory, key).with_context(|| format!("/proc/meminfo has no {key}"))?;
    Ok(value.trim_end_matches(" kB").parse()?)
}

/// What stands behind a key and a colon, on the first line that has them.
fn value_of<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let pairs = text.lines().filter_map(|line| line.split_once(':'));
    pairs
        .map(|(name, value)| (name.trim(), value.trim()))
        .find(|(name, _)| *name == key)
        .map(|(_, value)| value)
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
    fn a_key_is_found_whole() {
        let memory = "MemTotal:       24630020 kB\nWritebackTmp:         7 kB\nWriteback:         12 kB\n";
        assert_eq!(kib_of(memory, "Writeback").expect("is there"), 12);
        assert!(kib_of(memory, "Dirty").is_err());
    }

    #[test]
    fn idle_and_waiting_are_not_busy() {
        assert_eq!(busy_of("cpu  100 20 30 9999 8888 1 2 47 0 0\ncpu0 …"), Some(2.0));
        assert_eq!(busy_of("cpu  100 20"), None);
    }
}
