//! `rapport export-workspace` and `rapport import-workspace`, between both databases; and contents of files on their way.

use std::{
    fs::{self, File},
    path::Path,
    time::{Duration, SystemTime},
};

use rapport_testkit::postgres::Server as Postgres;
use serde_json::{Value, json};

use super::{
    contacts, fill,
    kills::{killed, timed},
    refusal, text, well,
};
use crate::server::{Gate, Server, rapport, run, until};

/// A file of a contact; its id.
pub(crate) fn upload(gate: &Gate, name: &str, content: &[u8]) -> String {
    let made = gate.ask("POST", &format!("/api/v1/files?name={name}"), content).unwrap().good();
    made["id"].as_str().unwrap().to_owned()
}

pub(crate) fn download(gate: &Gate, id: &str) -> Vec<u8> {
    let answer = gate.ask("GET", &format!("/api/v1/files/{id}/content"), b"").unwrap();
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    answer.body
}

/// What the API says of everything that a workspace holds.
fn all(gate: &Gate) -> Vec<(String, Value)> {
    let object = |name: &str| format!("objects/{name}/records?sort=created_at&limit=500&expand=*");
    let mut paths = ["objects", "users", "teams", "views"].map(str::to_owned).to_vec();
    paths.extend(["contact", "deal", "machine", "file", "stage"].map(object));
    paths.push("objects/contact/records?trash=true".to_owned());
    let mut told: Vec<_> =
        paths.into_iter().map(|path| (path.clone(), gate.told(&format!("/api/v1/{path}")))).collect();
    // Passwords do not move, so that whoever had one has none there.
    for user in told[1].1["users"].as_array_mut().unwrap() {
        user.as_object_mut().unwrap().retain(|name, _| !["password", "last_seen"].contains(&name.as_str()));
    }
    told
}

/// An object of its own, records with all that they can have, somebody, a view, a file.
fn furnish(gate: &Gate) -> String {
    let label = |text: &str| json!({"en": text, "zh": text});
    let field = |name: &str, kind: Value| json!({"name": name, "label": label(name), "kind": kind});
    let fields = json!([
        field("name", json!({"type": "text"})),
        field("users_of_it", json!({"type": "relations", "object": "contact"})),
        field("manual", json!({"type": "file"})),
        field("price", json!({"type": "money"})),
    ]);
    let machine = json!({"name": "machine", "label": label("Machine"), "plural": label("Machines"), "title": "name",
        "fields": fields});
    gate.send("PUT", "/api/v1/objects/machine", &machine);
    let team = gate.send("POST", "/api/v1/teams", &json!({"name": "North"}))["id"].clone();
    let fields =
        json!({"name": "王小明", "email": "ming@example.com", "team": team, "tags": ["vip"], "birthday": "1980-02-29"});
    let ming = gate.send("POST", "/api/v1/objects/contact/records", &json!({ "fields": fields }))["id"].clone();
    let file = upload(gate, "plan.pdf", b"%PDF-1.7 a plan");
    let price = json!({"amount": 12.5, "currency": "CNY"});
    let fields = json!({"name": "Press", "users_of_it": [ming], "manual": file, "price": price});
    gate.send("POST", "/api/v1/objects/machine/records", &json!({ "fields": fields }));
    gate.send(
        "POST",
        "/api/v1/objects/deal/records",
        &json!({"fields": {"name": "One", "amount": 3, "contact": ming}}),
    );
    let view = json!({"object": "contact", "name": "VIP", "shared": "all", "definition": {"filter": "\"vip\" in tags", "kind": "table"}});
    gate.ask_as(&ann(gate), "POST", "/api/v1/views", view.to_string().as_bytes()).unwrap().good();
    let gone = gate.send("POST", "/api/v1/objects/contact/records", &json!({"fields": {"name": "Gone"}}))["id"].clone();
    gate.ask("DELETE", &format!("/api/v1/objects/contact/records/{}", gone.as_str().unwrap()), b"").unwrap().good();
    file
}

/// Somebody who was invited and has come: the head of their requests.
fn ann(gate: &Gate) -> String {
    let roles = gate.told("/api/v1/roles")["roles"].clone();
    let role = roles.as_array().unwrap().iter().find(|role| role["administrator"] == true).unwrap()["id"].clone();
    let invitation = json!({"email": "ann@example.com", "role": role, "teams": []});
    let path = gate.send("POST", "/api/v1/invitations", &invitation)["path"].clone();
    let token = path.as_str().unwrap().split_once("token=").unwrap().1;
    let own_page = "X-Rapport-Request: 1\r\n";
    let accepted = json!({"token": token, "name": "Ann", "password": "correct horse battery"}).to_string();
    let answer = gate.ask_as(own_page, "POST", "/api/v1/accept", accepted.as_bytes()).unwrap();
    answer.good();
    let cookie = answer.head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    format!("{own_page}Cookie: {}\r\n", cookie.split(';').next().unwrap())
}

