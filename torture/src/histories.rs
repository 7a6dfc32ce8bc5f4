//! The files in which the clients of a run write down what they see: `NAME.history`, in the run's folder.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::history::{self, History};

pub const ENDING: &str = "history";
/// Before a producer's number.
pub const PRODUCER: &str = "producer-";
/// Before the number of a member of the group.
pub const MEMBER: &str = "member-";

/// What all of them have written by now.
pub fn read(folder: &Path) -> Result<History> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        names.extend(name.strip_suffix(ENDING).and_then(|name| name.strip_suffix('.')).map(str::to_owned));
    }
    names.sort();
    let mut all = History::default();
    for name in names {
        let text = fs::read_to_string(folder.join(format!("{name}.{ENDING}")))?;
        if let Some(number) = name.strip_prefix(PRODUCER) {
            all.producing.push(history::producing(number.parse()?, &text)?);
        } else if name.starts_with(MEMBER) {
            all.group.push(history::group_member(&name, &text)?);
        } else {
            all.readings.push(history::reading(&name, &text)?);
        }
    }
    Ok(all)
}
