//! The frame that all checkpoint files share: version, count, and as many lines.

use std::path::{Path, PathBuf};

use crate::failure::IoFailure;

const VERSION: &str = "0";

/// Why a checkpoint file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    #[error(transparent)]
    Io(#[from] IoFailure),
    #[error("{} is malformed in line {line}: {reason}", path.display())]
    Malformed { path: PathBuf, line: usize, reason: &'static str },
}

/// The entries of the file at `path`; none if there is no such file, or an empty one, with which Apache Kafka begins.
pub(super) fn read_entries<T>(
    path: &Path,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, CheckpointError> {
    let text = match std::fs::read(path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(IoFailure { action: "read", path: path.to_owned(), source }.into()),
    };
    parse_entries(&text, parse).map_err(|(line, reason)| CheckpointError::Malformed {
        path: path.to_owned(),
        line,
        reason,
    })
}

/// The text of a file that holds `entries`.
pub(super) fn text_of(entries: impl ExactSizeIterator<Item = String>) -> String {
    let mut text = format!("{VERSION}\n{}\n", entries.len());
    for entry in entries {
        text.push_str(&entry);
        text.push('\n');
    }
    text
}

fn parse_entries<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, (usize, &'static str)> {
    let mut lines = text.lines();
    if text.is_empty() {
        return Ok(Vec::new());
    }
    if lines.next().map(str::trim) != Some(VERSION) {
        return Err((1, "version 0 is expected"));
    }
    let count: usize =
        lines.next().and_then(|line| line.trim().parse().ok()).ok_or((2, "a count is expected"))?;
    let entries: Vec<T> = lines
        .enumerate()
        .map(|(index, line)| parse(line).ok_or((index + 3, "this is no entry")))
        .collect::<Result<_, _>>()?;
    match entries.len() == count {
        true => Ok(entries),
        false => Err((2, "the count differs from the number of entries")),
    }
}
