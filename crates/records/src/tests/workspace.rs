//! A workspace that goes out of one installation and comes into another that was in use already.

use std::io::{Cursor, Read as _, Write as _};

use serde_json::{Value, json};
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

use super::{NOW, everything, fields, made, on_both};
use crate::{Desk, Edit, Id, ListQuery, RecordsError, export::Manifest, schema::Object};

const KEY: &str = "rk_the-installations-own";

/// What a small installation in a file holds once it is filled.
fn exported(fill: impl FnOnce(&Desk)) -> (Vec<u8>, Manifest) {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open_file(&folder.path().join("records.db"), || NOW).unwrap();
    desk.set_files(&folder.path().join("files")).unwrap();
    fill(&desk);
    let mut out = Vec::new();
    let manifest = desk.export_workspace(&everything(), &mut out, &mut |_, _| ()).unwrap();
    (out, manifest)
}

/// Runs a case on a new installation on either database, which was started before.
fn on_served(case: impl Fn(&Desk)) {
    on_both(|desk| {
        let folder = tempfile::tempdir().unwrap();
        desk.set_files(folder.path()).unwrap();
        desk.adopt_key("local", KEY).unwrap();
        case(desk);
    });
}

fn restore(desk: &Desk, file: &[u8]) -> Result<Manifest, RecordsError> {
    desk.restore_workspace(Cursor::new(file), &mut |_, _| ())
}

fn rows(desk: &Desk, table: &str) -> i64 {
    desk.read(|_, tx| tx.query_sql(&format!("SELECT count(*) FROM {table}"), &[])?[0].int(0)).unwrap()
}

/// An object with a choice; the first option is labelled as the second is called.
fn lamp(options: &[&str]) -> Object {
    let option = |value: &&str| {
        let label = if *value == "first" { "second" } else { value };
        json!({ "value": value, "label": { "en": label, "zh": label } })
    };
    let options: Vec<Value> = options.iter().map(option).collect();
    let field = |name: &str, kind: Value| json!({ "name": name, "label": { "en": name, "zh": name }, "kind": kind });
    let lamp = json!({
        "name": "lamp", "label": { "en": "Lamp", "zh": "灯" }, "plural": { "en": "Lamps", "zh": "灯" }, "title": "name",
        "fields": [
            field("name", json!({ "type": "text" })),
            field("state", json!({ "type": "choice", "options": options })),
            field("states", json!({ "type": "multi_choice", "options": options })),
        ],
    });
    serde_json::from_value(lamp).unwrap()
}

#[test]
fn who_was_let_in_before_is_not_and_the_installations_own_key_comes_again() {
    let (file, _) = exported(|desk| {
        made(desk, &everything(), "company", json!({ "name": "Acme" }));
    });
    on_served(|desk| {
        for (table, columns) in [
            (
                "sign_on",
                "(id, person, provider, issuer, subject, linked_at, used_at) VALUES (1, 2, 'p', 'i', 's', 0, 0)",
            ),
            ("session", "(secret_hash, id, person, since, ends_at, seen_at) VALUES ('', 1, 2, 0, 0, 0)"),
            ("recovery_code", "(person, code_hash) VALUES (2, '')"),
            ("link", "(token_hash, id, kind, made_by, made_at, ends_at) VALUES ('', 1, 'invitation', '', 0, 0)"),
        ] {
            desk.write(|_, tx| tx.script(&format!("INSERT INTO {table} {columns}"))).unwrap();
        }
        restore(desk, &file).unwrap();
        for table in ["api_key", "sign_on", "session", "recovery_code", "link"] {
            assert_eq!(rows(desk, table), 0, "{table}");
        }
        // As at the next start.
        desk.adopt_key("local", KEY).unwrap();
        assert!(desk.access_of_key(KEY).unwrap().unwrap().is_administrator());
    });
}

