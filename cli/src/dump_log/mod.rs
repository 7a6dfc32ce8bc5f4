//! `milena dump-log`: what the files of a log hold, in the words of Kafka's own tool, and whether it is sound.
//!
//! * `row`: one line of output, as text or as JSON.
//! * `segment`: `.log`, batches and records.
//! * `index`: `.index` and `.timeindex`, compared with the log beside them.
//! * `producers`: `.snapshot` and `.txnindex`.
//!
//! It reads files that a broker may be writing, changes nothing, and never takes more of a file into memory than a
//! batch of it.

mod index;
mod producers;
mod row;
mod segment;

use std::fs;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use crate::arguments::Output;
use crate::output::say;
use crate::progress::Progress;
use row::Rows;

/// Show what log files hold: segments, indexes, snapshots.
#[derive(Args)]
pub struct DumpLogArguments {
    /// Files (.log, .index, .timeindex, .txnindex, .snapshot), or directories of them.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The files, as Kafka's tool takes them.
    #[arg(long, value_name = "PATH,…", value_delimiter = ',')]
    files: Vec<PathBuf>,
    /// The records of every batch too.
    #[arg(long, visible_alias = "deep-iteration")]
    deep: bool,
    /// Keys and values of the records too.
    #[arg(long)]
    print_data_log: bool,
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// Where results go, and what turned out to be wrong.
pub struct Dump {
    rows: Rows,
    progress: Progress,
    deep: bool,
    print_data: bool,
    faults: Vec<String>,
}

/// The kinds of files, by what their names end with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Log,
    OffsetIndex,
    TimeIndex,
    TransactionIndex,
    Snapshot,
}

pub fn run(arguments: &DumpLogArguments) -> anyhow::Result<()> {
    let mut dump = Dump {
        rows: Rows::new(BufWriter::new(std::io::stdout()), arguments.output),
        progress: Progress::begin(true),
        deep: arguments.deep || arguments.print_data_log,
        print_data: arguments.print_data_log,
        faults: Vec::new(),
    };
    for file in files(arguments)? {
        dump.file(&file)?;
    }
    dump.rows.flush()?;
    dump.progress.end();
    for fault in &dump.faults {
        say(fault);
    }
    match dump.faults.len() {
        0 => Ok(()),
        1 => bail!("one thing in these files is damaged; it is named above"),
        many => bail!("{many} things in these files are damaged; they are named above"),
    }
}

/// Every file that was asked for; of a directory those whose names are known, in the order of their names.
fn files(arguments: &DumpLogArguments) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in arguments.paths.iter().chain(&arguments.files) {
        if path.is_dir() {
            let entries = fs::read_dir(path).with_context(|| format!("cannot list {}", path.display()))?;
            let mut inside: Vec<_> =
                entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
            inside.retain(|file| Kind::of(file).is_some());
            inside.sort();
            files.extend(inside);
        } else {
            files.push(path.clone());
        }
    }
    if files.is_empty() {
        bail!(
            "there is no file to show; name one, or the directory of a partition, TOPIC-0 in a log directory"
        );
    }
    Ok(files)
}

impl Kind {
    fn of(path: &Path) -> Option<Kind> {
        Some(match path.extension()?.to_str()? {
            "log" => Kind::Log,
            "index" => Kind::OffsetIndex,
            "timeindex" => Kind::TimeIndex,
            "txnindex" => Kind::TransactionIndex,
            "snapshot" => Kind::Snapshot,
            _ => return None,
        })
    }
}

impl Dump {
    fn file(&mut self, path: &Path) -> anyhow::Result<()> {
        let Some(kind) = Kind::of(path) else {
            bail!(
                "{} is no log file: .log, .index, .timeindex, .txnindex and .snapshot are known",
                path.display()
            );
        };
        self.rows.heading(path)?;
        let shown = match kind {
            Kind::Log => segment::dump(self, path),
            Kind::OffsetIndex => index::dump_offsets(self, path),
            Kind::TimeIndex => index::dump_times(self, path),
            Kind::TransactionIndex => producers::dump_transactions(self, path),
            Kind::Snapshot => producers::dump_snapshot(self, path),
        };
        shown.with_context(|| format!("cannot show {}", path.display()))
    }

    /// Notes what is wrong, and goes on.
    fn fault(&mut self, path: &Path, fault: impl std::fmt::Display) {
        self.faults.push(format!("{}: {fault}", path.display()));
    }
}

/// The offset that a file is named by: 20 digits.
fn base_offset(path: &Path) -> anyhow::Result<i64> {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    stem.parse().with_context(|| format!("'{stem}' is no offset, which names every file of a log"))
}

#[cfg(test)]
mod tests;
