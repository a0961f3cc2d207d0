//! `rapport backup` while a server is at work, and `rapport restore`.

use std::{fs, path::Path, sync::atomic::AtomicBool, sync::atomic::Ordering, thread};

use parking_lot::{Condvar, Mutex};
use serde_json::{Value, json};

use super::{
    contacts, files, fill, make, refusal, text, well,
    workspace::{download, upload},
};
use crate::server::{Gate, Server, run, state, until};

/// Contacts of one request, and events of one.
const CONTACTS: usize = 5;
const EVENTS: usize = 20;

/// What writers were told.
#[derive(Default)]
struct Acknowledged {
    so_far: Mutex<(Vec<String>, usize)>,
    /// Files by their ids, with their contents.
    files: Mutex<Vec<(String, String)>>,
    grown: Condvar,
    stop: AtomicBool,
}

impl Acknowledged {
    fn write_contacts(&self, gate: &Gate, writer: usize) {
        let mut turn = 0;
        while !self.stop.load(Ordering::Relaxed) {
            let names: Vec<String> = (0..CONTACTS).map(|n| format!("W{writer}-{turn}-{n}")).collect();
            make(gate, &names).unwrap().good();
            self.so_far.lock().0.extend(names);
            self.grown.notify_all();
            turn += 1;
        }
    }

    fn write_events(&self, gate: &Gate) {
        let mut turn = 0;
        while !self.stop.load(Ordering::Relaxed) {
            let event = |n: usize| {
                json!({"type": "track", "messageId": format!("m{turn}-{n}"), "userId": format!("u{}", n % 7),
                    "event": "Order Completed", "properties": {"total": n}})
            };
            let batch: Vec<Value> = (0..EVENTS).map(event).collect();
            let body = json!({"writeKey": gate.write_key, "batch": batch}).to_string();
            gate.ask_as("", "POST", "/v1/batch", body.as_bytes()).unwrap().good();
            self.so_far.lock().1 += EVENTS;
            self.grown.notify_all();
            turn += 1;
        }
    }

    fn write_files(&self, gate: &Gate) {
        let mut turn = 0;
        while !self.stop.load(Ordering::Relaxed) {
            let content = format!("content {}", turn / 2);
            let id = upload(gate, "file", content.as_bytes());
            self.files.lock().push((id, content));
            turn += 1;
        }
    }

    /// Waits until this much more was acknowledged; all of it.
    fn after(&self, contacts: usize, events: usize) -> (Vec<String>, usize) {
        let mut so_far = self.so_far.lock();
        let wanted = (so_far.0.len() + contacts, so_far.1 + events);
        while so_far.0.len() < wanted.0 || so_far.1 < wanted.1 {
            let late = self.grown.wait_for(&mut so_far, std::time::Duration::from_mins(1)).timed_out();
            assert!(!late, "nothing is acknowledged any more");
        }
        so_far.clone()
    }
}

