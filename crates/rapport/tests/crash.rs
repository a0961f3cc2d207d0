//! The real binary, killed with SIGKILL under load again and again: what was acknowledged is there, nothing counts twice, and
//! the state is that of a run without a crash, digest for digest.

#![allow(clippy::unwrap_used, reason = "helpers of tests stop the test as the tests themselves do")]

use std::{
    fmt::Write as _,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
};

/// Events of a run, and how many of them one request carries.
const EVENTS: usize = 6_000;
const BATCH: usize = 20;
/// After so many acknowledged batches the server is killed, each time with another one on its way.
const KILL_AFTER: [usize; 7] = [1, 3, 40, 41, 90, 150, 222];

struct Server {
    child: Child,
    address: String,
    write_key: String,
}

impl Server {
    fn start(data: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_rapport"))
            .args(["serve", "--listen", "127.0.0.1:0", "--log-level", "error", "--data"])
            .arg(data)
            .env("RAPPORT_CHECKPOINT_SECONDS", "1")
            .env("RAPPORT_CHECKPOINT_ENTRIES", "1000")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("http://"), "the server said {line:?}");
        let read = |name: &str| std::fs::read_to_string(data.join(name)).unwrap();
        let credentials: serde_json::Value = serde_json::from_str(&read("credentials.json")).unwrap();
        let write_key = credentials["write_key"].as_str().unwrap().to_owned();
        Self { child, address: read("address").trim().trim_start_matches("http://").to_owned(), write_key }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Sends a request; does not wait for the answer.
fn request(server: &Server, batch: usize) -> TcpStream {
    let body = body(&server.write_key, batch);
    let mut stream = TcpStream::connect(&server.address).unwrap();
    let head = format!(
        "POST /v1/batch HTTP/1.1\r\nHost: rapport\r\nContent-Type: application/json\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    stream
}

fn send(server: &Server, batch: usize) {
    let mut answer = String::new();
    request(server, batch).read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// Twenty events of 40 customers and their devices; what a batch holds follows from its number alone.
fn body(write_key: &str, batch: usize) -> String {
    let mut text = format!("{{\"writeKey\":\"{write_key}\",\"batch\":[");
    for n in batch * BATCH..(batch + 1) * BATCH {
        if !text.ends_with('[') {
            text.push(',');
        }
        let person = (n * 7) % 40;
        let time = format!("2025-{:02}-{:02}T{:02}:{:02}:00Z", 1 + n / 600, 1 + n / 25 % 24, n % 24, n % 60);
        match n % 5 {
            0 => write!(
                text,
                r#"{{"type":"identify","messageId":"m{n}","userId":"u{person}","anonymousId":"d{person}","timestamp":"{time}","traits":{{"turn":{n}}}}}"#
            ),
            1 => write!(
                text,
                r#"{{"type":"page","messageId":"m{n}","anonymousId":"d{person}","timestamp":"{time}"}}"#
            ),
            _ => write!(
                text,
                r#"{{"type":"track","messageId":"m{n}","userId":"u{person}","event":"Order Completed","timestamp":"{time}","properties":{{"total":{}.25}}}}"#,
                n % 300
            ),
        }
        .unwrap();
    }
    text.push_str("]}");
    text
}

/// What `rapport state` says of a stopped installation.
fn state(data: &Path, rebuild: bool) -> serde_json::Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rapport"));
    command.args(["state", "--digest", "--json", "--data"]).arg(data);
    if rebuild {
        command.arg("--rebuild");
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_run_that_is_killed_again_and_again_ends_like_one_that_is_not() {
    let batches = EVENTS / BATCH;
    let calm = tempfile::tempdir().unwrap();
    let server = Server::start(calm.path());
    (0..batches).for_each(|batch| send(&server, batch));
    server.kill();

    let stormy = tempfile::tempdir().unwrap();
    let mut server = Server::start(stormy.path());
    let mut repeats = 0;
    for batch in 0..batches {
        if KILL_AFTER.contains(&batch) {
            // One request is on its way when the server dies; its sender hears nothing and sends it again.
            let unanswered = request(&server, batch);
            server.kill();
            drop(unanswered);
            server = Server::start(stormy.path());
            repeats += BATCH;
        }
        send(&server, batch);
    }
    server.kill();

    let (expected, found) = (state(calm.path(), false), state(stormy.path(), false));
    assert_eq!(found["digest"], expected["digest"]);
    assert_eq!(found["profiles"], expected["profiles"]);
    for (ledger, most_repeats) in [(&expected["ledger"], 0), (&found["ledger"], repeats)] {
        let count = |name: &str| ledger[name].as_u64().unwrap() as usize;
        assert_eq!(count("applied"), EVENTS, "{ledger}");
        assert_eq!(count("accepted"), count("applied") + count("deduplicated"), "{ledger}");
        assert!(count("deduplicated") <= most_repeats && count("dead_lettered") == 0, "{ledger}");
    }
    assert_eq!(state(stormy.path(), true)["digest"], found["digest"], "live state is replayed state");
}
