//! Writes many buffers in one call to the kernel, or in as few as it takes.

use std::fs::File;
use std::io::{self, IoSlice};

use nix::errno::Errno;
use nix::sys::uio::pwritev;

/// How many buffers the kernel takes at once (`IOV_MAX`).
const BUFFERS_MAX: usize = 1024;

/// Writes all of `buffers` to `file` from `position` on. After an error some of them may have been written.
pub(crate) fn write_all_vectored(
    file: &File,
    mut buffers: &mut [IoSlice<'_>],
    mut position: u64,
) -> io::Result<()> {
    while !buffers.is_empty() {
        let batch = &buffers[..buffers.len().min(BUFFERS_MAX)];
        match pwritev(file, batch, position as i64) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                position += written as u64;
                IoSlice::advance_slices(&mut buffers, written);
            }
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_buffers_than_the_kernel_takes_at_once_are_all_written_in_order() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let file = File::create(&path).unwrap();
        let words: Vec<String> = (0..3000).map(|i| format!("{i},")).collect();
        let mut buffers: Vec<_> = words.iter().map(|word| IoSlice::new(word.as_bytes())).collect();
        write_all_vectored(&file, &mut buffers, 5).unwrap();
        assert_eq!(std::fs::read(&path).unwrap()[5..], *words.concat().as_bytes());
    }
}
