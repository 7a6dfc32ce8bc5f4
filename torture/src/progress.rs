//! Who still makes progress: the last acknowledgement of each partition, from what the producers have written since the
//! last look.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::history;

/// The producers' files, and how far each was read.
#[derive(Debug)]
pub struct Progress {
    files: Vec<(PathBuf, u64)>,
    last_ms: BTreeMap<u16, u64>,
}

impl Progress {
    pub fn of(files: Vec<PathBuf>) -> Progress {
        Progress { files: files.into_iter().map(|file| (file, 0)).collect(), last_ms: BTreeMap::new() }
    }

    /// When each partition was acknowledged to last, in milliseconds since 1970.
    pub fn last_acks_ms(&mut self) -> Result<&BTreeMap<u16, u64>> {
        for (path, position) in &mut self.files {
            let news = news(path, position).with_context(|| path.display().to_string())?;
            for ack in history::producing(0, &news)?.acks {
                let last = self.last_ms.entry(ack.value.partition).or_insert(ack.at_ms);
                *last = ack.at_ms.max(*last);
            }
        }
        Ok(&self.last_ms)
    }
}

/// The whole lines behind `position`, which moves behind them.
fn news(path: &PathBuf, position: &mut u64) -> Result<String> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(*position))?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    text.truncate(text.rfind('\n').map_or(0, |last| last + 1));
    *position += text.len() as u64;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn only_whole_lines_count_and_none_is_read_twice() -> Result<()> {
        let path = std::env::temp_dir().join(format!("progress-{}", std::process::id()));
        let mut file = File::create(&path)?;
        let mut progress = Progress::of(vec![path.clone()]);
        assert!(progress.last_acks_ms()?.is_empty());
        write!(file, "ack 10 0 0 0\nack 12 1 0 0\nack 1")?;
        assert_eq!(*progress.last_acks_ms()?, [(0, 10), (1, 12)].into());
        writeln!(file, "5 0 1 1")?;
        assert_eq!(*progress.last_acks_ms()?, [(0, 15), (1, 12)].into());
        std::fs::remove_file(path)?;
        Ok(())
    }
}
