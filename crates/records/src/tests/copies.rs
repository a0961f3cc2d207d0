//! Backups, snapshots and the move to another database.

use std::{fs, path::Path, sync::atomic::AtomicBool, sync::atomic::Ordering, thread};

use rapport_testkit::postgres::Server;
use serde_json::json;

use super::{NOW, create, everything, made};
use crate::{
    Database, Desk, ListQuery, Record, RecordsError, SNAPSHOTS, back_up, copy, look_through, migrate::MIGRATIONS,
    roll_back,
};

fn open(file: &Path) -> Desk {
    Desk::open_file(file, || NOW).unwrap()
}

fn all(desk: &Desk, object: &str) -> Vec<Record> {
    let query = ListQuery { limit: 500, sort: Some("created_at".to_owned()), ..ListQuery::default() };
    desk.list(&everything(), object, &query).unwrap().records
}

/// Records of all kinds of fields, and a change of one.
fn fill(desk: &Desk) {
    let access = everything();
    let ann = json!({ "name": "Ann", "email": "ann@example.com", "marketing_consent": true, "birthday": "1980-02-29",
        "tags": ["vip"], "address": { "city": "Köln" } });
    let ann = made(desk, &access, "contact", ann);
    let more = (0..2_500).map(|n| create(json!({ "name": format!("N{n}"), "marketing_consent": n % 2 == 0 })));
    let more = desk.edit(&access, "contact", &more.collect::<Vec<_>>(), None).unwrap().records;
    let deal = json!({ "name": "One", "amount": { "amount": 12.34, "currency": "USD" }, "contact": ann.id,
        "contacts": [more[0].id, more[1].id], "probability": 33.5 });
    made(desk, &access, "deal", deal);
    desk.edit(&access, "contact", &[crate::Edit::Delete { id: more[2].id, version: None }], None).unwrap();
}

#[test]
fn records_move_to_postgresql_and_back_into_a_file_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let source = open(&folder.path().join("records.db"));
    fill(&source);
    let server = Server::start().unwrap();
    let url = server.database("moved");
    let sums = copy(&source.database, &Database::postgres(&url).unwrap()).unwrap();
    let contacts = sums.iter().find(|sum| sum.table == "o_contact").unwrap();
    assert_eq!(contacts.rows, 2_501);

    let moved = Desk::open(Database::postgres(&url).unwrap(), || NOW).unwrap();
    for object in ["contact", "deal", "stage"] {
        assert_eq!(all(&moved, object), all(&source, object), "{object}");
    }
    let newest = source.newest_change().unwrap();
    assert_eq!(moved.newest_change().unwrap(), newest);

    // A backup of a PostgreSQL is a file like one of SQLite.
    let file = folder.path().join("backup.db");
    assert_eq!(back_up(&moved.database, &file).unwrap(), sums);
    assert_eq!(look_through(&file).unwrap(), sums);
    assert_eq!(all(&open(&file), "deal"), all(&source, "deal"));

    // Numbers of the feed go on where they were.
    made(&moved, &everything(), "contact", json!({ "name": "Late" }));
    assert_eq!(moved.newest_change().unwrap(), newest + 1);

    let again = copy(&source.database, &moved.database);
    assert!(matches!(again, Err(RecordsError::Invalid { ref field, .. }) if field == "target"), "{again:?}");
}

#[test]
fn a_copy_that_fails_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let source = open(&folder.path().join("records.db"));
    source.write(|_, tx| tx.script("CREATE TABLE zebra (stripe TEXT)")).unwrap();
    let server = Server::start().unwrap();
    let target = Database::postgres(&server.database("moved")).unwrap();
    let refused = copy(&source.database, &target).unwrap_err();
    assert!(refused.to_string().contains("zebra"), "{refused}");
    source.write(|_, tx| tx.script("DROP TABLE zebra")).unwrap();
    copy(&source.database, &target).unwrap();
}

