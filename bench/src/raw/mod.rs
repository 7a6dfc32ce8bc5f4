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
const SENDFILE_RANGE: usize = 256 * KIB;

/// Takes all raw figures of one round.
pub fn take(options: &Options, parts: &Parts, round: u32, samples: &mut Samples) -> Result<()> {
    let path = parts.work().join("raw");
    fs::create_dir_all(parts.work())?;
    let mut add =
        |measure: String, unit, value| samples.add(Sample { round, subject: RAW, measure, unit, value });
    let mut take = |name: String, work: &dyn Fn() -> Result<()>| -> Result<f64> {
        let cost = Cost::of(work)?;
        add(format!("{name}: CPU"), "s/GB", cost.cpu_seconds);
        add(format!("{name}: rate"), "MB/s", BYTES as f64 / 1e6 / cost.seconds);
        Ok(cost.cpu_seconds)
    };
    let mut receiving = f64::INFINITY;
    for chunk in CHUNKS {
        let name = format!("receive, CRC32C, write, {} KiB", chunk / KIB);
        let receive = || receive::checksum_and_write(&File::create(&path)?, BYTES, chunk);
        receiving = receiving.min(take(name, &receive)?);
    }
    let send = || sendfile::send(&File::open(&path)?, BYTES, SENDFILE_RANGE);
    let sending = take(format!("sendfile, {} KiB", SENDFILE_RANGE / KIB), &send)?;
    // A limit is what the best of them takes.
    for &size in &options.sizes {
        add(cpu_measure("produce", size), "s/GB", receiving);
        add(cpu_measure("fetch", size), "s/GB", sending);
    }
    Ok(fs::remove_file(&path)?)
}

/// What moving [`BYTES`] took.
struct Cost {
    cpu_seconds: f64,
    seconds: f64,
}

impl Cost {
    fn of(work: &dyn Fn() -> Result<()>) -> Result<Cost> {
        let (began, cpu) = (Instant::now(), thread_cpu_seconds()?);
        work()?;
        Ok(Cost { cpu_seconds: thread_cpu_seconds()? - cpu, seconds: began.elapsed().as_secs_f64() })
    }
}

fn thread_cpu_seconds() -> Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_THREAD)?;
    Ok((usage.user_time() + usage.system_time()).num_microseconds() as f64 / 1e6)
}
