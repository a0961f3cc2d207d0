//! The store in a SQLite file: what is kept across openings, and what is refused.

#![allow(clippy::unwrap_used, reason = "helpers of tests stop the test as the tests themselves do")]

use rapport_store::{
    Checkpoint, CheckpointHead, CheckpointPart, CheckpointWrite, Chunk, ModelOrigin, NewModel, SqliteStore, StoreError,
};
use rapport_types::{Offset, PartitionId, SourceId, Timestamp};

const P: PartitionId = PartitionId(2);

fn write<'a>(expected: u64, next: u64, changed: &'a [(u64, Vec<u8>)], deleted: &'a [u64]) -> CheckpointWrite<'a> {
    CheckpointWrite {
        partition: P,
        expected: Offset(expected),
        next: Offset(next),
        version: 7,
        meta: b"meta",
        rows: 0,
        changed,
        deleted,
        chunks: &[],
        forget_before: Timestamp(0),
    }
}

/// All rows and chunks of the partition.
fn read(store: &SqliteStore) -> (Vec<(u64, Vec<u8>)>, Vec<Chunk>) {
    let (mut rows, mut chunks) = (Vec::new(), Vec::new());
    let mut each = |part: CheckpointPart<'_>| match part {
        CheckpointPart::Row(key, row) => rows.push((key, row.to_vec())),
        CheckpointPart::Chunk(chunk) => chunks.push(chunk),
    };
    store.load(P, &mut each).expect("reads");
    (rows, chunks)
}

#[test]
fn a_checkpoint_is_there_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let high = u64::MAX - 3;
    let store = SqliteStore::open(folder.path()).unwrap();
    assert_eq!(store.head(P).unwrap(), None);
    let first = [(1, vec![1]), (2, vec![2]), (high, vec![3])];
    store.save(&CheckpointWrite { rows: 3, ..write(0, 10, &first, &[]) }).unwrap();
    store.save(&CheckpointWrite { rows: 2, ..write(10, 20, &[(2, vec![9; 3_000])], &[1]) }).unwrap();
    drop(store);
    let store = SqliteStore::open(folder.path()).unwrap();
    let head = CheckpointHead { next: Offset(20), version: 7, meta: b"meta".to_vec() };
    assert_eq!(store.head(P).unwrap(), Some(head));
    let mut rows = read(&store).0;
    rows.sort();
    assert_eq!(rows, [(2, vec![9; 3_000]), (high, vec![3])]);
    store.reset(P).unwrap();
    assert_eq!((store.head(P).unwrap(), read(&store)), (None, (vec![], vec![])));
}

#[test]
fn a_writer_that_was_overtaken_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    store.save(&CheckpointWrite { rows: 1, ..write(0, 10, &[(1, vec![1])], &[]) }).unwrap();
    let error = store.save(&write(5, 30, &[(1, vec![7])], &[])).unwrap_err();
    assert!(matches!(error, StoreError::Fenced { partition: 2, expected: 5, found: 10 }), "{error}");
    assert_eq!(read(&store).0, [(1, vec![1])]);
}

/// Changes the database behind the store's back; what a load says then.
fn load_after(change: &str) -> StoreError {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let chunks = [Chunk { expires_at: Timestamp(50), keys: vec![5; 32] }];
    let rows = [(1, vec![1, 2, 3]), (2, vec![4])];
    store.save(&CheckpointWrite { rows: 2, chunks: &chunks, ..write(0, 10, &rows, &[]) }).unwrap();
    store.load(P, &mut |_| {}).unwrap();
    let connection = rusqlite::Connection::open(folder.path().join("state.db")).unwrap();
    assert_eq!(connection.execute(change, []).unwrap(), 1, "{change}");
    drop(connection);
    let mut each = |_: CheckpointPart<'_>| {};
    store.load(P, &mut each).unwrap_err()
}

