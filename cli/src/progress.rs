//! How far a long piece of work has come: one line on stderr, written over and over, where a person looks on.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::output;

const EVERY: Duration = Duration::from_millis(200);

/// Counts records and bytes, and shows them.
pub struct Progress {
    shown: bool,
    started_at: Instant,
    next_at: Instant,
    records: u64,
    bytes: u64,
}

impl Progress {
    /// Shown if stderr is a terminal, unless stdout is one too and busy with the results themselves.
    pub fn begin(results_on_stdout: bool) -> Progress {
        let shown = io::stderr().is_terminal() && !(results_on_stdout && io::stdout().is_terminal());
        let now = Instant::now();
        Progress { shown, started_at: now, next_at: now + EVERY, records: 0, bytes: 0 }
    }

    /// One more record of so many bytes.
    pub fn add(&mut self, bytes: usize) {
        self.records += 1;
        self.bytes += bytes as u64;
        if self.shown && self.records.is_multiple_of(64) && Instant::now() >= self.next_at {
            self.next_at = Instant::now() + EVERY;
            self.show();
        }
    }

    /// Leaves the last state on a line of its own.
    pub fn end(&self) {
        if self.shown && self.records > 0 {
            self.show();
            output::say("");
        }
    }

    fn show(&self) {
        let line = line(self.records, self.bytes, self.started_at.elapsed());
        let _ = write!(io::stderr(), "\r\x1b[K{line}");
    }
}

fn line(records: u64, bytes: u64, elapsed: Duration) -> String {
    let rate = bytes as f64 / elapsed.as_secs_f64().max(0.001);
    format!("{records} records, {}, {}/s", size(bytes as f64), size(rate))
}

fn size(bytes: f64) -> String {
    let (amount, unit) = match bytes {
        b if b >= 1e9 => (b / 1e9, "GB"),
        b if b >= 1e6 => (b / 1e6, "MB"),
        b if b >= 1e3 => (b / 1e3, "kB"),
        b => return format!("{b:.0} B"),
    };
    format!("{amount:.1} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_many_how_much_and_how_fast() {
        assert_eq!(line(3, 2_500_000, Duration::from_secs(2)), "3 records, 2.5 MB, 1.2 MB/s");
        assert_eq!(line(1, 12, Duration::from_secs(1)), "1 records, 12 B, 12 B/s");
    }
}
