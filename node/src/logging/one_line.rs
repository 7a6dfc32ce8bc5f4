//! Keeps an event on its line: whoever can put a line break into a name must not be able to forge an event.
//!
//! The text format hands over each event whole, in one write that ends with its line break. JSON escapes by itself.

use std::io::{self, Write};

/// Writes each event as one line; line breaks inside it come out as `\n` and `\r`.
pub(super) struct OneLine<W>(pub W);

impl<W: Write> Write for OneLine<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let (body, end) = match event {
            [body @ .., b'\n'] => (body, "\n"),
            body => (body, ""),
        };
        if !body.iter().any(|byte| is_break(*byte)) {
            self.0.write_all(event)?;
            return Ok(event.len());
        }
        let mut line = Vec::with_capacity(event.len() + 16);
        for byte in body {
            match byte {
                b'\n' => line.extend_from_slice(b"\\n"),
                b'\r' => line.extend_from_slice(b"\\r"),
                other => line.push(*other),
            }
        }
        line.extend_from_slice(end.as_bytes());
        self.0.write_all(&line)?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn is_break(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(event: &str, line: &str) {
        let mut written = Vec::new();
        OneLine(&mut written).write_all(event.as_bytes()).expect("a vector takes all");
        assert_eq!(String::from_utf8(written).as_deref(), Ok(line));
    }

    #[test]
    fn only_the_last_line_break_is_kept() {
        check("INFO ready\n", "INFO ready\n");
        check("INFO client=a\nERROR forged\r\n", "INFO client=a\\nERROR forged\\r\n");
        check("", "");
    }
}