#[test]
fn a_checkpoint_that_has_changed_is_told() {
    for change in [
        "UPDATE checkpoint_row SET row = x'010203ff' WHERE key = 1",
        "UPDATE checkpoint_row SET key = 3 WHERE key = 1",
        "UPDATE checkpoint_row SET row = 'text' WHERE key = 1",
        "DELETE FROM checkpoint_row WHERE key = 2",
        "DELETE FROM checkpoint_chunk",
        "UPDATE checkpoint_chunk SET keys = zeroblob(32)",
        "UPDATE checkpoint_chunk SET expires_at = 51",
        "UPDATE checkpoint SET next = 11",
        "UPDATE checkpoint SET version = 8",
        "UPDATE checkpoint SET meta = x'00'",
        "UPDATE checkpoint SET rows = 1",
        "UPDATE checkpoint SET rows = NULL",
    ] {
        let error = load_after(change);
        assert!(matches!(error, StoreError::Damaged { .. }), "{change}: {error}");
        assert!(error.to_string().contains("`rapport repair`"), "{error}");
    }
}

fn model(artifact: &[u8]) -> NewModel<'_> {
    NewModel {
        score: "a",
        created_at: Timestamp(9),
        algorithm: "gradient_boosting",
        origin: ModelOrigin::Retrained,
        artifact,
        metrics: "{}",
        rows: 12,
        range: None,
    }
}

#[test]
fn a_model_that_has_changed_is_told_and_not_served() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    store.add_model(&model(b"{1}")).unwrap();
    let connection = rusqlite::Connection::open(folder.path().join("state.db")).unwrap();
    connection.execute("UPDATE model SET artifact = x'7b327d'", []).unwrap();
    let error = store.artifact("a", 1).unwrap_err();
    assert!(error.to_string().contains("the artifact of model 1 of the score \"a\" has changed"), "{error}");
}

#[test]
fn what_can_be_read_of_a_damaged_store_is_taken_over() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = SqliteStore::open(old.path()).unwrap();
    let (id, key) = store.add_source("web").unwrap().unwrap();
    store.add_model(&model(b"one")).unwrap();
    store.add_model(&model(b"two")).unwrap();
    let connection = rusqlite::Connection::open(old.path().join("state.db")).unwrap();
    connection.execute("UPDATE model SET artifact = x'00' WHERE version = 1", []).unwrap();
    drop((connection, store));
    let before = std::fs::read(old.path().join("state.db")).unwrap();
    let store = SqliteStore::open(new.path()).unwrap();
    let salvaged = store.salvage(&old.path().join("state.db")).unwrap();
    assert_eq!((salvaged.sources, salvaged.models, salvaged.is_incomplete), (1, 1, true));
    assert_eq!(std::fs::read(old.path().join("state.db")).unwrap(), before, "evidence stays as it is");
    let source = store.sources().unwrap().into_iter().find(|source| source.id == id).unwrap();
    assert!(source.has_key(key.reveal()));
    assert_eq!((store.artifact("a", 1).unwrap(), store.artifact("a", 2).unwrap()), (None, Some(b"two".to_vec())));
    assert_eq!(store.model("a", 2).unwrap().map(|model| model.origin), Some(ModelOrigin::Retrained));
    assert_eq!(store.add_model(&model(b"three")).unwrap(), 3);
}

#[test]
fn expired_message_keys_go() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let chunk = |expires: i64| Chunk { expires_at: Timestamp(expires), keys: vec![expires as u8; 32] };
    store.save(&CheckpointWrite { chunks: &[chunk(50), chunk(60)], ..write(0, 1, &[], &[]) }).unwrap();
    let second = CheckpointWrite { chunks: &[chunk(70)], forget_before: Timestamp(50), ..write(1, 2, &[], &[]) };
    store.save(&second).unwrap();
    assert_eq!(read(&store).1, [chunk(60), chunk(70)]);
}