#[test]
fn what_was_let_in_once_comes_back_though_it_would_be_refused_today() {
    let (file, _) = exported(|desk| {
        desk.define(&everything(), lamp(&["first", "second", "old"])).unwrap();
        made(desk, &everything(), "lamp", json!({ "name": "a", "state": "old", "states": ["old", "second"] }));
        made(desk, &everything(), "lamp", json!({ "name": "b", "state": "second" }));
        desk.define(&everything(), lamp(&["first", "second"])).unwrap();
    });
    on_served(|desk| {
        restore(desk, &file).unwrap();
        let query = ListQuery { limit: 9, sort: Some("name".to_owned()), ..ListQuery::default() };
        let lamps = desk.list(&everything(), "lamp", &query).unwrap().records;
        assert_eq!((&lamps[0].fields["state"], &lamps[0].fields["states"]), (&json!("old"), &json!(["old", "second"])));
        assert_eq!(lamps[1].fields["state"], json!("second"), "what is stored comes before what it is labelled");
    });
}

#[test]
fn records_of_an_object_that_nobody_knows_are_refused() {
    let (file, manifest) = exported(|desk| {
        desk.define(&everything(), lamp(&["first"])).unwrap();
        made(desk, &everything(), "lamp", json!({ "name": "a" }));
    });
    let mut manifest = serde_json::to_value(manifest).unwrap();
    manifest["counts"]["object_definition.jsonl"] = json!(0);
    let mut zip = ZipArchive::new(Cursor::new(file)).unwrap();
    let mut changed = ZipWriter::new(Cursor::new(Vec::new()));
    for place in 0..zip.len() {
        let mut entry = zip.by_index(place).unwrap();
        let name = entry.name().unwrap().into_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        changed.start_file(&name, SimpleFileOptions::default()).unwrap();
        let manifest = serde_json::to_vec(&manifest).unwrap();
        changed.write_all(if name == "rapport.json" { &manifest } else { &content }).unwrap();
    }
    let changed = changed.finish().unwrap().into_inner();
    on_served(|desk| {
        let refused = restore(desk, &changed).unwrap_err().to_string();
        assert!(refused.contains("records/lamp.jsonl"), "{refused}");
    });
}

#[test]
fn what_lies_in_the_trash_is_like_nothing_and_goes_without_a_trace() {
    let (file, _) = exported(|desk| {
        let ann = made(desk, &everything(), "contact", json!({ "name": "Ann Lee", "email": "ann@example.com" }));
        made(desk, &everything(), "contact", json!({ "name": "Anne Lee", "email": "ann@example.com" }));
        desk.edit(&everything(), "contact", &[Edit::Delete { id: ann.id, version: None }], None).unwrap();
    });
    on_served(|desk| {
        restore(desk, &file).unwrap();
        let query = ListQuery { limit: 9, trash: true, ..ListQuery::default() };
        let gone = desk.list(&everything(), "contact", &query).unwrap().records.remove(0);
        let keys = |id: Id| rows(desk, &format!("match_key WHERE record = {}", id.0));
        assert_eq!(keys(gone.id), 0);
        assert!(rows(desk, "match_key") > 0);
        desk.empty_trash(&everything(), "contact").unwrap();
        while desk.find_duplicates(500).unwrap() > 0 {}
        assert!(desk.duplicates(&everything(), "contact", 9).unwrap().is_empty());
    });
}

#[test]
fn contents_that_are_lost_are_named() {
    let (file, manifest) = exported(|desk| {
        let about = |name: &str| fields(json!({ "name": name }));
        let upload = |name: &str| {
            let file = desk.upload_file(&everything(), &about(name), &mut Cursor::new(name), 100).unwrap().unwrap();
            file.fields["hash"].as_str().unwrap().to_owned()
        };
        upload("kept");
        let hash = upload("lost");
        std::fs::remove_file(desk.files().unwrap().join(&hash[..2]).join(hash)).unwrap();
    });
    // SHA-256, as any tool computes it.
    let lost = "76f75e6129fe30135bd44d80ab7cc46fdba81907758dc808f3e2517beef2b1e9";
    assert_eq!((manifest.files, &manifest.missing[..]), (1, &[lost.to_owned()][..]));
    on_served(|desk| assert_eq!(restore(desk, &file).unwrap(), manifest));
}
