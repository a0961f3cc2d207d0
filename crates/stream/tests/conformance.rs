//! What every log must do, run on each backend.

#![allow(clippy::unwrap_used, reason = "helpers of tests stop the test as the tests themselves do")]

use std::{sync::Arc, time::Duration};

use rapport_stream::{Append, Log, LogError, MemoryLog, Retry, SqliteLog, SqliteLogOptions};
use rapport_types::{Offset, PartitionId};

const P0: PartitionId = PartitionId(0);
const P1: PartitionId = PartitionId(1);

fn entries(partition: PartitionId, texts: &[&str]) -> Vec<(PartitionId, Vec<u8>)> {
    texts.iter().map(|text| (partition, text.as_bytes().to_vec())).collect()
}

fn append(log: &dyn Log, entries: Vec<(PartitionId, Vec<u8>)>) -> Vec<Offset> {
    log.append(Append { entries }).unwrap().wait().unwrap().offsets
}

fn texts(log: &dyn Log, partition: PartitionId, from: u64, max_bytes: usize) -> Vec<String> {
    let records = log.read(partition, Offset(from), max_bytes).unwrap();
    for (record, offset) in records.iter().zip(from..) {
        assert_eq!(record.offset, Offset(offset), "contiguous");
    }
    records.iter().map(|record| String::from_utf8(record.bytes.to_vec()).unwrap()).collect()
}

fn offsets_are_contiguous_in_order(log: &dyn Log) {
    assert_eq!(log.partitions(), 2);
    assert_eq!(append(log, entries(P0, &["a", "b"])), [Offset(0), Offset(1)]);
    let mixed = vec![(P1, b"x".to_vec()), (P0, b"c".to_vec()), (P1, b"".to_vec())];
    assert_eq!(append(log, mixed), [Offset(0), Offset(2), Offset(1)]);
    assert_eq!((log.end(P0), log.end(P1), log.end(PartitionId(9))), (Offset(3), Offset(2), Offset(0)));
    assert_eq!(texts(log, P0, 0, 1_000), ["a", "b", "c"]);
    assert_eq!(texts(log, P0, 1, 1_000), ["b", "c"]);
    assert_eq!(texts(log, P1, 0, 1_000), ["x", ""]);
    assert_eq!(texts(log, P0, 3, 1_000), Vec::<String>::new());
}

fn reads_are_bounded_and_never_stuck(log: &dyn Log) {
    append(log, entries(P0, &["four", "four", "four"]));
    append(log, entries(P0, &["four"]));
    for (max_bytes, expected) in [(0, 1), (1, 1), (4, 1), (7, 1), (8, 2), (12, 3), (16, 4), (100, 4)] {
        assert_eq!(texts(log, P0, 0, max_bytes).len(), expected, "{max_bytes} bytes");
    }
    assert_eq!(texts(log, P0, 3, 0).len(), 1);
}

fn requests_that_cannot_be_are_refused(log: &dyn Log) {
    let unknown = PartitionId(2);
    assert_eq!(log.append(Append::default()).unwrap_err(), LogError::Empty);
    let refused = log.append(Append::one(unknown, vec![1])).unwrap_err();
    assert!(matches!(refused, LogError::UnknownPartition { partitions: 2, .. }));
    let large = log.append(Append::one(P0, vec![0; 9 << 20])).unwrap_err();
    assert!(matches!(large, LogError::TooLarge { .. }));
    assert!(matches!(log.read(unknown, Offset(0), 1), Err(LogError::UnknownPartition { .. })));
    assert!(matches!(log.read(P0, Offset(1), 1), Err(LogError::BeyondEnd { end: Offset(0), .. })));
    assert_eq!(log.end(P0), Offset(0), "nothing of a refused append is kept");
}