#[test]
fn a_backup_under_load_holds_all_that_was_acknowledged_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let (data, copy, again) = (folder.path().join("data"), folder.path().join("copy"), folder.path().join("again"));
    let server = Server::start(&data, &[]);
    let acknowledged = Acknowledged::default();
    let (before, events, uploaded) = thread::scope(|scope| {
        let gate = &server.gate;
        scope.spawn(|| acknowledged.write_contacts(gate, 0));
        scope.spawn(|| acknowledged.write_contacts(gate, 1));
        scope.spawn(|| acknowledged.write_events(gate));
        scope.spawn(|| acknowledged.write_files(gate));
        let (before, events) = acknowledged.after(10 * CONTACTS, 10 * EVENTS);
        let files = acknowledged.files.lock().clone();
        let said = well(&run(&data, &["backup", "--to", text(&copy)]));
        assert!(said.contains("rows of records") && !said.contains("missing"), "{said}");
        // Whoever writes is not held up by it, nor after it.
        acknowledged.after(CONTACTS, EVENTS);
        acknowledged.stop.store(true, Ordering::Relaxed);
        (before, events, files)
    });
    let said = well(&run(&data, &["restore", "--from", text(&copy), "--verify"]));
    assert!(said.contains("is whole"), "{said}");
    let now = contacts(&server.gate);
    server.stop();

    well(&run(&again, &["restore", "--from", text(&copy)]));
    let server = Server::start(&again, &[]);
    let found = contacts(&server.gate);
    let lost: Vec<&String> = before.iter().filter(|name| !found.contains(*name)).collect();
    assert!(lost.is_empty(), "{lost:?}");
    assert!(found.is_subset(&now) && found.len().is_multiple_of(CONTACTS), "whole requests: {}", found.len());
    assert!(!uploaded.is_empty());
    for (id, content) in &uploaded {
        assert_eq!(download(&server.gate, id), content.as_bytes());
    }
    let ledger = until("the ledger", || {
        let ledger = server.gate.told("/v1/ledger")["total"].clone();
        (ledger["accepted"] == ledger["applied"]).then_some(ledger)
    });
    assert!(ledger["applied"].as_u64().unwrap() >= events as u64, "{ledger} of {events}");
    // It is an installation like any other: it goes on.
    make(&server.gate, &["After".to_owned()]).unwrap().good();
    assert_eq!(contacts(&server.gate).len(), found.len() + 1);
    server.stop();
    assert_eq!(state(&again, false)["digest"], state(&again, true)["digest"]);
}

/// A small installation and its backup.
fn backed_up(folder: &Path) -> std::path::PathBuf {
    let data = folder.join("data");
    let server = Server::start(&data, &[]);
    fill(&server.gate, 50);
    server.stop();
    fs::create_dir_all(data.join("files/imports")).unwrap();
    fs::write(data.join("files/imports/one"), "name\nAnn\n").unwrap();
    well(&run(&data, &["backup", "--to", text(&folder.join("copy"))]));
    folder.join("copy")
}

#[test]
fn a_backup_is_looked_through_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let copy = backed_up(folder.path());
    let before = files(&copy);
    let names: Vec<&str> = before.iter().map(|(path, _)| path.to_str().unwrap()).collect();
    for name in
        ["credentials.json", "files/imports/one", "log.db", "manifest.json", "records.db", "secrets.key", "state.db"]
    {
        assert!(names.contains(&name), "{names:?}");
    }
    let never = folder.path().join("never");
    let verify = || run(&never, &["restore", "--from", text(&copy), "--verify"]);
    well(&verify());
    assert_eq!(files(&copy), before);

    for (path, bytes) in &before {
        let file = copy.join(path);
        let mut damaged = bytes.clone();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 1;
        fs::write(&file, &damaged).unwrap();
        let said = refusal(&verify());
        assert!(said.contains(text(&copy)), "{said}");
        refusal(&run(&never, &["restore", "--from", text(&copy)]));
        fs::remove_file(&file).unwrap();
        let said = refusal(&verify());
        assert!(said.contains(text(&copy)), "{said}");
        fs::write(&file, bytes).unwrap();
    }
    well(&verify());
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "nothing was made: {left:?}");
}

#[test]
fn nothing_is_restored_over_an_installation_or_backed_up_over_a_backup() {
    let folder = tempfile::tempdir().unwrap();
    let copy = backed_up(folder.path());
    let data = folder.path().join("data");
    let before = files(&data);
    let said = refusal(&run(&data, &["restore", "--from", text(&copy)]));
    assert!(said.contains("not an empty folder; name another"), "{said}");
    let said = refusal(&run(&data, &["backup", "--to", text(&copy)]));
    assert!(said.contains("not an empty folder; name another"), "{said}");
    let said = refusal(&run(&folder.path().join("nothing"), &["backup", "--to", text(&folder.path().join("x"))]));
    assert!(said.contains("no installation"), "{said}");
    assert_eq!(files(&data), before);
}
