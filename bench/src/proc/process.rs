//! One process: the CPU it has used, the memory it holds, its descriptors.

use std::fs;

use anyhow::{Context, Result};

use super::USER_HZ;

/// User and system time of all its threads, those that ended included.
pub fn cpu_seconds(pid: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    cpu_of(&stat).with_context(|| format!("/proc/{pid}/stat has another form"))
}

/// `utime` and `stime`, the 14th and 15th field. The second is a name in parentheses that may hold anything.
fn cpu_of(stat: &str) -> Option<f64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut times = after_name.split_whitespace().skip(11);
    let (user, system): (u64, u64) = (times.next()?.parse().ok()?, times.next()?.parse().ok()?);
    Some((user + system) as f64 / USER_HZ)
}

/// Memory in MiB.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Memory {
    pub resident: f64,
    /// The most that it ever held.
    pub peak: f64,
}

pub fn memory(pid: u32) -> Result<Memory> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    memory_of(&status).with_context(|| format!("/proc/{pid}/status has another form"))
}

fn memory_of(status: &str) -> Option<Memory> {
    let mib = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key))?;
        let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(kib as f64 / 1024.0)
    };
    Some(Memory { resident: mib("VmRSS:")?, peak: mib("VmHWM:")? })
}

/// How many descriptors it has open.
pub fn descriptors(pid: u32) -> Result<usize> {
    Ok(fs::read_dir(format!("/proc/{pid}/fd"))?.count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_found_behind_a_name_with_parentheses() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 100 0 0 0 150 75 0 0 20 0 30 0 12345 1 2";
        assert_eq!(cpu_of(stat), Some(2.25));
        assert_eq!(cpu_of("42 (a) S 1"), None);
    }

    #[test]
    fn memory_is_resident_and_peak() {
        let status = "Name:\tmilena\nVmHWM:\t   20480 kB\nVmRSS:\t   10240 kB\n";
        assert_eq!(memory_of(status), Some(Memory { resident: 10.0, peak: 20.0 }));
        assert_eq!(memory_of("VmRSS: many"), None);
    }
}
