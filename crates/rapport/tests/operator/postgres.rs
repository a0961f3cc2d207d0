//! An installation whose records are in PostgreSQL: how it comes there, works, is backed up and comes back.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use rapport_testkit::postgres::Server as Postgres;
use serde_json::{Value, json};

use super::{
    contacts, does_not_serve, fill,
    kills::{killed, timed},
    make, refusal, text, well,
};
use crate::server::{Gate, Server, rapport, run, until};

/// The program with its records in a database.
fn on(url: &str, data: &Path, arguments: &[&str]) -> Command {
    let mut command = rapport(data, arguments);
    command.env("RAPPORT_RECORDS", url);
    command
}

fn run_on(url: &str, data: &Path, arguments: &[&str]) -> Output {
    on(url, data, arguments).output().unwrap()
}

fn start(url: &str, data: &Path) -> Server {
    Server::start(data, &[("RAPPORT_RECORDS", url)])
}

/// The lines of tables that `rapport migrate` prints: rows and checksum by table.
fn tables(said: &str) -> Vec<(String, u64, String)> {
    let line = |line: &str| {
        let parts: Vec<&str> = line.split_whitespace().collect();
        let [rows, table, checksum] = parts[..] else { return None };
        Some((table.to_owned(), rows.parse().ok()?, checksum.to_owned()))
    };
    said.lines().filter_map(line).collect()
}

/// Everything that the pages do, by its doors.
fn works(gate: &Gate) {
    let records = "/api/v1/objects/contact/records";
    let fields = json!({"name": "Ann", "email": "ann@example.com", "tags": ["vip"], "marketing_consent": true,
        "birthday": "1980-02-29", "address": {"city": "Köln"}, "customer_id": "ann"});
    let ann = gate.send("POST", records, &json!({ "fields": fields }));
    let id = ann["id"].as_str().unwrap();
    let changed = gate.send("PATCH", &format!("{records}/{id}"), &json!({"fields": {"city": "Bonn"}}));
    assert_eq!((changed["version"].as_i64(), &changed["fields"]["city"]), (Some(2), &json!("Bonn")));
    let deal = json!({"name": "One", "amount": {"amount": 12.34, "currency": "USD"}, "contact": id, "contacts": [id]});
    gate.send("POST", "/api/v1/objects/deal/records", &json!({ "fields": deal }));
    let board = gate.told("/api/v1/objects/deal/board?group=stage&sum=amount");
    assert_eq!(board["columns"][0]["count"], 1, "{board}");
    let list = gate.told(&format!("{records}?filter=city%20%3D%3D%20%22Bonn%22&sort=-name&count=true"));
    assert_eq!(list["total"], 1, "{list}");
    assert_eq!(gate.told(&format!("{records}/{id}/history"))["changes"].as_array().unwrap().len(), 2);
    until("the search", || {
        let hits = gate.told("/api/v1/search?q=ann%40example.com")["hits"].clone();
        (hits[0]["id"] == id).then_some(())
    });
    until("the customer's profile", || {
        let answer = gate.ask("GET", "/v1/customers/user:ann", b"").unwrap();
        (answer.status == 200 && answer.json()["attributes"]["city"] == "Bonn").then_some(())
    });
    let some: Vec<String> = (0..3).map(|n| format!("Some {n}")).collect();
    let batch = make(gate, &some).unwrap().good()["batch"].clone();
    let undone = gate.send("POST", &format!("/api/v1/batches/{}/undo", batch.as_str().unwrap()), &Value::Null);
    assert_eq!(undone["undone"], 3);
    imports(gate);
    let audit = gate.told("/api/v1/audit?limit=500");
    assert!(audit["changes"].as_array().unwrap().len() > 10);
}

fn imports(gate: &Gate) {
    let file = "name,email\nBob,bob@example.com\nEve,eve@example.com\n";
    let import = gate.ask("POST", "/api/v1/imports?object=contact&name=a.csv", file.as_bytes()).unwrap().good();
    let path = format!("/api/v1/imports/{}", import["id"].as_str().unwrap());
    gate.send("POST", &format!("{path}/start"), &Value::Null);
    let done = until("the import", || Some(gate.told(&path)).filter(|import| import["state"] != "running"));
    assert_eq!((&done["state"], &done["created"]), (&json!("done"), &json!(2)), "{done}");
}

