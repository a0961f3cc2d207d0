//! A log in a file whose files are damaged, taken away or in use: found, named, never passed over.

#![allow(clippy::unwrap_used, reason = "helpers of tests stop the test as the tests themselves do")]

use std::path::Path;

use rapport_stream::{Append, Log, LogError, LogId, SqliteLog, SqliteLogOptions};
use rapport_types::{Offset, PartitionId};

const P0: PartitionId = PartitionId(0);

fn open(folder: &Path) -> Result<SqliteLog, LogError> {
    SqliteLog::open(folder, SqliteLogOptions { partitions: 2, ..SqliteLogOptions::default() })
}

/// A log of 30 commits of 10 entries of 400 bytes; each entry begins with its number.
fn filled() -> (tempfile::TempDir, LogId) {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path()).unwrap();
    for commit in 0..30_u64 {
        let entry = |n: u64| (P0, [&(commit * 10 + n).to_le_bytes()[..], &[0xAB; 400]].concat());
        log.append(Append { entries: (0..10).map(entry).collect() }).unwrap().wait().unwrap();
    }
    let id = log.id();
    (folder, id)
}

#[test]
fn everything_is_there_after_opening_again() {
    let (folder, id) = filled();
    let log = open(folder.path()).unwrap();
    assert_eq!((log.id(), log.end(P0)), (id, Offset(300)));
    let records = log.read(P0, Offset(125), usize::MAX).unwrap();
    assert_eq!(records.len(), 175);
    assert_eq!(records[0].bytes[..8], 125_u64.to_le_bytes());
    assert_eq!(log.append(Append::one(P0, vec![1])).unwrap().wait().unwrap().offsets, [Offset(300)]);
    assert_eq!(log.verify().unwrap().entries, 301);
}

#[test]
fn a_second_process_is_told_who_holds_the_log() {
    let (folder, _) = filled();
    let _log = open(folder.path()).unwrap();
    let error = open(folder.path()).unwrap_err();
    assert!(matches!(&error, LogError::Locked { holder, .. } if holder.contains("process")), "{error}");
}

#[test]
fn the_number_of_partitions_is_fixed() {
    let (folder, _) = filled();
    let error = SqliteLog::open(folder.path(), SqliteLogOptions::default()).unwrap_err();
    assert!(matches!(error, LogError::PartitionCount { found: 2, wanted: 4, .. }), "{error}");
}

#[test]
fn a_bit_flipped_in_any_page_is_found_or_harmless() {
    let (folder, _) = filled();
    let path = folder.path().join("log.db");
    let sound = std::fs::read(&path).unwrap();
    assert!(sound.len() > 50_000, "closing copied the write-ahead log into the file");
    let mut found = 0;
    for place in (0..sound.len()).step_by(1_013) {
        let mut bytes = sound.clone();
        bytes[place] ^= 0x10;
        std::fs::write(&path, &bytes).unwrap();
        let whole = open(folder.path()).and_then(|log| {
            log.verify()?;
            log.read(P0, Offset(0), usize::MAX)
        });
        match whole {
            Err(_) => found += 1,
            Ok(records) => {
                assert_eq!(records.len(), 300, "byte {place}");
                for (record, n) in records.iter().zip(0_u64..) {
                    assert_eq!((&record.bytes[..8], &record.bytes[8..]), (&n.to_le_bytes()[..], &[0xAB; 400][..]));
                }
            }
        }
    }
    assert!(found > 50, "most bytes matter: {found}");
}

#[test]
fn a_batch_that_is_gone_is_named() {
    let (folder, _) = filled();
    let connection = rusqlite::Connection::open(folder.path().join("log.db")).unwrap();
    connection.execute("DELETE FROM row WHERE place = 100", []).unwrap();
    drop(connection);
    let log = open(folder.path()).unwrap();
    for error in [log.verify().unwrap_err(), log.read(P0, Offset(95), usize::MAX).unwrap_err()] {
        assert!(matches!(error, LogError::Corrupt { partition: P0, offset: Offset(100), .. }), "{error}");
    }
    assert!(log.read(P0, Offset(105), 10).is_err(), "a read from the gap");
    assert_eq!(log.read(P0, Offset(110), usize::MAX).unwrap().len(), 190, "what is sound can be read");
}

