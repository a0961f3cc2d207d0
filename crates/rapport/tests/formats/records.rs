//! `records.db` as versions left it: opened by the present program, which answers about everything in it as the version did that
//! wrote it, and works on with it.

use std::{collections::BTreeMap, io::Read as _, path::Path};

use flate2::read::GzDecoder;
use rusqlite::Connection;
use serde_json::{Value, json};

use super::{path, server::Server};

/// The folders, with the format of the database in each.
const FOLDERS: [(&str, i64); 1] = [("records-1", 1)];
/// The format that the present program brings them to.
const PRESENT: i64 = 1;

fn unpacked(folder: &str, name: &str) -> Vec<u8> {
    let file = std::fs::File::open(path(folder).join(format!("{name}.gz"))).unwrap();
    let mut bytes = Vec::new();
    GzDecoder::new(file).read_to_end(&mut bytes).unwrap();
    bytes
}

fn format_of(data: &Path) -> i64 {
    let records = Connection::open(data.join("records.db")).unwrap();
    records.query_row("SELECT format FROM records_format", [], |row| row.get(0)).unwrap()
}

/// What is compared of an answer: all but what the program has learned to add since, and what this start itself has changed.
fn assert_same(path: &str, now: &Value, then: &Value) {
    match (now, then) {
        (Value::Object(now), Value::Object(then)) => {
            for (name, value) in then {
                let found = now.get(name).unwrap_or_else(|| panic!("{path}: {name} is gone from {now:?}"));
                assert_same(&format!("{path}.{name}"), found, value);
            }
        }
        (Value::Array(now), Value::Array(then)) => {
            assert_eq!(now.len(), then.len(), "{path}");
            now.iter().zip(then).for_each(|(now, then)| assert_same(path, now, then));
        }
        _ => assert_eq!(now, then, "{path}"),
    }
}

/// Lines of the audit that were there when the database was put away: a start makes keys anew.
fn until(seq: i64, mut audit: Value) -> Value {
    audit["changes"].as_array_mut().unwrap().retain(|change| change["seq"].as_i64().unwrap() <= seq);
    audit
}

/// How the tables beside those of the objects, and their indexes, are made.
fn tables_of(data: &Path) -> BTreeMap<String, String> {
    let records = Connection::open(data.join("records.db")).unwrap();
    let sql = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND tbl_name NOT LIKE 'o\\_%' ESCAPE '\\' \
               AND tbl_name NOT LIKE 'sqlite%'";
    let mut tables = records.prepare(sql).unwrap();
    let rows = tables.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// Until a format is released its migration may still change; what is put away here must be what it makes now.
#[test]
fn what_is_put_away_of_the_present_format_is_what_a_new_database_has() {
    let folder = FOLDERS.iter().find(|(_, format)| *format == PRESENT).unwrap().0;
    let (put_away, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(put_away.path().join("records.db"), unpacked(folder, "records.db")).unwrap();
    Server::start(new.path(), &[("RAPPORT_PARTITIONS", "1")]).stop();
    let tables = tables_of(new.path());
    assert!(tables.contains_key("person") && tables.contains_key("change_by_record"), "{tables:?}");
    assert_eq!(tables_of(put_away.path()), tables);
}

#[test]
fn records_of_every_version_are_answered_as_that_version_did() {
    for (folder, format) in FOLDERS {
        let data = tempfile::tempdir().unwrap();
        std::fs::write(data.path().join("records.db"), unpacked(folder, "records.db")).unwrap();
        assert_eq!(format_of(data.path()), format, "{folder} is what it says");
        let answers: Value = serde_json::from_slice(&unpacked(folder, "answers.json")).unwrap();
        let answers = answers.as_object().unwrap();
        assert!(answers.len() > 10);
        let server = Server::start(data.path(), &[("RAPPORT_PARTITIONS", "1")]);
        for (path, then) in answers {
            let now = server.gate.told(&format!("/api/v1/{path}"));
            let audited = path.starts_with("audit");
            let newest = then["changes"][0]["seq"].as_i64().unwrap_or(0);
            assert_same(path, &if audited { until(newest, now) } else { now }, then);
        }
        let eve = json!({"email": "eve@example.com", "password": "correct horse battery"}).to_string();
        let own_page = "X-Rapport-Request: 1\r\n";
        let answer = server.gate.ask_as(own_page, "POST", "/api/v1/sign-in", eve.as_bytes()).unwrap();
        assert_eq!(answer.good()["name"], "Eve", "passwords still let in");
        let fields = json!({"fields": {"name": "New", "serial": "N-1", "state": "new"}});
        server.gate.send("POST", "/api/v1/objects/machine/records", &fields);
        server.stop();
        assert_eq!(format_of(data.path()), PRESENT, "{folder} was brought up to date");
    }
}
