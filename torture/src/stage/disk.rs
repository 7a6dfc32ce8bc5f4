//! A small disk of a broker's own, which can be filled to the last byte.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use super::inside::run;

const BALLAST: &str = "ballast";
const CHUNK: usize = 1 << 20;

/// A file system in memory; it goes with our namespaces.
#[derive(Debug)]
pub struct Disk {
    path: PathBuf,
}

impl Disk {
    pub fn mount(path: PathBuf, bytes: u64) -> Result<Disk> {
        std::fs::create_dir_all(&path)?;
        let (size, target) = (format!("size={bytes}"), path.to_string_lossy().into_owned());
        run("mount", &["-t", "tmpfs", "-o", &size, "none", &target])?;
        Ok(Disk { path })
    }

    /// Where the broker's log directory lies.
    pub fn logs(&self) -> PathBuf {
        self.path.join("logs")
    }

    /// Leaves not a byte.
    pub fn fill(&self) -> Result<()> {
        let mut ballast = File::create(self.ballast())?;
        for chunk in [CHUNK, 4096, 1] {
            fill_by(&mut ballast, chunk)?;
        }
        Ok(())
    }

    pub fn free(&self) -> Result<()> {
        Ok(std::fs::remove_file(self.ballast())?)
    }

    /// Copies all that is on it to where it outlives us.
    pub fn save(&self, to: &Path) -> Result<()> {
        std::fs::create_dir_all(to)?;
        run("cp", &["-r", "--sparse=always", &self.logs().to_string_lossy(), &to.to_string_lossy()])
    }

    fn ballast(&self) -> PathBuf {
        self.path.join(BALLAST)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Err(error) = run("umount", &["--lazy", &self.path.to_string_lossy()]) {
            eprintln!("{error:#}");
        }
    }
}

/// Writes chunks until none fits.
fn fill_by(ballast: &mut File, chunk: usize) -> Result<()> {
    let zeros = vec![0; chunk];
    loop {
        match ballast.write(&zeros) {
            Ok(written) => ensure!(written > 0, "the disk takes nothing and does not say why"),
            Err(error) if error.kind() == ErrorKind::StorageFull => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}
