//! One line of output: facts, each with its name.

use std::io::Write;
use std::path::Path;

use anyhow::Context;
use serde_json::{Map, Value, json};

use crate::arguments::Output;

/// What one line says, in order.
pub struct Row {
    facts: Vec<(&'static str, Value)>,
    of_record: bool,
}

impl Row {
    pub fn new() -> Row {
        Row { facts: Vec::new(), of_record: false }
    }

    /// A record's line, which stands out from its batch's.
    pub fn of_record() -> Row {
        Row { facts: Vec::new(), of_record: true }
    }

    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Row {
        self.facts.push((name, value.into()));
        self
    }

    fn text(&self) -> String {
        let fact = |(name, value): &(&str, Value)| match value {
            Value::String(text) => format!("{name}: {text}"),
            other => format!("{name}: {other}"),
        };
        let indent = if self.of_record { "| " } else { "" };
        format!("{indent}{}", self.facts.iter().map(fact).collect::<Vec<_>>().join(" "))
    }
}

/// Where rows go.
pub struct Rows {
    out: Box<dyn Write>,
    json: bool,
    file: String,
}

impl Rows {
    pub fn new(out: impl Write + 'static, output: Output) -> Rows {
        Rows { out: Box::new(out), json: output == Output::Json, file: String::new() }
    }

    /// The rows of another file begin.
    pub fn heading(&mut self, path: &Path) -> anyhow::Result<()> {
        self.file = path.display().to_string();
        if self.json { Ok(()) } else { self.line(&format!("Dumping {}", path.display())) }
    }

    /// A remark that is no row, for people only.
    pub fn remark(&mut self, text: &str) -> anyhow::Result<()> {
        if self.json { Ok(()) } else { self.line(text) }
    }

    pub fn put(&mut self, row: Row) -> anyhow::Result<()> {
        if !self.json {
            return self.line(&row.text());
        }
        let mut object = Map::from_iter([("file".to_owned(), json!(self.file))]);
        object.extend(row.facts.into_iter().map(|(name, value)| (name.to_owned(), value)));
        self.line(&Value::Object(object).to_string())
    }

    pub fn flush(&mut self) -> anyhow::Result<()> {
        self.out.flush().context("cannot write to stdout")
    }

    fn line(&mut self, text: &str) -> anyhow::Result<()> {
        writeln!(self.out, "{text}").context("cannot write to stdout")
    }
}
