//! A hundred thousand frames that are random or broken: the process goes on serving, and its memory stays flat.

use anyhow::{Result, ensure};
use e2e::frames::RawConnection;
use e2e::kcat;
use e2e::server::Server;
use fastrand::Rng;
use protocol::ApiKey;
use protocol::arbitrary::{AnyMessage, MESSAGES, Role, Source};

const FRAMES: usize = 100_000;
/// Frames that are sent before memory is looked at, so that pools and caches are warm.
const WARM_UP: usize = 20_000;
const FRAMES_A_CONNECTION: usize = 10;
const THREADS: usize = 8;
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
    send(server.port(), seed, WARM_UP)?;
    let warm = server.resident_bytes()?;
    send(server.port(), seed + 1, FRAMES - WARM_UP)?;
    let after = server.resident_bytes()?;
    ensure!(server.is_running(), "seed {seed} ended the process");
    ensure!(!server.log().contains("panicked"), "seed {seed} caused a panic");
    kcat::metadata(&server.bootstrap(), None)?;
    println!("resident: {} KiB warm, {} KiB after {FRAMES} frames", warm >> 10, after >> 10);
    ensure!(after <= warm + GROWTH_MAX, "memory grew from {warm} to {after} bytes, seed {seed}");
    server.done()
}

fn send(port: u16, seed: u64, frames: usize) -> Result<()> {
    let connections = frames / FRAMES_A_CONNECTION / THREADS;
    std::thread::scope(|scope| {
        let senders: Vec<_> = (0..THREADS as u64)
            .map(|thread| scope.spawn(move || send_from_one_thread(port, seed * 1_000 + thread, connections)))
            .collect();
        senders
            .into_iter()
            .try_for_each(|sender| sender.join().unwrap_or_else(|_| anyhow::bail!("a sender panicked")))
    })
}

fn send_from_one_thread(port: u16, seed: u64, connections: usize) -> Result<()> {
    let mut source = Source::new(seed);
    for _ in 0..connections {
        let mut connection = RawConnection::open(port)?;
        for _ in 0..FRAMES_A_CONNECTION {
            let frame = frame(&mut source);
            if !connection.send(&frame)? {
                break;
            }
        }
        connection.finish_sending()?;
        connection.drain()?;
    }
    Ok(())
}

/// One frame with its length: a well-formed request, a damaged one, or noise.
fn frame(source: &mut Source) -> Vec<u8> {
    let requests: Vec<_> = MESSAGES.iter().filter_map(request).collect();
    let (key, message) = requests[source.rng().usize(..requests.len())];
    let version = source.rng().i16(message.first_version..=message.last_version);
    let body = message.encode(source, version);
    let mut frame = [&header(key, version)[..], &body].concat();
    let rng = source.rng();
    match rng.u8(..10) {
        0..3 => {}
        3..6 => flip_bytes(rng, &mut frame),
        6..8 => frame.truncate(rng.usize(..frame.len())),
        8 => frame.extend(std::iter::repeat_with(|| rng.u8(..)).take(50)),
        _ => frame = std::iter::repeat_with(|| rng.u8(..)).take(100).collect(),
    }
    e2e::frames::framed(&frame)
}

fn request(message: &'static AnyMessage) -> Option<(i16, &'static AnyMessage)> {
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
