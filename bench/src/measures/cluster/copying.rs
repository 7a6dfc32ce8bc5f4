//! What a machine does to the producers while it copies: files go through a socket into another file, at the rate at which a
//! follower caught up, in the same pieces and handed to the disk in the same stretches, by two threads that do nothing else.
//! No follower can cost less.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

/// As a follower fetches beside clients.
const PIECE: usize = 256 << 10;
/// As it hands to the disk.
const STRETCH: u64 = 8 << 20;

/// Copies the segments under `from`, over and over, to a file at `to`, which is removed in the end.
pub fn run(from: &Path, to: &Path, bytes_per_second: f64, time: Duration) -> Result<()> {
    let segments = segments(from)?;
    ensure!(!segments.is_empty(), "no segments under {}", from.display());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let sending = TcpStream::connect(listener.local_addr()?)?;
    let (receiving, _) = listener.accept()?;
    let target = File::create(to)?;
    let sender = thread::spawn(move || send(&segments, sending, bytes_per_second, time));
    let received = receive(receiving, &target);
    drop(target);
    fs::remove_file(to)?;
    sender.join().ok().context("the sender panicked")??;
    received
}

/// Files of records, at any depth.
fn segments(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(segments(&path)?);
        } else if path.extension().is_some_and(|end| end == "log") && path.metadata()?.len() >= PIECE as u64 {
            found.push(path);
        }
    }
    Ok(found)
}

fn send(
    segments: &[PathBuf],
    mut socket: TcpStream,
    bytes_per_second: f64,
    time: Duration,
) -> io::Result<()> {
    let (began, mut sent) = (Instant::now(), 0);
    for path in segments.iter().cycle() {
        let mut file = File::open(path)?;
        loop {
            let due = Duration::from_secs_f64(sent as f64 / bytes_per_second);
            if due >= time {
                return Ok(());
            }
            thread::sleep(due.saturating_sub(began.elapsed()));
            // The standard library does it by sendfile(2).
            let piece = io::copy(&mut (&mut file).take(PIECE as u64), &mut socket)?;
            sent += piece;
            if piece < PIECE as u64 {
                break;
            }
        }
    }
    Ok(())
}

fn receive(mut socket: TcpStream, target: &File) -> Result<()> {
    let (mut piece, mut written, mut begun) = (vec![0; PIECE], 0, 0);
    loop {
        let bytes = socket.read(&mut piece)?;
        if bytes == 0 {
            return Ok(());
        }
        let mut target = target;
        target.write_all(&piece[..bytes])?;
        written += bytes as u64;
        if written - begun >= STRETCH {
            write_back(target, begun, written - begun)?;
            begun = written;
        }
    }
}

/// Begins with one stretch, and waits for the one before.
fn write_back(file: &File, from: u64, length: u64) -> io::Result<()> {
    let wait =
        libc::SYNC_FILE_RANGE_WAIT_BEFORE | libc::SYNC_FILE_RANGE_WRITE | libc::SYNC_FILE_RANGE_WAIT_AFTER;
    let before = from.saturating_sub(length)..from;
    for (range, flags) in [(from..from + length, libc::SYNC_FILE_RANGE_WRITE), (before, wait)] {
        let (from, length) = (range.start.cast_signed(), (range.end - range.start).cast_signed());
        // SAFETY: the descriptor is borrowed, hence open; the call touches no memory of this process.
        if length > 0 && unsafe { libc::sync_file_range(file.as_raw_fd(), from, length, flags) } != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_copied_for_as_long_as_is_asked() {
        let folder = std::env::temp_dir().join(format!("copying-{}", std::process::id()));
        fs::create_dir_all(folder.join("deep")).expect("a folder");
        fs::write(folder.join("deep/1.log"), vec![1; PIECE * 2 + 7]).expect("a segment");
        fs::write(folder.join("deep/1.index"), vec![1; PIECE]).expect("none");
        let (target, began) = (folder.join("copy"), Instant::now());
        run(&folder, &target, 1e9, Duration::from_millis(50)).expect("copies");
        assert!(began.elapsed() >= Duration::from_millis(40) && !target.exists());
        fs::remove_dir_all(&folder).expect("is removed");
        assert!(run(Path::new("/nonexistent"), &target, 1e9, Duration::ZERO).is_err());
    }
}
