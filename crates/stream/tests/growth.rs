//! A log that is written without a pause: its write-ahead log is copied into the file meanwhile and begins anew.

use rapport_stream::{Append, Log as _, SqliteLog, SqliteLogOptions};
use rapport_types::{Offset, PartitionId};

const ENTRY: usize = 60_000;
const ENTRIES: u64 = 2_000;

#[test]
fn the_write_ahead_log_stays_short_and_an_orderly_end_leaves_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = SqliteLogOptions { partitions: 1, tail_bytes: 1 << 20, ..SqliteLogOptions::default() };
    let log = SqliteLog::open(folder.path(), options).expect("a log");
    let ahead = folder.path().join("log.db-wal");
    let mut longest = 0;
    for turn in 0..ENTRIES {
        let entry = [&turn.to_le_bytes()[..], &vec![7; ENTRY]].concat();
        let ticket = log.append(Append::one(PartitionId(0), entry)).expect("room");
        assert_eq!(ticket.wait().expect("a commit").offsets, [Offset(turn)]);
        longest = longest.max(std::fs::metadata(&ahead).expect("a file").len());
    }
    let written = ENTRIES * ENTRY as u64;
    assert!(longest < written / 2, "the write-ahead log had {longest} of {written} bytes");
    let old = log.read(PartitionId(0), Offset(17), 1).expect("entries of the file");
    assert_eq!(old[0].bytes[..8], 17_u64.to_le_bytes());
    drop(log);
    assert!(!ahead.exists(), "the last connection copied it whole");
    let log = SqliteLog::open(folder.path(), options).expect("the log again");
    assert_eq!(log.verify().expect("sound").entries, ENTRIES);
}
