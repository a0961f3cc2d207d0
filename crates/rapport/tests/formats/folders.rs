//! Data folders as versions left them: `log.db` of format 1 with `state.db` of formats 1 and 3, profiles of versions 1 and 2,
//! control entries of versions 1 and 2. Each is read by the present program, which answers about every customer as the
//! version answered that wrote it.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    sync::Arc,
};

use flate2::read::GzDecoder;
use rapport_engine::{Engine, EngineOptions};
use rapport_store::SqliteStore;
use rapport_stream::{Append, Log as _, SqliteLog, SqliteLogOptions};
use rapport_types::{Offset, PartitionId, Timestamp};
use rusqlite::{Connection, params};
use serde_json::Value;

use super::{
    checkpoint::Nobody,
    path,
    server::{Gate, Server, run},
};

/// The folders, with the formats of state.db and of its profiles. The first is of commit 642d391, its control entries have
/// version 1; the second of eac3e46; the third of the commit that brought the folder.
const FOLDERS: [(&str, u32, u8); 3] = [("1-1", 1, 1), ("1-2", 1, 2), ("3-2", 3, 2)];
/// The one that the present writer must still write.
const PRESENT: &str = "3-2";
const PARTITIONS: u32 = 2;

fn unpacked(folder: &str, name: &str) -> Vec<u8> {
    let file = std::fs::File::open(path(&format!("data-{folder}")).join(format!("{name}.gz"))).unwrap();
    let mut bytes = Vec::new();
    GzDecoder::new(file).read_to_end(&mut bytes).unwrap();
    bytes
}

fn folder(which: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["log.db", "state.db"] {
        std::fs::write(folder.path().join(name), unpacked(which, name)).unwrap();
    }
    folder
}

fn get(gate: &Gate, path: &str) -> Value {
    let mut stream = TcpStream::connect(&gate.address).unwrap();
    let head = "HTTP/1.1\r\nHost: rapport\r\nConnection: close\r\n";
    write!(stream, "GET {path} {head}Authorization: Bearer {}\r\n\r\n", gate.api_key).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

/// What is compared of an answer about a customer: all but places in the log, and what a sum in another order changes in the
/// last digits.
fn comparable(customer: &Value) -> Value {
    let mut customer = customer.clone();
    customer.as_object_mut().unwrap().remove("position");
    for score in customer["scores"].as_array_mut().unwrap() {
        let fields = score.as_object_mut().unwrap();
        let value = fields["value"].as_f64().unwrap();
        let kept = ["name", "model_version"].map(|name| (name.to_owned(), fields[name].clone()));
        *score = Value::Object(kept.into_iter().collect());
        score["value"] = format!("{value:.9}").into();
    }
    customer
}

/// The format of the database, and the version in the first profile's row.
fn formats(state: &Path) -> (u32, u8) {
    let connection = Connection::open(state).unwrap();
    let format = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    let query = "SELECT row FROM checkpoint_row WHERE key >= 0 LIMIT 1";
    let row: Vec<u8> = connection.query_row(query, [], |row| row.get(0)).unwrap();
    // The version stands before the profile, which begins with its primary id as the row does: kind, length, text.
    let id = &row[..2 + row[1] as usize];
    let second = (1..row.len()).find(|at| row[*at..].starts_with(id)).unwrap();
    (format, row[second - 1])
}

#[test]
fn what_every_version_left_is_read_as_what_it_was() {
    for (which, format, profiles) in FOLDERS {
        let folder = folder(which);
        assert_eq!(formats(&folder.path().join("state.db")), (format, profiles), "{which} is what it says");
        let held: Value = serde_json::from_slice(&unpacked(which, "held.json")).unwrap();
        let server = Server::start(folder.path(), &[("RAPPORT_PARTITIONS", "2")]);
        let customers = held["customers"].as_array().unwrap();
        assert_eq!((get(&server.gate, "/v1/customers")["total"].as_u64(), customers.len()), (Some(36), 36), "{which}");
        assert_eq!(get(&server.gate, "/v1/ledger")["total"], held["ledger"], "{which}");
        for customer in customers {
            let found = get(&server.gate, &format!("/v1/customers/{}", customer["id"].as_str().unwrap()));
            assert_eq!(comparable(&found), comparable(customer), "{which}");
        }
        let model = &get(&server.gate, "/v1/models")["models"][0];
        assert_eq!((&model["version"], &model["active"]), (&1.into(), &true.into()), "{which}: {model}");
        server.stop();
        // A profile of version 2 stays as it is until it changes.
        let (format, profile) = formats(&folder.path().join("state.db"));
        assert!(format == 3 && (profile == 3 || profile == profiles && profiles == 2), "{which}: {format}, {profile}");
        let state = |more: &[&str]| -> Value {
            let output = run(folder.path(), &[&["state", "--digest", "--json", "--partitions", "2"], more].concat());
            serde_json::from_slice(&output.stdout).unwrap()
        };
        assert_eq!(state(&[])["digest"], state(&["--rebuild"])["digest"], "{which}");
    }
}

fn open(folder: &Path) -> SqliteLog {
    SqliteLog::open(folder, SqliteLogOptions { partitions: PARTITIONS, ..SqliteLogOptions::default() }).unwrap()
}

/// All rows of the log by their place: how many entries, the checksum of the row before, the checksum, the bytes.
type Rows = BTreeMap<i64, (u32, u32, u32, Vec<u8>)>;

fn rows(folder: &Path) -> (String, u32, Vec<u8>, Rows) {
    let connection = Connection::open(folder.join("log.db")).unwrap();
    let schema = "SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_schema ORDER BY name)";
    let schema = connection.query_row(schema, [], |row| row.get(0)).unwrap();
    let format = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    let id = connection.query_row("SELECT value FROM about WHERE key = 'id'", [], |row| row.get(0)).unwrap();
    let mut query = connection.prepare("SELECT place, count, previous_crc32, crc32, bytes FROM row").unwrap();
    let of = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)));
    let rows = query.query_map([], of).unwrap().collect::<Result<Rows, _>>().unwrap();
    (schema, format, id, rows)
}

