//! Lines, read by a thread of their own and handed over as many at a time as there are: a person's line goes at once,
//! a file's lines by the thousand.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::thread;

use anyhow::{Context, ensure};
use bytes::Bytes;
use tokio::sync::mpsc;

/// A line may be as long as the largest request that brokers take.
const LINE_BYTES_MAX: u64 = 100 << 20;
const LINES_AT_ONCE: usize = 1000;
/// How many of those may wait.
const HANDOVERS_MAX: usize = 4;
const BUFFER_BYTES: usize = 256 << 10;

pub type Lines = mpsc::Receiver<anyhow::Result<Vec<Bytes>>>;

/// The lines of a file, or of stdin, without their ends.
pub fn lines(path: Option<&Path>) -> anyhow::Result<Lines> {
    let (hand_over, lines) = mpsc::channel(HANDOVERS_MAX);
    match path {
        Some(path) => {
            let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
            thread::spawn(move || read_all(file, &hand_over));
        }
        None => _ = thread::spawn(move || read_all(io::stdin(), &hand_over)),
    }
    Ok(lines)
}

fn read_all(input: impl Read, hand_over: &mpsc::Sender<anyhow::Result<Vec<Bytes>>>) {
    let mut input = BufReader::with_capacity(BUFFER_BYTES, input);
    loop {
        match read_some(&mut input) {
            Ok(lines) if lines.is_empty() => return,
            lines => {
                let failed = lines.is_err();
                // Nobody listens any more once the command has failed.
                if hand_over.blocking_send(lines).is_err() || failed {
                    return;
                }
            }
        }
    }
}

/// What is there without waiting, one line at least; nothing at the end.
fn read_some(input: &mut BufReader<impl Read>) -> anyhow::Result<Vec<Bytes>> {
    let mut lines = Vec::new();
    while lines.len() < LINES_AT_ONCE {
        match read_line(input)? {
            Some(line) => lines.push(line),
            None => break,
        }
        if !input.buffer().contains(&b'\n') {
            break;
        }
    }
    Ok(lines)
}

fn read_line(input: &mut impl BufRead) -> anyhow::Result<Option<Bytes>> {
    let mut line = Vec::new();
    input.take(LINE_BYTES_MAX).read_until(b'\n', &mut line).context("cannot read the input")?;
    if line.is_empty() {
        return Ok(None);
    }
    let ended = line.pop_if(|last| *last == b'\n').is_some();
    ensure!(ended || (line.len() as u64) < LINE_BYTES_MAX, "a line is longer than {LINE_BYTES_MAX} bytes");
    if ended {
        line.pop_if(|last| *last == b'\r');
    }
    Ok(Some(line.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_without_their_ends_and_empty_ones_count() {
        let mut input = BufReader::new(&b"one\r\n\ntwo"[..]);
        let mut lines = Vec::new();
        loop {
            match read_some(&mut input).expect("it reads") {
                some if some.is_empty() => break,
                some => lines.extend(some),
            }
        }
        assert_eq!(lines, ["one", "", "two"]);
    }
}