#[test]
fn a_batch_of_a_copy_that_went_its_own_way_is_told() {
    let (folder, _) = filled();
    let copy = tempfile::tempdir().unwrap();
    for name in ["log.db", "log.ack"] {
        std::fs::copy(folder.path().join(name), copy.path().join(name)).unwrap();
    }
    for (folder, what) in [(&folder, 1), (&copy, 2)] {
        let log = open(folder.path()).unwrap();
        for _ in 0..3 {
            log.append(Append::one(P0, vec![what; 50])).unwrap().wait().unwrap();
        }
    }
    let connection = rusqlite::Connection::open(folder.path().join("log.db")).unwrap();
    let other = copy.path().join("log.db").display().to_string();
    connection.execute("ATTACH ? AS other", [other]).unwrap();
    connection.execute("DELETE FROM row WHERE place = 301", []).unwrap();
    connection.execute("INSERT INTO row SELECT * FROM other.row WHERE place = 301", []).unwrap();
    drop(connection);
    let log = open(folder.path()).unwrap();
    for error in [log.verify().unwrap_err(), log.read(P0, Offset(290), usize::MAX).unwrap_err()] {
        assert!(matches!(error, LogError::Corrupt { offset: Offset(301), .. }), "{error}");
    }
}

#[test]
fn acknowledged_entries_that_are_gone_are_told_at_the_start() {
    let (folder, _) = filled();
    let connection = rusqlite::Connection::open(folder.path().join("log.db")).unwrap();
    connection.execute("DELETE FROM row WHERE place >= 290", []).unwrap();
    drop(connection);
    let error = open(folder.path()).unwrap_err();
    let expected = LogError::Truncated { partition: P0, acknowledged: Offset(300), found: Offset(290) };
    assert_eq!(error, expected);
    assert!(error.to_string().contains("log.ack"), "it says how to accept the loss: {error}");
    std::fs::remove_file(folder.path().join("log.ack")).unwrap();
    assert_eq!(open(folder.path()).unwrap().end(P0), Offset(290));
}

#[test]
fn a_kill_loses_nothing_and_a_log_that_was_taken_away_is_missed() {
    let folder = tempfile::tempdir().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let log = open(folder.path()).unwrap();
    for _ in 0..20 {
        log.append(Append::one(P0, vec![1; 3_000])).unwrap().wait().unwrap();
    }
    // As a kill leaves them: copied while the log is open, so nothing is in the file itself.
    for name in ["log.db", "log.db-wal", "log.ack"] {
        std::fs::copy(folder.path().join(name), copy.path().join(name)).unwrap();
    }
    drop(log);
    assert_eq!(open(copy.path()).unwrap().end(P0), Offset(20), "a kill alone loses nothing");
    let damaged = tempfile::tempdir().unwrap();
    std::fs::copy(folder.path().join("log.ack"), damaged.path().join("log.ack")).unwrap();
    let error = open(damaged.path()).unwrap_err();
    assert!(matches!(error, LogError::Truncated { acknowledged: Offset(20), found: Offset(0), .. }), "{error}");
}

#[test]
fn a_flipped_bit_in_the_write_ahead_log_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path()).unwrap();
    for _ in 0..20 {
        log.append(Append::one(P0, vec![1; 3_000])).unwrap().wait().unwrap();
    }
    let length = std::fs::metadata(folder.path().join("log.db-wal")).unwrap().len() as usize;
    let mut told = 0;
    for place in (length / 2..length).step_by(4_111) {
        let copy = tempfile::tempdir().unwrap();
        for name in ["log.db", "log.db-wal", "log.ack"] {
            std::fs::copy(folder.path().join(name), copy.path().join(name)).unwrap();
        }
        let path = copy.path().join("log.db-wal");
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[place] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        // SQLite ends the write-ahead log there without a word; log.ack knows better.
        match open(copy.path()) {
            Err(LogError::Truncated { acknowledged: Offset(20), .. }) => {
                told += 1;
                // The refusal destroyed nothing: with the bit as it was, everything is there.
                let mut kept = std::fs::read(&path).unwrap();
                kept[place] ^= 1;
                std::fs::write(&path, kept).unwrap();
                assert_eq!(open(copy.path()).unwrap().verify().unwrap().entries, 20, "byte {place}");
            }
            Err(error) => panic!("byte {place}: {error}"),
            Ok(log) => assert_eq!(log.verify().unwrap().entries, 20, "byte {place}"),
        }
    }
    assert!(told > 5, "{told}");
}

#[test]
fn a_file_of_a_newer_format_or_none_at_all_is_refused() {
    let (folder, _) = filled();
    let path = folder.path().join("log.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 9).unwrap();
    drop(connection);
    assert!(matches!(open(folder.path()).unwrap_err(), LogError::Format { found: 9, known: 1, .. }));
    std::fs::write(&path, [9; 5_000]).unwrap();
    let error = open(folder.path()).unwrap_err();
    assert!(matches!(error, LogError::Damaged { .. }), "{error}");
}