#[test]
fn a_workspace_moves_between_databases_whole() {
    let postgres = Postgres::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let server = Server::start(&path("data"), &[]);
    let file = furnish(&server.gate);
    let there = all(&server.gate);
    let out = path("workspace.zip");
    let export = ["export-workspace", "--to", text(&out)];
    let said = well(&run(&path("data"), &export));
    assert!(said.contains("contents of 1 files"), "{said}");
    assert!(refusal(&run(&path("data"), &export)).contains("is there already"));
    assert!(refusal(&run(&path("nothing"), &["export-workspace", "--to", "x.zip"])).contains("no records"));
    let said = refusal(&run(&path("data"), &["import-workspace", "--from", text(&out)]));
    assert!(said.contains("in use"), "{said}");
    // The door gives the same as the command.
    let sent = server.gate.ask("GET", "/api/v1/workspace", b"").unwrap();
    fs::write(path("sent.zip"), &sent.body).unwrap();
    server.stop();
    let said = refusal(&run(&path("data"), &["import-workspace", "--from", text(&out)]));
    assert!(said.contains("only an installation without records takes a workspace"), "{said}");

    let url = postgres.database("workspace");
    for (target, from, settings) in
        [("file", "sent.zip", &[][..]), ("postgres", "workspace.zip", &[("RAPPORT_RECORDS", url.as_str())][..])]
    {
        let import = rapport(&path(target), &["import-workspace", "--from", text(&path(from))])
            .envs(settings.iter().copied())
            .output()
            .unwrap();
        let said = well(&import);
        assert!(said.contains("counted and found the same"), "{said}");
        let server = Server::start(&path(target), settings);
        for ((path, now), (_, then)) in all(&server.gate).into_iter().zip(&there) {
            assert_eq!(&now, then, "{target} {path}");
        }
        assert_eq!(download(&server.gate, &file), b"%PDF-1.7 a plan");
        until("the search", || {
            let hits = server.gate.told("/api/v1/search?q=ming")["hits"].clone();
            (hits[0]["title"] == "王小明").then_some(())
        });
        server.stop();
    }
    fs::write(path("sent.zip"), &sent.body[..sent.body.len() / 2]).unwrap();
    let said = refusal(&run(&path("half"), &["import-workspace", "--from", text(&path("sent.zip"))]));
    assert!(said.contains("cannot be read as an exported workspace"), "{said}");
}

#[test]
fn an_import_that_is_killed_has_brought_nothing_or_everything() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let server = Server::start(&path("data"), &[]);
    fill(&server.gate, 3_000);
    let file = upload(&server.gate, "large", &vec![b'x'; 8 << 20]);
    let names = contacts(&server.gate);
    server.stop();
    let out = path("workspace.zip");
    well(&run(&path("data"), &["export-workspace", "--to", text(&out)]));
    let import = |data: &Path| rapport(data, &["import-workspace", "--from", text(&out)]);
    let whole = timed(import(&path("scratch")));
    let again = path("again");
    let (kills, output) = killed(|| import(&again), whole, || ());
    // Where a kill came after the end, the next finds everything there.
    assert!(kills > 0, "{whole:?}");
    assert!(output.status.success() || refusal(&output).contains("without records"), "{output:?}");
    let server = Server::start(&again, &[]);
    assert_eq!(contacts(&server.gate), names);
    assert_eq!(download(&server.gate, &file).len(), 8 << 20);
    server.stop();
}

#[test]
fn what_a_kill_leaves_of_files_is_swept_and_what_is_named_stays() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let server = Server::start(data, &[]);
    let file = upload(&server.gate, "kept", b"kept");
    server.kill();
    let files = data.join("files");
    let orphan = files.join("ab").join(format!("ab{}", "0".repeat(62)));
    let (part, fresh) = (files.join("new/part"), files.join("new/fresh"));
    fs::create_dir_all(orphan.parent().unwrap()).unwrap();
    for path in [&orphan, &part, &fresh] {
        fs::write(path, "left").unwrap();
    }
    let long_ago = SystemTime::now() - Duration::from_hours(2);
    for path in [&orphan, &part] {
        File::options().write(true).open(path).unwrap().set_modified(long_ago).unwrap();
    }
    let kept = fs::read_dir(&files)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir() && !path.ends_with("ab") && !path.ends_with("new"));
    for folder in kept {
        for entry in fs::read_dir(folder).unwrap() {
            File::options().write(true).open(entry.unwrap().path()).unwrap().set_modified(long_ago).unwrap();
        }
    }
    let server = Server::start(data, &[]);
    until("the sweep", || (!orphan.exists() && !part.exists()).then_some(()));
    assert!(fresh.exists(), "what may be on its way is left alone");
    assert_eq!(download(&server.gate, &file), b"kept");
    server.stop();
}
