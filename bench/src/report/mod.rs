//! A run for readers: what ran where under which settings, then the table; and all of it as JSON.

mod table;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use anyhow::{Context, Result};

use crate::rounds::Run;

/// Markdown, so that it can be kept as it is.
pub fn text(run: &Run) -> String {
    let machine = &run.machine;
    let mut lines = vec![
        format!("`{}`", run.command),
        format!(
            "{}, {} processors, {:.0} GiB, Linux {}, TCP {}, load average at the start {}",
            machine.processor,
            machine.processors,
            machine.memory_gib,
            machine.kernel,
            machine.congestion_control,
            machine.load_average
        ),
    ];
    lines.extend(
        run.subjects
            .iter()
            .map(|subject| format!("{} {}: {}", subject.name, subject.version, subject.settings.join(" "))),
    );
    lines.extend(run.clusters.iter().cloned());
    lines.extend(run.clients.iter().map(|(load, client)| {
        format!("{load} by librdkafka {}: {}", client.librdkafka, settings(&client.settings))
    }));
    let mut text = String::new();
    for line in lines {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{line}  ");
    }
    format!("{text}\n{}", table::render(&run.samples, &run.subjects))
}

fn settings(settings: &BTreeMap<String, String>) -> String {
    if settings.is_empty() {
        return "defaults".to_owned();
    }
    let settings: Vec<_> = settings.iter().map(|(key, value)| format!("{key}={value}")).collect();
    settings.join(" ")
}

pub fn write_json(run: &Run, file: &Path) -> Result<()> {
    let writer = File::create(file).with_context(|| format!("cannot create {}", file.display()))?;
    Ok(serde_json::to_writer_pretty(BufWriter::new(writer), run)?)
}