fn a_reader_that_waits_is_woken(log: &Arc<dyn Log>) {
    let waiting = Arc::clone(log);
    let reader = std::thread::spawn(move || waiting.wait(P1, Offset(0), Duration::from_mins(1)));
    append(&**log, entries(P0, &["elsewhere"]));
    append(&**log, entries(P1, &["here"]));
    assert_eq!(reader.join().unwrap(), Offset(1));
    assert_eq!(log.wait(P1, Offset(1), Duration::from_millis(1)), Offset(1), "nothing more comes");
}

fn many_senders_lose_nothing(log: &Arc<dyn Log>) {
    let senders: Vec<_> = (0..4_u32)
        .map(|sender| {
            let log = Arc::clone(log);
            std::thread::spawn(move || {
                for n in 0..200_u32 {
                    let text = format!("{sender}:{n}");
                    append(&*log, vec![(P0, text.clone().into_bytes()), (P1, text.into_bytes())]);
                }
            })
        })
        .collect();
    senders.into_iter().for_each(|sender| sender.join().unwrap());
    let all = texts(&**log, P0, 0, usize::MAX);
    assert_eq!(all, texts(&**log, P1, 0, usize::MAX), "one append stands in one order everywhere");
    for sender in 0..4 {
        let own: Vec<_> = all.iter().filter(|text| text.starts_with(&format!("{sender}:"))).cloned().collect();
        assert_eq!(own, (0..200).map(|n| format!("{sender}:{n}")).collect::<Vec<_>>());
    }
    let verified = log.verify().unwrap();
    assert_eq!((verified.entries, verified.ends), (1_600, vec![Offset(800), Offset(800)]));
    assert_eq!(log.statistics().entries, 1_600);
}

fn conform(mut make: impl FnMut() -> Arc<dyn Log>) {
    offsets_are_contiguous_in_order(&*make());
    reads_are_bounded_and_never_stuck(&*make());
    requests_that_cannot_be_are_refused(&*make());
    a_reader_that_waits_is_woken(&make());
    many_senders_lose_nothing(&make());
}

#[test]
fn the_log_in_memory_conforms() {
    conform(|| Arc::new(MemoryLog::new(2).unwrap()));
}

fn options() -> SqliteLogOptions {
    SqliteLogOptions { partitions: 2, ..SqliteLogOptions::default() }
}

#[test]
fn the_log_in_a_file_conforms() {
    let mut folders = Vec::new();
    conform(|| {
        folders.push(tempfile::tempdir().unwrap());
        Arc::new(SqliteLog::open(folders.last().unwrap().path(), options()).unwrap())
    });
}

#[test]
fn the_log_in_a_file_conforms_without_a_tail_in_memory() {
    let mut folders = Vec::new();
    conform(|| {
        folders.push(tempfile::tempdir().unwrap());
        let options = SqliteLogOptions { tail_bytes: 0, ..options() };
        Arc::new(SqliteLog::open(folders.last().unwrap().path(), options).unwrap())
    });
}

#[test]
fn nothing_is_shown_or_acknowledged_before_it_is_durable_and_the_queue_has_a_limit() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = SqliteLog::open(folder.path(), SqliteLogOptions { queue_bytes: 1_000, ..options() }).unwrap();
    let memory = MemoryLog::with_queue(2, 1_000).unwrap();
    let (held_sqlite, held_memory) = (sqlite.hold(), memory.hold());
    let mut tickets = Vec::new();
    for log in [&sqlite as &dyn Log, &memory] {
        let ticket = log.append(Append::one(P0, vec![7; 700])).unwrap();
        let error = log.append(Append::one(P0, vec![7; 700])).unwrap_err();
        assert_eq!((error.retry(), log.statistics().refused_full), (Retry::Later, 1), "{error}");
        assert!(!ticket.is_complete());
        assert_eq!(log.end(P0), Offset(0));
        tickets.push(ticket);
    }
    drop((held_sqlite, held_memory));
    for ticket in tickets {
        assert_eq!(ticket.wait().unwrap().offsets, [Offset(0)]);
    }
    assert_eq!((sqlite.end(P0), memory.end(P0)), (Offset(1), Offset(1)));
}
