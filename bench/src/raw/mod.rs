//! The raw limit: what the kernel and the checksum alone cost for the same bytes, without any broker around them.
//!
//! One thread serves one loopback connection, and only that thread's CPU counts. Part of the work of TCP on loopback is
//! done in whichever side's turn it comes up, so these are limits to steer by, not to reach.

mod loopback;
mod receive;
mod sendfile;

use std::fs::{self, File};
use std::time::Instant;

use anyhow::Result;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

use crate::measures::cpu_measure;
use crate::options::Options;
use crate::parts::Parts;
use crate::samples::{RAW, Sample, Samples};

/// 1 GB, as the figures are by the gigabyte.
const BYTES: usize = 1_000_000_000;

const KIB: usize = 1024;
const CHUNKS: [usize; 3] = [64 * KIB, 256 * KIB, 1024 * KIB];
/// What produce is set beside: librdkafka's batches are 1 MB.
const PRODUCE_CHUNK: usize = 1024 * KIB;
/// What fetch is set beside.
const SENDFILE_RANGE: usize = 256 * KIB;

/// Takes all raw figures of one round.
pub fn take(options: &Options, parts: &Parts, round: u32, samples: &mut Samples) -> Result<()> {
    let path = parts.work().join("raw");
    fs::create_dir_all(parts.work())?;
    let mut add =
        |measure: String, unit, value| samples.add(Sample { round, subject: RAW, measure, unit, value });
    let mut beside = |kind: &str, cost: &Cost| {
        for &size in &options.sizes {
            add(cpu_measure(kind, size), "s/GB", cost.cpu_seconds);
        }
    };
    let mut costs = Vec::new();
    for chunk in CHUNKS {
        let cost = Cost::of(|| receive::checksum_and_write(&File::create(&path)?, BYTES, chunk))?;
        if chunk == PRODUCE_CHUNK {
            beside("produce", &cost);
        }
        costs.push((format!("receive, CRC32C, write, {} KiB", chunk / KIB), cost));
    }
    let cost = Cost::of(|| sendfile::send(&File::open(&path)?, BYTES, SENDFILE_RANGE))?;
    beside("fetch", &cost);
    costs.push((format!("sendfile, {} KiB", SENDFILE_RANGE / KIB), cost));
    for (name, cost) in costs {
        add(format!("{name}: CPU"), "s/GB", cost.cpu_seconds);
        add(format!("{name}: rate"), "MB/s", BYTES as f64 / 1e6 / cost.seconds);
    }
    Ok(fs::remove_file(&path)?)
}

/// What moving [`BYTES`] took.
struct Cost {
    cpu_seconds: f64,
    seconds: f64,
}

impl Cost {
    fn of(work: impl FnOnce() -> Result<()>) -> Result<Cost> {
        let (began, cpu) = (Instant::now(), thread_cpu_seconds()?);
        work()?;
        Ok(Cost { cpu_seconds: thread_cpu_seconds()? - cpu, seconds: began.elapsed().as_secs_f64() })
    }
}

fn thread_cpu_seconds() -> Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_THREAD)?;
    Ok((usage.user_time() + usage.system_time()).num_microseconds() as f64 / 1e6)
}
