//! The archive: GNU tar with sorted names and one time for all, gzip without a name or time of its own, and `sha256sum`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use super::succeed;

/// The variable by which reproducible builds are told their time.
const TIME_VARIABLE: &str = "SOURCE_DATE_EPOCH";

/// Seconds since 1970 that every file in the archive bears: the commit's, unless the environment says another.
pub(super) fn time_of(root: &Path) -> anyhow::Result<u64> {
    let said = match std::env::var(TIME_VARIABLE) {
        Ok(said) => said,
        Err(_) => succeed(Command::new("git").args(["log", "-1", "--format=%ct"]).current_dir(root))?,
    };
    said.trim().parse().with_context(|| format!("'{said}' is no time: set {TIME_VARIABLE}"))
}

/// Packs a folder into `FOLDER.tar.gz` beside it, with `FOLDER.tar.gz.sha256`; the archive's path.
pub(super) fn pack(folder: &Path, time: u64) -> anyhow::Result<PathBuf> {
    let name = folder.file_name().and_then(|name| name.to_str()).context("the folder has a name")?;
    let parent = folder.parent().context("the folder lies in another")?;
    let (tar, archive) = (format!("{name}.tar"), format!("{name}.tar.gz"));
    succeed(
        Command::new("tar")
            .args(["--create", "--format=gnu", "--sort=name", "--owner=0", "--group=0", "--numeric-owner"])
            .args(["--mode=u=rwX,go=rX", &format!("--mtime=@{time}"), "--file", &tar, name])
            .current_dir(parent),
    )?;
    succeed(Command::new("gzip").args(["--force", "--no-name", &tar]).current_dir(parent))?;
    let checksum = succeed(Command::new("sha256sum").arg(&archive).current_dir(parent))?;
    std::fs::write(parent.join(format!("{archive}.sha256")), checksum)?;
    Ok(parent.join(archive))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_files_give_the_same_archive_whenever_they_were_written() {
        let root = std::env::temp_dir().join(format!("milena-archive-{}", std::process::id()));
        let folder = root.join("x-1");
        let bytes_of = |names: [&str; 2]| {
            std::fs::create_dir_all(&folder).expect("makes a folder");
            names.iter().for_each(|name| std::fs::write(folder.join(name), name).expect("writes"));
            let bytes = std::fs::read(pack(&folder, 1_700_000_000).expect("packs")).expect("reads");
            std::fs::remove_dir_all(&folder).expect("removes");
            bytes
        };
        let (one, other) = (bytes_of(["a", "b"]), bytes_of(["b", "a"]));
        let checksum = std::fs::read_to_string(root.join("x-1.tar.gz.sha256")).expect("reads");
        std::fs::remove_dir_all(&root).expect("removes");
        assert_eq!(one, other);
        assert!(checksum.ends_with("  x-1.tar.gz\n"), "{checksum}");
    }
}
