//! `rapport rollback`: back to the snapshot that an upgrade makes.

use std::{fs, path::Path};

use rusqlite::Connection;
use serde_json::json;

use super::{contacts, does_not_serve, make, refusal, well};
use crate::server::{Gate, Server, rapport, run, until};

/// One partition: what is a repeat there is one for all customers.
const SETTINGS: &[(&str, &str)] = &[("RAPPORT_PARTITIONS", "1")];
const ROLLBACK: [&str; 3] = ["rollback", "--partitions", "1"];

/// Makes a contact that is a customer, and waits until the log knows of it.
fn customer(gate: &Gate, id: &str) {
    let fields = json!({"name": id, "customer_id": id, "city": "Köln"});
    gate.send("POST", "/api/v1/objects/contact/records", &json!({ "fields": fields }));
    until("the customer's profile", || {
        let answer = gate.ask("GET", &format!("/v1/customers/user:{id}"), b"").unwrap();
        (answer.status == 200 && answer.json()["attributes"]["city"] == "Köln").then_some(())
    });
}

/// What an upgrade does before it: there is one format so far, so that no upgrade can be had.
fn snapshot(data: &Path) {
    let folder = data.join("snapshots");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("2026-01-01T000000.000-format-1.db");
    let records = Connection::open(data.join("records.db")).unwrap();
    records.execute("VACUUM INTO ?", [file.to_str().unwrap()]).unwrap();
}

#[test]
fn an_upgrade_is_taken_back_and_work_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let server = Server::start(data, SETTINGS);
    customer(&server.gate, "before");
    let said = refusal(&run(data, &ROLLBACK));
    assert!(said.contains("in use"), "the server holds the folder: {said}");
    server.stop();
    let said = refusal(&run(data, &ROLLBACK));
    assert!(said.contains("no snapshot"), "{said}");

    snapshot(data);
    let server = Server::start(data, SETTINGS);
    customer(&server.gate, "vanished");
    server.stop();
    // A later version's format, which this one does not read.
    let records = Connection::open(data.join("records.db")).unwrap();
    records.execute("UPDATE records_format SET format = 2", []).unwrap();
    drop(records);
    let said = does_not_serve(rapport(data, &["serve", "--partitions", "1", "--listen", "127.0.0.1:0"]));
    assert!(said.contains("format 2") && said.contains("install a newer version"), "{said}");

    let said = well(&run(data, &ROLLBACK));
    assert!(said.contains("2026-01-01") && said.contains("records.db.old-1"), "{said}");
    assert!(data.join("records.db.old-1").exists());
    let server = Server::start(data, SETTINGS);
    assert_eq!(contacts(&server.gate).into_iter().collect::<Vec<_>>(), ["before"]);
    // Its change has the place in the feed that the lost one's had; the log must not take it for a repeat of that.
    customer(&server.gate, "after");
    make(&server.gate, &["more".to_owned()]).unwrap().good();
    let hits = until("the search", || {
        let hits = server.gate.told("/api/v1/search?q=after")["hits"].clone();
        (!hits.as_array().unwrap().is_empty()).then_some(hits)
    });
    assert_eq!(hits[0]["title"], "after");
    assert_eq!(server.gate.told("/api/v1/search?q=vanished")["hits"], json!([]));
    server.stop();
}
