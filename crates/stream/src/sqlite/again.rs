//! Writes the write-ahead log over itself when a log is opened.
//!
//! When a sync fails, Linux drops the dirty mark of the pages all the same: they can be read, a later sync of them succeeds,
//! and they are not on the disk (Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020). So
//! what a process finds in the write-ahead log after an end that was not orderly may be in memory alone. Only pages that
//! are written again are written out by the next sync, or make it fail.
//!
//! The file's bytes do not change, so a loss of power in the middle leaves it as it was. An orderly close leaves no
//! write-ahead log, so nothing is written then; else it is some megabytes. `log.db` itself needs no such care: SQLite keeps
//! frames in the write-ahead log until a sync of the file that they were copied into has succeeded, and copies them all
//! again after an opening.

use std::{fs::File, io, os::unix::fs::FileExt as _, path::Path};

const FILE: &str = "log.db-wal";
const CHUNK: usize = 1024 * 1024;

/// Makes durable what the write-ahead log in `folder` holds, before anything of it is believed. How many bytes it has.
pub(super) fn write_again(folder: &Path) -> io::Result<u64> {
    let file = match File::options().read(true).write(true).open(folder.join(FILE)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let mut chunk = vec![0; CHUNK];
    let mut at = 0;
    loop {
        let read = file.read_at(&mut chunk, at)?;
        if read == 0 {
            break;
        }
        file.write_all_at(&chunk[..read], at)?;
        at += read as u64;
    }
    if at > 0 {
        file.sync_all()?;
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_stay_and_no_file_is_made() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(write_again(folder.path()).unwrap(), 0);
        assert!(!folder.path().join(FILE).exists());
        let bytes: Vec<u8> = (0..CHUNK * 2 + 77).map(|n| (n % 251) as u8).collect();
        std::fs::write(folder.path().join(FILE), &bytes).unwrap();
        assert_eq!(write_again(folder.path()).unwrap(), bytes.len() as u64);
        assert_eq!(std::fs::read(folder.path().join(FILE)).unwrap(), bytes);
    }
}