#[test]
fn a_store_belongs_to_one_log() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    store.bind(5).unwrap();
    store.bind(5).unwrap();
    assert!(matches!(store.bind(6), Err(StoreError::OtherLog { .. })));
}

#[test]
fn a_newer_format_is_named() {
    let folder = tempfile::tempdir().unwrap();
    drop(SqliteStore::open(folder.path()).unwrap());
    let connection = rusqlite::Connection::open(folder.path().join("state.db")).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let error = SqliteStore::open(folder.path()).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
}

#[test]
fn a_file_that_is_no_database_is_told() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("state.db"), [7; 9_000]).unwrap();
    let error = SqliteStore::open(folder.path()).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("state.db"), "{error}");
}

#[test]
fn keys_are_kept_as_hashes_only() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let (id, key) = store.add_source("web").unwrap().unwrap();
    assert_eq!(id, SourceId(1));
    assert!(store.add_source("web").unwrap().is_none(), "a name is taken once");
    let sources = store.sources().unwrap();
    assert_eq!((sources.len(), &*sources[0].name, sources[0].id), (2, "crm", SourceId(0)));
    assert!(sources[1].has_key(key.reveal()) && !sources[1].has_key("") && !sources[0].has_key(""));
    assert_eq!(format!("{key:?}"), "Secret(..)");
    drop(store);
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(key.reveal().len()).any(|part| part == key.reveal().as_bytes()));
    }
}

#[test]
fn versions_of_a_models_score_grow_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let range = Some((Timestamp(1), Timestamp(2)));
    let model = NewModel {
        score: "a",
        created_at: Timestamp(9),
        algorithm: "gradient_boosting",
        origin: ModelOrigin::Trained,
        artifact: b"{}",
        metrics: "{\"auc\":0.7}",
        rows: 12,
        range,
    };
    assert_eq!(store.add_model(&model).unwrap(), 1);
    assert_eq!(store.add_model(&model).unwrap(), 2);
    assert_eq!(
        store.add_model(&NewModel { score: "b", range: None, origin: ModelOrigin::Imported, ..model }).unwrap(),
        1
    );
    let models = store.models().unwrap();
    let names: Vec<_> = models.iter().map(|model| (&*model.score, model.version, model.range)).collect();
    assert_eq!(names, [("a", 2, range), ("a", 1, range), ("b", 1, None)]);
    assert_eq!(store.model("a", 2).unwrap().as_ref(), Some(&models[0]));
    assert_eq!((&*models[0].algorithm, models[0].origin), ("gradient_boosting", ModelOrigin::Trained));
    assert_eq!(store.model("b", 1).unwrap().map(|model| model.origin), Some(ModelOrigin::Imported));
    assert_eq!(store.model("b", 2).unwrap(), None);
    assert_eq!(store.artifact("a", 2).unwrap().as_deref(), Some(&b"{}"[..]));
    assert_eq!(store.artifact("a", 3).unwrap(), None);
}

#[test]
fn a_database_of_the_first_format_keeps_its_models() {
    let folder = tempfile::tempdir().unwrap();
    let connection = rusqlite::Connection::open(folder.path().join("state.db")).unwrap();
    // A migration that was released is never changed, so it is the fixture of its format.
    connection.execute_batch(include_str!("../src/migrations/0001.sql")).unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
    let insert = "INSERT INTO model VALUES ('a', 3, 9, x'7b7d', '{\"auc\":0.7}', 12, 1, 2)";
    connection.execute(insert, []).unwrap();
    drop(connection);
    for _ in 0..2 {
        let store = SqliteStore::open(folder.path()).unwrap();
        let model = store.model("a", 3).unwrap().unwrap();
        assert_eq!((&*model.algorithm, model.origin), ("logistic_regression", ModelOrigin::Trained));
        assert_eq!((model.rows, model.range), (12, Some((Timestamp(1), Timestamp(2)))));
        assert_eq!(store.artifact("a", 3).unwrap().as_deref(), Some(&b"{}"[..]));
    }
}
