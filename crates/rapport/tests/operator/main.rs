//! The commands of whoever runs an installation, as they are given: the real program against the real program, on SQLite and
//! on a real PostgreSQL, also killed with SIGKILL in the middle of what it does.
//!
//! Whatever is killed when, what there was is there or what there is to be is: never a mixture. The same command, given again,
//! ends what was begun and says so.

#![allow(clippy::unwrap_used, reason = "helpers of tests stop the test as the tests themselves do")]

mod backup;
mod kills;
mod postgres;
mod rollback;
#[path = "../server/mod.rs"]
mod server;
mod workspace;

use std::{
    collections::BTreeSet,
    fs,
    io::{self, BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};
use server::{Answer, Gate};

/// What a command said that ended well.
fn well(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The sentence of a command that refused.
fn refusal(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Why a server does not start. One that does, stops the test.
fn does_not_serve(mut command: Command) -> String {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    if !line.is_empty() {
        child.kill().unwrap();
        child.wait().unwrap();
        panic!("it has started: {line}");
    }
    refusal(&child.wait_with_output().unwrap())
}

/// A path as an argument.
fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Makes contacts by one request.
fn make(gate: &Gate, names: &[String]) -> io::Result<Answer> {
    let edits: Vec<Value> = names.iter().map(|name| json!({"op": "create", "fields": {"name": name}})).collect();
    gate.ask("POST", "/api/v1/objects/contact/bulk", json!({ "edits": edits }).to_string().as_bytes())
}

/// Makes so many contacts.
fn fill(gate: &Gate, count: usize) {
    let names: Vec<String> = (0..count).map(|n| format!("Contact {n}")).collect();
    names.chunks(5_000).for_each(|some| drop(make(gate, some).unwrap().good()));
}

/// The names of all contacts.
fn contacts(gate: &Gate) -> BTreeSet<String> {
    let (mut names, mut cursor) = (BTreeSet::new(), String::new());
    loop {
        let page = gate.told(&format!("/api/v1/objects/contact/records?fields=name&limit=500{cursor}"));
        let records = page["records"].as_array().unwrap();
        names.extend(records.iter().map(|record| record["fields"]["name"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { return names };
        cursor = format!("&cursor={next}");
    }
}

/// All files below a folder with what is in them.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let (mut found, mut waiting) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = waiting.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                found.push((path.strip_prefix(folder).unwrap().to_owned(), fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}
