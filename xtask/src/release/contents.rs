//! What goes into the archive, and where: laid out in a folder first, as it will stand below `/opt/milena`.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Context;

use super::succeed;

const PROGRAMS: [&str; 3] = ["milena", "milena-broker", "milena-controller"];

/// Files and folders of the workspace, and their places in the archive.
const REST: [(&str, &str); 9] = [
    ("LICENSE", "LICENSE"),
    ("README.md", "README.md"),
    ("ARCHITECTURE.md", "ARCHITECTURE.md"),
    ("GLOSSARY.md", "GLOSSARY.md"),
    ("docs", "docs"),
    ("deploy/config", "config"),
    ("deploy/systemd", "systemd"),
    ("deploy/prometheus", "prometheus"),
    ("deploy/grafana", "grafana"),
];

/// Lays everything out in `staged`, which is emptied first.
pub(super) fn stage(root: &Path, binaries: &Path, staged: &Path) -> anyhow::Result<()> {
    if staged.exists() {
        fs::remove_dir_all(staged)?;
    }
    let bin = staged.join("bin");
    fs::create_dir_all(&bin)?;
    for program in PROGRAMS {
        strip(&binaries.join(program), &bin.join(program))?;
    }
    for (from, to) in REST {
        copy(&root.join(from), &staged.join(to)).with_context(|| format!("cannot copy {from}"))?;
    }
    Ok(())
}

/// Without symbols a program is a third of its size.
fn strip(from: &Path, to: &Path) -> anyhow::Result<()> {
    succeed(Command::new("strip").arg("-o").arg(to).arg(from))?;
    Ok(())
}

/// Copies a file, or a folder with all below it.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    fs::copy(from, to)?;
    Ok(())
}
