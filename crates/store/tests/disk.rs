//! A disk that fails below the real store: the kernel refuses syncs and writes of a child process by a seccomp filter.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "helpers of tests stop the test as the tests themselves do")]

#[path = "../../stream/tests/refusing/mod.rs"]
mod refusing;

use rapport_store::{Checkpoint as _, CheckpointWrite, Retry, SqliteStore, StoreError};
use rapport_types::{Offset, PartitionId, Timestamp};
use refusing::{in_a_child, refuse};

fn save(store: &SqliteStore, expected: u64, row: &[u8]) -> Result<(), StoreError> {
    let changed = [(expected, row.to_vec())];
    let (partition, rows) = (PartitionId(0), expected + 1);
    let (meta, deleted, chunks, forget_before) = (&b"meta"[..], &[][..], &[][..], Timestamp(0));
    let (expected, next, changed) = (Offset(expected), Offset(expected + 1), &changed[..]);
    store.save(&CheckpointWrite {
        partition,
        expected,
        next,
        version: 1,
        meta,
        rows,
        changed,
        deleted,
        chunks,
        forget_before,
    })
}

fn rows(store: &SqliteStore) -> usize {
    let mut rows = 0;
    store.load(PartitionId(0), &mut |_| rows += 1).unwrap();
    rows
}

#[test]
fn after_a_failed_sync_nothing_more_is_written_until_a_sync_succeeds() {
    let left = in_a_child("after_a_failed_sync_nothing_more_is_written_until_a_sync_succeeds", |folder| {
        let store = SqliteStore::open(folder).unwrap();
        store.add_source("before").unwrap().unwrap();
        save(&store, 0, b"one").unwrap();
        refuse(&[libc::SYS_fsync, libc::SYS_fdatasync], libc::EIO);
        let error = store.add_source("during").unwrap_err();
        assert!(matches!(error, StoreError::Poisoned { .. }), "{error}");
        assert!(error.to_string().contains("look after the disk, then start Rapport again"), "{error}");
        assert_eq!(error.retry(), Retry::Never);
        for error in [store.add_source("after").unwrap_err(), save(&store, 1, b"two").unwrap_err()] {
            assert!(matches!(error, StoreError::Poisoned { .. }), "a sync that is tried again would lie: {error}");
        }
        assert_eq!(rows(&store), 1, "what is there can be read");
        drop(store);
        let error = SqliteStore::open(folder).unwrap_err();
        assert!(matches!(error, StoreError::Poisoned { .. }), "nothing is believed that cannot be synced: {error}");
    });
    let Some(folder) = left else { return };
    let store = SqliteStore::open(folder.path()).unwrap();
    let names: Vec<_> = store.sources().unwrap().into_iter().map(|source| source.name).collect();
    assert!(names == ["crm", "before"] || names == ["crm", "before", "during"], "{names:?}");
    assert_eq!(rows(&store), 1);
    let wal = std::fs::metadata(folder.path().join("state.db-wal")).unwrap().len();
    assert_eq!(wal, 0, "what the write-ahead log had is in the file, and synced");
    save(&store, 1, b"two").unwrap();
}

#[test]
fn a_full_disk_keeps_nothing_of_a_write_and_can_be_tried_again() {
    let left = in_a_child("a_full_disk_keeps_nothing_of_a_write_and_can_be_tried_again", |folder| {
        let store = SqliteStore::open(folder).unwrap();
        save(&store, 0, b"one").unwrap();
        refuse(&[libc::SYS_write, libc::SYS_pwrite64, libc::SYS_pwritev], libc::ENOSPC);
        for _ in 0..2 {
            let error = save(&store, 1, &[7; 9_000]).unwrap_err();
            assert_eq!(error.retry(), Retry::Later, "{error}");
        }
        assert_eq!(rows(&store), 1);
    });
    let Some(folder) = left else { return };
    let store = SqliteStore::open(folder.path()).unwrap();
    save(&store, 1, b"two").unwrap();
    assert_eq!(rows(&store), 2);
}