/// The checksum as format 1 has it: CRC-32 over the log's id, the row's place and numbers, and its bytes.
fn checksum(folder: &Path, place: i64, id: &[u8]) -> u32 {
    let connection = Connection::open(folder.join("log.db")).unwrap();
    let query = "SELECT count, appended_at, previous_crc32, bytes FROM row WHERE place = ?";
    let of = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
    let (count, at, previous, bytes): (u32, i64, u32, Vec<u8>) = connection.query_row(query, [place], of).unwrap();
    let (partition, base) = ((place >> 48) as u32, place as u64 & ((1 << 48) - 1));
    let mut hasher = flate2::Crc::new();
    hasher.update(id);
    hasher.update(&partition.to_le_bytes());
    hasher.update(&base.to_le_bytes());
    hasher.update(&count.to_le_bytes());
    hasher.update(&at.to_le_bytes());
    hasher.update(&previous.to_le_bytes());
    hasher.update(&bytes);
    hasher.sum()
}

/// Ids, times and the checksums over them differ from log to log; everything else is what format 1 says.
#[test]
fn the_log_is_still_written_in_its_format() {
    let (old, new) = (folder(PRESENT), tempfile::tempdir().unwrap());
    let (reader, writer) = (open(old.path()), open(new.path()));
    let (_, _, _, held) = rows(old.path());
    for (place, (count, ..)) in &held {
        let (partition, base) = (PartitionId((place >> 48) as u32), Offset(*place as u64 & ((1 << 48) - 1)));
        let records = reader.read(partition, base, usize::MAX).unwrap();
        let entries = records.iter().take(*count as usize).map(|record| (partition, record.bytes.to_vec())).collect();
        writer.append(Append { entries }).unwrap().wait().unwrap();
    }
    assert_eq!(reader.verify().unwrap(), writer.verify().unwrap());
    drop((reader, writer));
    let (old_rows, new_rows) = (rows(old.path()), rows(new.path()));
    assert_eq!((old_rows.0, old_rows.1), (new_rows.0, new_rows.1), "schema and format");
    assert!(held.len() > 400, "{}", held.len());
    let mut previous = BTreeMap::new();
    for ((place, old_row), (new_place, new_row)) in old_rows.3.iter().zip(&new_rows.3) {
        assert_eq!((place, old_row.0, &old_row.3), (new_place, new_row.0, &new_row.3));
        for (which, row, folder, id) in [(0, old_row, &old, &old_rows.2), (1, new_row, &new, &new_rows.2)] {
            assert_eq!(row.2, checksum(folder.path(), *place, id), "{place}");
            let before = previous.insert((which, place >> 48), row.2).unwrap_or(0);
            assert_eq!(row.1, before, "{place} chains to the row before");
        }
    }
    assert_eq!(old_rows.3.len(), new_rows.3.len());
}

