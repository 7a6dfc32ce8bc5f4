//! A hundred thousand frames that are random or broken: the process goes on serving, and its memory stays flat.

use std::time::Duration;

use anyhow::{Result, ensure};
use e2e::frames::RawConnection;
use e2e::kcat;
use e2e::server::Server;
use fastrand::Rng;
use protocol::ApiKey;
use protocol::arbitrary::{AnyMessage, MESSAGES, Role, Source};

use crate::api_versions::{Advertised, advertised};

const FRAMES: usize = 100_000;
/// Frames that are sent before memory is looked at, so that pools and caches are warm.
const WARM_UP: usize = 20_000;
/// Requests before the frame that ends a connection.
const WELL_FORMED_MAX: usize = 4;
/// A connection that says nothing for so long waits for records that do not come.
const QUIET_TIME: Duration = Duration::from_millis(50);
const THREADS: usize = 8;
/// Of the frames these must have been taken for requests, and their answers must have left; the others show that refusing is
/// safe, or stand behind one that waits for what never comes until the client hangs up.
const ANSWERED_MIN: f64 = 15_000.0;
/// What the process may have grown by after the warm-up.
const GROWTH_MAX: u64 = 16 << 20;

#[test]
fn a_hundred_thousand_frames_leave_it_serving_and_its_memory_flat() -> Result<()> {
    let server = Server::with("random-frames", &[("auto.create.topics.enable", "false")])?;
    if !server.is_milena() {
        return server.done();
    }
    let seed = std::env::var("E2E_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let mut server = server;
    let requests = Requests::new(&advertised(server.port())?);
    send(server.port(), &requests, seed, WARM_UP)?;
    let warm = server.resident_bytes()?;
    send(server.port(), &requests, seed + 1, FRAMES - WARM_UP)?;
    let after = server.resident_bytes()?;
    ensure!(server.is_running(), "seed {seed} ended the process");
    ensure!(!server.log().contains("panicked"), "seed {seed} caused a panic");
    kcat::metadata(&server.bootstrap(), None)?;
    let answered = server.metric_sum("kafka_network_requestmetrics_requests_total")?.unwrap_or_default();
    ensure!(answered >= ANSWERED_MIN, "only {answered} frames were answered, seed {seed}");
    println!(
        "resident: {} KiB warm, {} KiB after {FRAMES} frames, {answered} answered",
        warm >> 10,
        after >> 10
    );
    ensure!(after <= warm + GROWTH_MAX, "memory grew from {warm} to {after} bytes, seed {seed}");
    server.done()
}

fn send(port: u16, requests: &Requests, seed: u64, frames: usize) -> Result<()> {
    std::thread::scope(|scope| {
        let senders: Vec<_> = (0..THREADS)
            .map(|thread| {
                let source = Source::new(seed * 1_000 + thread as u64);
                scope.spawn(move || send_from_one_thread(port, requests, source, frames / THREADS))
            })
            .collect();
        senders
            .into_iter()
            .try_for_each(|sender| sender.join().unwrap_or_else(|_| anyhow::bail!("a sender panicked")))
    })
}

/// A connection takes some requests and then a frame at which the server may well hang up.
fn send_from_one_thread(port: u16, requests: &Requests, mut source: Source, frames: usize) -> Result<()> {
    let mut sent = 0;
    while sent < frames {
        let mut connection = RawConnection::open(port)?;
        let well_formed = source.rng().usize(..=WELL_FORMED_MAX);
        for _ in 0..well_formed {
            connection.send_frame(&request(&requests.served, &mut source))?;
        }
        connection.send_frame(&hostile(&requests.all, &mut source))?;
        sent += well_formed + 1;
        connection.finish_sending()?;
        connection.drain(QUIET_TIME)?;
    }
    Ok(())
}

/// A request as a client might send it, but for the sense of its values.
fn request(requests: &[Request], source: &mut Source) -> Vec<u8> {
    let (key, message) = requests[source.rng().usize(..requests.len())];
    let version = source.rng().i16(message.first_version..=message.last_version);
    let body = message.encode(source, version);
    [&header(key, version)[..], &body].concat()
}

/// A request with damage, or noise.
fn hostile(requests: &[Request], source: &mut Source) -> Vec<u8> {
    let mut frame = request(requests, source);
    let rng = source.rng();
    match rng.u8(..8) {
        0..4 => flip_bytes(rng, &mut frame),
        4..6 => frame.truncate(rng.usize(..frame.len())),
        6 => frame.extend(std::iter::repeat_with(|| rng.u8(..)).take(50)),
        _ => frame = std::iter::repeat_with(|| rng.u8(..)).take(100).collect(),
    }
    frame
}

/// A key and its message.
type Request = (i16, &'static AnyMessage);

struct Requests {
    all: Vec<Request>,
    served: Vec<Request>,
}

impl Requests {
    fn new(advertised: &Advertised) -> Requests {
        let all: Vec<Request> = MESSAGES.iter().filter_map(key_and_message).collect();
        let served = all.iter().copied().filter(|(key, _)| advertised.contains_key(key)).collect();
        Requests { all, served }
    }
}

fn key_and_message(message: &'static AnyMessage) -> Option<Request> {
    match message.role {
        Role::Request(key) => Some((key, message)),
        Role::Response(_) | Role::Data => None,
    }
}

fn header(key: i16, version: i16) -> Vec<u8> {
    let mut header =
        [&key.to_be_bytes()[..], &version.to_be_bytes(), &1i32.to_be_bytes(), &(-1i16).to_be_bytes()]
            .concat();
    let is_flexible =
        ApiKey::try_from(key).is_ok_and(|key| protocol::api::request_header_version(key, version) >= 2);
    header.extend(is_flexible.then_some(0));
    header
}

fn flip_bytes(rng: &mut Rng, frame: &mut [u8]) {
    for _ in 0..rng.usize(1..4) {
        // Damage to the key or the version is noise, which there is enough of.
        let at = rng.usize(8..frame.len());
        frame[at] = if rng.bool() { rng.u8(..) } else { 0xff };
    }
}
