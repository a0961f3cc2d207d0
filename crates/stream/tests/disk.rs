//! A disk that fails below the real log: the kernel refuses syncs and writes of a child process by a seccomp filter, so
//! that SQLite and everything above it meet the error as they would meet it from a device.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "helpers of tests stop the test as the tests themselves do")]

mod refusing;

use std::path::Path;

use rapport_stream::{Append, Log, LogError, Retry, SqliteLog, SqliteLogOptions};
use rapport_types::{Offset, PartitionId};
use refusing::{in_a_child, refuse};

const P0: PartitionId = PartitionId(0);

fn open(folder: &Path) -> Result<SqliteLog, LogError> {
    SqliteLog::open(folder, SqliteLogOptions { partitions: 2, ..SqliteLogOptions::default() })
}

fn append(log: &SqliteLog, byte: u8) -> Result<(), LogError> {
    log.append(Append::one(P0, vec![byte; 3_000]))?.wait().map(drop)
}

#[test]
fn after_a_failed_sync_nothing_is_taken_or_believed_until_a_sync_succeeds() {
    let test = "after_a_failed_sync_nothing_is_taken_or_believed_until_a_sync_succeeds";
    let left = in_a_child(test, |folder| {
        let log = open(folder).unwrap();
        (0..5).for_each(|byte| append(&log, byte).unwrap());
        refuse(&[libc::SYS_fsync, libc::SYS_fdatasync], libc::EIO);
        let error = append(&log, 5).unwrap_err();
        assert!(matches!(error, LogError::Poisoned(_)), "{error}");
        assert_eq!(error.retry(), Retry::Never);
        assert_eq!(append(&log, 6).unwrap_err(), error, "a sync that is tried again would lie");
        assert_eq!(log.healthy().unwrap_err(), error);
        assert_eq!(log.end(P0), Offset(5), "no reader sees it");
        assert_eq!(log.read(P0, Offset(0), usize::MAX).unwrap().len(), 5);
        assert_eq!(log.statistics().failed_commits, 1);
        drop(log);
        let error = open(folder).unwrap_err();
        assert!(matches!(error, LogError::Io { .. }), "{error}");
        assert!(error.to_string().contains("log.db-wal"), "{error}");
    });
    let Some(folder) = left else { return };
    let log = open(folder.path()).unwrap();
    assert_eq!(log.end(P0), Offset(6), "what the write-ahead log had is durable now, so it may be shown");
    append(&log, 7).unwrap();
    let records = log.read(P0, Offset(0), usize::MAX).unwrap();
    assert_eq!(records.iter().map(|record| record.bytes[0]).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 7]);
    assert_eq!(log.verify().unwrap().entries, 7);
}

#[test]
fn a_full_disk_refuses_appends_one_by_one_and_keeps_nothing_of_them() {
    let left = in_a_child("a_full_disk_refuses_appends_one_by_one_and_keeps_nothing_of_them", |folder| {
        let log = open(folder).unwrap();
        (0..5).for_each(|byte| append(&log, byte).unwrap());
        refuse(&[libc::SYS_write, libc::SYS_pwrite64, libc::SYS_pwritev], libc::ENOSPC);
        for byte in 5..8 {
            let error = append(&log, byte).unwrap_err();
            assert_eq!((&error, error.retry()), (&LogError::DiskFull, Retry::Later));
        }
        log.healthy().unwrap();
        assert_eq!(log.end(P0), Offset(5));
        assert_eq!(log.read(P0, Offset(0), usize::MAX).unwrap().len(), 5);
    });
    let Some(folder) = left else { return };
    let log = open(folder.path()).unwrap();
    assert_eq!(log.end(P0), Offset(5));
    append(&log, 8).unwrap();
    assert_eq!(log.verify().unwrap().entries, 6);
}

#[test]
fn a_write_that_fails_for_another_reason_poisons() {
    let left = in_a_child("a_write_that_fails_for_another_reason_poisons", |folder| {
        let log = open(folder).unwrap();
        append(&log, 0).unwrap();
        refuse(&[libc::SYS_write, libc::SYS_pwrite64, libc::SYS_pwritev], libc::EIO);
        assert!(matches!(append(&log, 1).unwrap_err(), LogError::Poisoned(_)));
        assert!(matches!(append(&log, 2).unwrap_err(), LogError::Poisoned(_)));
        assert_eq!(log.end(P0), Offset(1));
    });
    let Some(folder) = left else { return };
    assert_eq!(open(folder.path()).unwrap().verify().unwrap().entries, 1);
}