#[test]
fn a_backup_under_load_is_of_one_moment() {
    let folder = tempfile::tempdir().unwrap();
    let desk = open(&folder.path().join("records.db"));
    let file = folder.path().join("backup.db");
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let write = || {
            while !stop.load(Ordering::Relaxed) {
                let some: Vec<crate::Edit> = (0..20).map(|n| create(json!({ "name": format!("N{n}") }))).collect();
                desk.edit(&everything(), "contact", &some, None).unwrap();
            }
        };
        scope.spawn(write);
        let seen = desk.changes_seen();
        desk.wait_for_change(seen, std::time::Duration::from_mins(1));
        let done = back_up(&desk.database, &file);
        stop.store(true, Ordering::Relaxed);
        done.unwrap();
    });
    let sums = look_through(&file).unwrap();
    let rows = |table: &str| sums.iter().find(|sum| sum.table == table).unwrap().rows;
    // Whole requests, each record with its line in the feed; the rest of the feed is of the first pipeline.
    let contacts = rows("o_contact");
    assert!(contacts > 0 && contacts.is_multiple_of(20), "{contacts}");
    assert_eq!(rows("change"), contacts + rows("o_pipeline") + rows("o_stage"));
    assert_eq!(rows("batch"), contacts / 20);
}

#[test]
fn damage_in_a_backup_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let desk = open(&folder.path().join("records.db"));
    fill(&desk);
    let file = folder.path().join("backup.db");
    let sums = back_up(&desk.database, &file).unwrap();
    let mut bytes = fs::read(&file).unwrap();
    let places: Vec<usize> = (0..bytes.len() - 15).filter(|at| bytes[*at..].starts_with(b"ann@example.com")).collect();
    for place in &places {
        bytes[*place] = b'b';
    }
    fs::write(&file, &bytes).unwrap();
    assert_ne!(look_through(&file).ok(), Some(sums), "{places:?}");
    bytes[4_096..8_192].fill(0xff);
    fs::write(&file, &bytes).unwrap();
    assert!(look_through(&file).is_err());
}

#[test]
fn an_upgrade_can_be_rolled_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("records.db");
    let nothing = roll_back(&file).unwrap_err();
    assert!(matches!(nothing, RecordsError::NotFound(_)), "{nothing}");
    let before = open(&file);
    made(&before, &everything(), "contact", json!({ "name": "Before" }));
    drop(before);
    let snapshots = || fs::read_dir(folder.path().join("snapshots")).map_or(0, Iterator::count);
    assert_eq!(snapshots(), 0);

    let mut steps = MIGRATIONS.to_vec();
    let columns: Vec<String> = (0..5).map(|n| format!("ALTER TABLE team ADD COLUMN upgrade_{n} TEXT;")).collect();
    for (n, step) in columns.iter().enumerate() {
        steps.push(step);
        let now = [|| NOW, || NOW.plus(rapport_types::Duration(1)), || NOW.plus(rapport_types::Duration(2))][n.min(2)];
        let desk = Desk::open_by(Database::sqlite(&file).unwrap(), now, &steps).unwrap();
        made(&desk, &everything(), "contact", json!({ "name": format!("After {n}") }));
    }
    assert_eq!(snapshots(), SNAPSHOTS);
    let newer = Desk::open_file(&file, || NOW).unwrap_err();
    assert!(matches!(newer, RecordsError::Newer { .. }), "{newer}");

    let done = roll_back(&file).unwrap();
    assert_eq!(done.aside, Some(folder.path().join("records.db.old-1")));
    steps.pop();
    let desk = Desk::open_by(Database::sqlite(&file).unwrap(), || NOW, &steps).unwrap();
    let mut names: Vec<String> =
        all(&desk, "contact").iter().map(|record| record.fields["name"].as_str().unwrap().to_owned()).collect();
    names.sort_unstable();
    assert_eq!(names, ["After 0", "After 1", "After 2", "After 3", "Before"]);
    drop(desk);
    // What was put aside is whole.
    steps.push(&columns[4]);
    let aside = Desk::open_by(Database::sqlite(&done.aside.unwrap()).unwrap(), || NOW, &steps).unwrap();
    assert_eq!(all(&aside, "contact").len(), 6);
}
