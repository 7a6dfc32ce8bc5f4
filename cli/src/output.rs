//! Tables and JSON on stdout, remarks on stderr.

use std::fmt::Display;
use std::io::{self, Write};

use anyhow::Context;

/// What stands where there is nothing to show.
pub const DASH: &str = "-";

/// A cell that is never empty.
pub fn or_dash(text: &str) -> &str {
    if text.is_empty() { DASH } else { text }
}

/// A table whose columns are as wide as their widest cell. The last column is not padded. Invariant: every row has as many
/// cells as there are titles.
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(titles: impl IntoIterator<Item = impl Into<String>>) -> Table {
        Table { rows: vec![titles.into_iter().map(Into::into).collect()] }
    }

    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
        debug_assert_eq!(self.rows.last().map(Vec::len), self.rows.first().map(Vec::len));
    }

    /// Whether it has nothing but titles.
    pub fn is_empty(&self) -> bool {
        self.rows.len() == 1
    }

    fn widths(&self) -> Vec<usize> {
        let columns = self.rows.first().map_or(0, Vec::len);
        let width = |column: usize| {
            self.rows.iter().map(move |row| row.get(column).map_or(0, |cell| cell.chars().count())).max()
        };
        (0..columns).map(|column| width(column).unwrap_or(0)).collect()
    }

    pub fn render(&self) -> String {
        let widths = self.widths();
        let mut text = String::new();
        for row in &self.rows {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
            text.push('\n');
        }
        text
    }

    pub fn print(&self) -> anyhow::Result<()> {
        print(&self.render())
    }
}

/// Prints text as it is.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).context("cannot write to stdout")
}

/// Says something beside the results, on stderr. Where nobody reads that, nobody is left to tell.
pub fn say(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Prints a value on lines of its own, indented.
pub fn print_json(value: &serde_json::Value) -> anyhow::Result<()> {
    print(&format!("{value:#}\n"))
}

/// Three digits at most, in powers of 1024.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let (mut value, mut unit) = (bytes as f64, 0);
    while value >= 999.5 && unit + 1 < UNITS.len() {
        (value, unit) = (value / 1024.0, unit + 1);
    }
    let digits = if unit == 0 || value >= 9.95 { 0 } else { 1 };
    format!("{value:.digits$} {}", UNITS[unit])
}

/// Whether the reader of our stdout has gone, as `head` does: no fault of ours, and nobody is left to tell.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.chain().find_map(|cause| cause.downcast_ref::<io::Error>());
    io.is_some_and(|io| io.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(["TOPIC", "N"]);
        table.row(["orders".into(), "1".into()]);
        table.row(["é".into(), "10".into()]);
        assert_eq!(table.render(), "TOPIC   N\norders  1\né       10\n");
    }
}