/// The one sentence with which `rapport state` refuses a folder.
fn refusal(folder: &Path) -> String {
    let output = run(folder, &["state", "--partitions", "2"]);
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_newer_format_is_refused_with_a_sentence() {
    let later = |file: &str, sql: &str| {
        let folder = folder(PRESENT);
        Connection::open(folder.path().join(file)).unwrap().execute_batch(sql).unwrap();
        refusal(folder.path())
    };
    let said = later("log.db", "PRAGMA user_version = 2");
    assert!(said.contains("format 2") && said.contains("use a newer Rapport"), "{said}");
    let said = later("state.db", "PRAGMA user_version = 9");
    assert!(said.contains("format 9") && said.contains("install a newer version"), "{said}");
    let folder = folder(PRESENT);
    let log = open(folder.path());
    log.append(Append::one(PartitionId(1), vec![2, 0, 6, 1])).unwrap().wait().unwrap();
    drop(log);
    let said = refusal(folder.path());
    assert!(said.contains("entry format 2") && said.contains("install the version that wrote it"), "{said}");
}

/// The control entries of version 1 alone: without profiles, which would be made anew from the log with everything else.
#[test]
fn control_entries_of_version_1_are_read() {
    let folder = folder("1-1");
    let connection = Connection::open(folder.path().join("state.db")).unwrap();
    let meta: Vec<u8> = connection.query_row("SELECT meta FROM checkpoint", [], |row| row.get(0)).unwrap();
    assert!(meta[0] < 2, "version 1 had no byte of its own: {}", meta[0]);
    connection.execute("DELETE FROM checkpoint_row", []).unwrap();
    drop(connection);
    let (log, store) = (Arc::new(open(folder.path())), Arc::new(SqliteStore::open(folder.path()).unwrap()));
    let engine = Engine::start(log, store, Arc::new(Nobody), EngineOptions::default()).unwrap();
    let reader = engine.reader();
    assert_eq!((reader.champion("repeat_purchase"), reader.challenger("repeat_purchase")), (Some(1), None));
    assert_eq!(reader.definitions().unwrap().0, 1);
    assert_eq!(
        engine.facts().partitions.iter().map(|partition| partition.profiles).sum::<u64>(),
        0,
        "nothing was rebuilt"
    );
}

/// A state of format 1 knew no checksums; they come with the next write of a row.
#[test]
fn a_state_of_format_1_gets_checksums_as_it_is_written() {
    let folder = folder("1-2");
    let log = open(folder.path());
    let tick = rapport_types::Entry::Tick(Timestamp(1)).encode();
    let both = (0..PARTITIONS).map(|partition| (PartitionId(partition), tick.clone())).collect();
    log.append(Append { entries: both }).unwrap().wait().unwrap();
    drop(log);
    assert!(run(folder.path(), &["state", "--partitions", "2"]).status.success());
    let connection = Connection::open(folder.path().join("state.db")).unwrap();
    let query = "SELECT count(*) FROM checkpoint WHERE crc32 IS NOT NULL AND rows = ?";
    let rows = "SELECT count(*) FROM checkpoint_row WHERE partition = 0";
    let rows: u64 = connection.query_row(rows, [], |row| row.get(0)).unwrap();
    let sealed: u64 = connection.query_row(query, params![rows], |row| row.get(0)).unwrap();
    assert!(sealed >= 1, "partition 0 has {rows} rows");
}
