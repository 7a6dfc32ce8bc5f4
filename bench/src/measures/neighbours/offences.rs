//! Clients that break the rules, each on a thread of its own, some twenty times a second: often enough to be met, too
//! rarely to fill the machine by themselves.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage, setrlimit};
use nix::sys::time::TimeValLike;
use protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use protocol::messages::join_group_request::JoinGroupRequestProtocol;
use protocol::messages::{
    FetchRequest, HeartbeatRequest, JoinGroupRequest, MetadataRequest, SyncGroupRequest,
};

use crate::wire::Wire;

/// Connections that are opened and say nothing.
const CROWD: usize = 10_000;
/// Connections that ask and never read.
const DEAF: usize = 20;
/// Whole partitions asked for by each of them.
const DEAF_REQUESTS: usize = 50;
/// Connections that begin a frame and go silent.
const HALVES: usize = 500;
const PAUSE: Duration = Duration::from_millis(50);
/// One whole Metadata request of version 99 without a body.
const WRONG_VERSION: [u8; 14] = [0, 0, 0, 10, 0, 3, 0, 99, 0, 0, 0, 1, 0xff, 0xff];
const JOIN_VERSION: i16 = 3;

/// At it until it is ended.
pub struct Offenders {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
    threads: Vec<JoinHandle<()>>,
    cpu_seconds: f64,
    /// Kept open meanwhile.
    _held: Vec<Wire>,
}

/// What each thread does again and again; an error means that the broker hung up, as it may.
const OFFENCES: [fn(&str) -> Result<()>; 6] =
    [huge_frame, wrong_version, noise, wrong_order, join_and_vanish, many_questions];

pub fn begin(bootstrap: &str, topic: &str) -> Result<Offenders> {
    let cpu_seconds = own_cpu_seconds()?;
    let held = hold(bootstrap, topic)?;
    let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let threads = OFFENCES.map(|offence| {
        let (stop, done, bootstrap) = (stop.clone(), done.clone(), bootstrap.to_owned());
        thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                // That the broker hangs up is what it should do.
                let _ = offence(&bootstrap);
                done.fetch_add(1, Ordering::Relaxed);
                thread::sleep(PAUSE);
            }
        })
    });
    Ok(Offenders { stop, done, threads: threads.into(), cpu_seconds, _held: held })
}

impl Offenders {
    /// How many offences there were, and the CPU-seconds that they took on this side.
    pub fn end(self) -> Result<(u64, f64)> {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().ok().context("an offender panicked")?;
        }
        Ok((self.done.load(Ordering::Relaxed), own_cpu_seconds()? - self.cpu_seconds))
    }
}

fn own_cpu_seconds() -> Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(micros as f64 / 1e6)
}

/// Those who do it once and stay: a crowd in silence, halves of frames, and readers that never read.
fn hold(bootstrap: &str, topic: &str) -> Result<Vec<Wire>> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
    let open = |_| Wire::open(bootstrap);
    let mut held: Vec<Wire> = (0..CROWD + HALVES + DEAF).map(open).collect::<Result<_>>()?;
    for half in &mut held[..HALVES] {
        half.send_raw(&[0, 0, 0, 14, 0, 3])?;
    }
    let fetch = whole_partition(topic);
    for deaf in &mut held[HALVES..HALVES + DEAF] {
        for _ in 0..DEAF_REQUESTS {
            deaf.send(&fetch, 12)?;
        }
    }
    Ok(held)
}

fn whole_partition(topic: &str) -> FetchRequest {
    let partition =
        FetchPartition { partition: 0, fetch_offset: 0, partition_max_bytes: i32::MAX, ..Default::default() };
    let topic = FetchTopic { topic: topic.into(), partitions: vec![partition], ..Default::default() };
    FetchRequest { max_bytes: i32::MAX, topics: vec![topic], ..Default::default() }
}

fn huge_frame(bootstrap: &str) -> Result<()> {
    let mut wire = Wire::open(bootstrap)?;
    wire.send_raw(&i32::MAX.to_be_bytes())?;
    wire.send_raw(&[0; 1024])
}

fn wrong_version(bootstrap: &str) -> Result<()> {
    Wire::open(bootstrap)?.send_raw(&WRONG_VERSION)
}

/// A frame whose body is no request.
fn noise(bootstrap: &str) -> Result<()> {
    let mut wire = Wire::open(bootstrap)?;
    wire.send_raw(&1024u32.to_be_bytes())?;
    wire.send_raw(&[0xa5; 1024])
}

/// Speaks as a member of a group that it never joined.
fn wrong_order(bootstrap: &str) -> Result<()> {
    let mut wire = Wire::open(bootstrap)?;
    let group_id = "never-joined";
    let sync =
        SyncGroupRequest { group_id: group_id.into(), member_id: "nobody".into(), ..Default::default() };
    wire.call(&sync, 5)?;
    let beat =
        HeartbeatRequest { group_id: group_id.into(), member_id: "nobody".into(), ..Default::default() };
    wire.call(&beat, 4)?;
    Ok(())
}

/// The first version that needs no member id: each join is a new member, whom nobody hears of again.
fn join_and_vanish(bootstrap: &str) -> Result<()> {
    let protocol = JoinGroupRequestProtocol { name: "range".into(), metadata: Bytes::from_static(b"\0\0") };
    let join = JoinGroupRequest {
        group_id: "vanishing".into(),
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 10_000,
        protocol_type: "consumer".into(),
        protocols: vec![protocol],
        ..Default::default()
    };
    Wire::open(bootstrap)?.send(&join, JOIN_VERSION)
}

/// A hundred questions at once, none of whose answers is read.
fn many_questions(bootstrap: &str) -> Result<()> {
    let mut wire = Wire::open(bootstrap)?;
    for _ in 0..100 {
        wire.send(&MetadataRequest::default(), 12)?;
    }
    Ok(())
}