#[test]
fn a_server_on_postgresql_is_backed_up_and_restored_there_or_into_a_file() {
    let postgres = Postgres::start().unwrap();
    let (url, other) = (postgres.database("records"), postgres.database("other"));
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (data, copy) = (path("data"), path("copy"));
    let server = start(&url, &data);
    works(&server.gate);
    let link = well(&run_on(&url, &data, &["link"]));
    assert!(link.contains("/signin?token="), "{link}");
    server.kill();
    let server = start(&url, &data);
    assert!(!data.join("records.db").exists());
    let names = contacts(&server.gate);
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["Ann", "Bob", "Eve"]);

    well(&run_on(&url, &data, &["backup", "--to", text(&copy)]));
    make(&server.gate, &["Late".to_owned()]).unwrap().good();
    let names = ["Ann", "Bob", "Eve"];
    let said = well(&run(&path("never"), &["restore", "--from", text(&copy), "--verify"]));
    assert!(said.contains("is whole"), "{said}");
    // An empty database takes it; one that holds something else does not, and stays as it is.
    let said = refusal(&run_on(&url, &path("again"), &["restore", "--from", text(&copy)]));
    assert!(said.contains("not empty"), "{said}");
    well(&run_on(&other, &path("again"), &["restore", "--from", text(&copy)]));
    well(&run(&path("file"), &["restore", "--from", text(&copy)]));
    assert!(!path("again/records.db").exists() && path("file/records.db").exists());
    let restored = start(&other, &path("again"));
    assert_eq!(contacts(&restored.gate).into_iter().collect::<Vec<_>>(), names);
    works_on(&restored.gate);
    restored.stop();
    let restored = Server::start(&path("file"), &[]);
    assert_eq!(contacts(&restored.gate).into_iter().collect::<Vec<_>>(), names);
    works_on(&restored.gate);
    restored.stop();
    assert_eq!(contacts(&server.gate).len(), 4);
    server.stop();
}

/// What was restored takes more, and finds it.
fn works_on(gate: &Gate) {
    make(gate, &["Zoe".to_owned()]).unwrap().good();
    until("the search", || {
        let hits = gate.told("/api/v1/search?q=zoe")["hits"].clone();
        (hits[0]["title"] == "Zoe").then_some(())
    });
}

#[test]
fn a_restore_into_postgresql_that_was_killed_is_ended_by_the_next() {
    let postgres = Postgres::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (copy, again) = (path("copy"), path("again"));
    let server = Server::start(&path("data"), &[]);
    fill(&server.gate, 3_000);
    let names = contacts(&server.gate);
    server.stop();
    well(&run(&path("data"), &["backup", "--to", text(&copy)]));
    let restore = |url: &str, data: &Path| on(url, data, &["restore", "--from", text(&copy)]);
    let whole = timed(restore(&postgres.database("scratch"), &path("scratch")));
    let url = postgres.database("again");
    let (kills, output) = killed(
        || restore(&url, &again),
        whole,
        || {
            assert!(!again.join("log.db").exists() || !again.join("records.db").exists(), "a mixture");
        },
    );
    assert!(kills > 0 && (output.status.success() || again.exists()), "{output:?}");
    let server = start(&url, &again);
    assert_eq!(contacts(&server.gate), names);
    server.stop();

    // Killed between its two steps: the database is filled, the folder has no name yet.
    let url = postgres.database("between");
    let between = path("between");
    well(&restore(&url, &between).output().unwrap());
    fs::rename(&between, path("between.rapport-partial")).unwrap();
    let said = does_not_serve(on(&url, &between, &["serve", "--listen", "127.0.0.1:0"]));
    assert!(said.contains("did not end"), "{said}");
    let said = well(&restore(&url, &between).output().unwrap());
    assert!(said.contains("earlier try"), "{said}");
    let server = start(&url, &between);
    assert_eq!(contacts(&server.gate), names);
    server.stop();
}

#[test]
fn records_move_to_postgresql_whole_however_often_the_command_is_killed() {
    let postgres = Postgres::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data, &[]);
    works(&server.gate);
    fill(&server.gate, 3_000);
    let names = contacts(&server.gate);
    let url = postgres.database("moved");
    let said = refusal(&run(&data, &["migrate", "--to", &url]));
    assert!(said.contains("in use"), "the server holds the folder: {said}");
    server.stop();

    let migrate = |url: &str| rapport(&data, &["migrate", "--to", url]);
    let whole = timed(migrate(&postgres.database("scratch")));
    let (kills, output) = killed(|| migrate(&url), whole, || ());
    assert!(kills > 0, "{whole:?}");
    let said = well(&output);
    let told = tables(&said);
    let contact = told.iter().find(|(table, ..)| table == "o_contact").unwrap();
    // Three that were undone lie in the trash.
    assert_eq!(contact.1, names.len() as u64 + 3, "{said}");
    let rows: u64 = told.iter().map(|(_, rows, _)| rows).sum();
    assert!(said.contains(&format!("{rows} rows of")), "{said}");
    assert_eq!(tables(&well(&migrate(&url).output().unwrap())), told, "once more changes nothing");

    let server = start(&url, &data);
    assert_eq!(contacts(&server.gate), names);
    works_on(&server.gate);
    server.stop();
    // Now both are different, and neither is overwritten.
    let said = refusal(&run(&data, &["migrate", "--to", &url]));
    assert!(said.contains("not empty"), "{said}");
    let server = Server::start(&data, &[]);
    assert_eq!(contacts(&server.gate), names, "the file stays as it is");
    server.stop();
    let said = refusal(&run_on(&url, &data, &["migrate", "--to", &url]));
    assert!(said.contains("the records are in PostgreSQL"), "{said}");
    let said = refusal(&run_on(&url, &data, &["rollback"]));
    assert!(said.contains("the records are in PostgreSQL"), "{said}");
}
