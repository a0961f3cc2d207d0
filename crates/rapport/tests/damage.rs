//! Data folders that are damaged, incomplete or not writable: the program tells it in one sentence that says what to do, and
//! does not start; a state can be made anew by `rapport repair`, and is then what it was.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "helpers of tests stop the test as the tests themselves do")]

mod server;

use std::{
    fmt::Write as _,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Command, Stdio},
};

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};
use serde_json::Value;
use server::{Gate, Server, rapport, run, state};

/// Names the data folder to a child that is this test again.
const FOLDER: &str = "RAPPORT_TEST_READ_ONLY_FOLDER";

/// Sends a body to the door; the first line of the answer.
fn send(gate: &Gate, body: &str) -> String {
    let mut stream = TcpStream::connect(&gate.address).unwrap();
    let head = "POST /v1/batch HTTP/1.1\r\nHost: rapport\r\nConnection: close\r\n";
    write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.lines().next().unwrap_or_default().to_owned()
}

fn events(write_key: &str, from: usize) -> String {
    let mut text = format!("{{\"writeKey\":\"{write_key}\",\"batch\":[");
    for n in from..from + 60 {
        if !text.ends_with('[') {
            text.push(',');
        }
        let (user, device) = (n % 17, n % 17);
        let common = format!(r#""messageId":"m{n}","timestamp":"2025-03-{:02}T10:00:00Z""#, 1 + n % 28);
        match n % 3 {
            0 => write!(text, r#"{{"type":"identify",{common},"userId":"u{user}","anonymousId":"d{device}","traits":{{"n":{n}}}}}"#),
            1 => write!(text, r#"{{"type":"page",{common},"anonymousId":"d{device}"}}"#),
            _ => write!(
                text,
                r#"{{"type":"track",{common},"userId":"u{user}","event":"Order Completed","properties":{{"total":{n}.5}}}}"#
            ),
        }
        .unwrap();
    }
    text.push_str("]}");
    text
}

/// An installation with a history, stopped in order, and what its state is.
fn filled() -> (tempfile::TempDir, Value) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    for from in [0, 60, 120] {
        assert_eq!(send(&server.gate, &events(&server.gate.write_key, from)), "HTTP/1.1 200 OK");
    }
    server.stop();
    let expected = state(folder.path(), false);
    assert_eq!((&expected["profiles"], &expected["ledger"]["applied"]), (&17.into(), &180.into()), "{expected}");
    (folder, expected)
}

fn copy_of(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        // The folders beside are the search index and files, which these tests leave alone.
        if entry.file_type().unwrap().is_dir() {
            continue;
        }
        std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    copy
}

/// The one sentence with which a command ended; none if it did what it was asked to.
fn sentence(data: &Path, arguments: &[&str]) -> Result<Value, String> {
    let output = run(data, arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    if output.status.success() {
        return Ok(serde_json::from_slice(&output.stdout).unwrap());
    }
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.starts_with("error: ") && said.trim_end().lines().count() == 1, "{said}");
    Err(said)
}

/// What a server says that must not start.
fn refusal(data: &Path) -> String {
    let mut child = rapport(data, &["serve", "--listen", "127.0.0.1:0", "--log-level", "error"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    if !line.is_empty() {
        child.kill().unwrap();
        child.wait().unwrap();
        panic!("it started: {line}");
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.trim_end().lines().count(), 1, "{said}");
    said
}

/// Repairs, and holds the repaired state to what it was.
fn repair(data: &Path, expected: &Value) -> String {
    let output = run(data, &["repair"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(&state(data, false), expected);
    assert_eq!(state(data, true)["digest"], expected["digest"]);
    String::from_utf8(output.stdout).unwrap()
}

const STATE: &[&str] = &["state", "--digest", "--json"];
const REBUILD: &[&str] = &["state", "--digest", "--json", "--rebuild"];

/// Flips a bit at places all over a file; how often it was told. Where it was not the answer must be the same.
fn flips(
    folder: &Path,
    file: &str,
    step: usize,
    arguments: &[&str],
    expected: &Value,
    mut told: impl FnMut(&Path, &str),
) {
    let sound = std::fs::read(folder.join(file)).unwrap();
    let mut count = 0;
    for place in (step / 2..sound.len()).step_by(step) {
        let copy = copy_of(folder);
        let mut bytes = sound.clone();
        bytes[place] ^= 1 << (place % 8);
        std::fs::write(copy.path().join(file), bytes).unwrap();
        match sentence(copy.path(), arguments) {
            Ok(found) => {
                assert_eq!(found["digest"], expected["digest"], "byte {place} of {file}");
                if let Some(ledger) = found.get("ledger") {
                    assert_eq!(ledger, &expected["ledger"], "byte {place} of {file}");
                }
            }
            Err(said) => {
                count += 1;
                told(copy.path(), &said);
            }
        }
    }
    assert!(count >= 5, "most places that hold something matter: {count} of {}", sound.len() / step);
}

#[test]
fn a_flipped_bit_in_the_log_is_told_or_harmless() {
    let (folder, expected) = filled();
    flips(folder.path(), "log.db", 1_511, REBUILD, &expected, |_, said| {
        assert!(said.contains("backup") || said.contains("newer Rapport") || said.contains("partitions"), "{said}");
    });
}

#[test]
fn a_flipped_bit_in_the_state_is_told_or_harmless_and_can_be_repaired() {
    let (folder, expected) = filled();
    let mut repaired = 0;
    flips(folder.path(), "state.db", 1_511, STATE, &expected, |data, said| {
        assert!(said.contains("`rapport repair`") || said.contains("newer version"), "{said}");
        if repaired < 4 {
            repaired += 1;
            let done = repair(data, &expected);
            assert!(done.contains("state.db.old-1"), "{done}");
        }
    });
    assert_eq!(repaired, 4);
}

#[test]
fn a_state_that_is_no_database_is_told_and_repaired_with_its_keys() {
    let (folder, expected) = filled();
    std::fs::write(folder.path().join("state.db"), [7; 9_000]).unwrap();
    let said = refusal(folder.path());
    assert!(said.contains("state.db is damaged") && said.contains("`rapport repair`"), "{said}");
    repair(folder.path(), &expected);
    // Nothing could be read, but the keys stand in credentials.json.
    let server = Server::start(folder.path(), &[]);
    assert_eq!(send(&server.gate, &events(&server.gate.write_key, 180)), "HTTP/1.1 200 OK");
    assert_eq!(send(&server.gate, &events("another key", 180)), "HTTP/1.1 401 Unauthorized");
    server.stop();
    assert_eq!(state(folder.path(), false)["ledger"]["applied"], 240);
}

#[test]
fn a_missing_state_is_told_and_made_anew() {
    let (folder, expected) = filled();
    std::fs::remove_file(folder.path().join("state.db")).unwrap();
    let said = refusal(folder.path());
    assert!(said.contains("no state.db") && said.contains("`rapport repair`"), "{said}");
    assert!(!folder.path().join("state.db").exists(), "nothing is made in its place");
    repair(folder.path(), &expected);
    let server = Server::start(folder.path(), &[]);
    assert_eq!(send(&server.gate, &events(&server.gate.write_key, 180)), "HTTP/1.1 200 OK");
}

#[test]
fn a_state_of_another_log_is_told_and_made_anew() {
    let ((folder, expected), (other, _)) = (filled(), filled());
    std::fs::copy(other.path().join("state.db"), folder.path().join("state.db")).unwrap();
    let said = refusal(folder.path());
    assert!(said.contains("belongs to another log") && said.contains("`rapport repair`"), "{said}");
    let done = repair(folder.path(), &expected);
    assert!(done.contains("1 sources and 0 models were taken over"), "{done}");
}

#[test]
fn a_missing_or_foreign_log_is_told() {
    let (folder, _) = filled();
    std::fs::remove_file(folder.path().join("log.db")).unwrap();
    let said = refusal(folder.path());
    assert!(said.contains("lost acknowledged entries") && said.contains("restore a copy of log.db"), "{said}");
    // Even where nothing is left that remembers what was acknowledged.
    std::fs::remove_file(folder.path().join("log.db")).unwrap();
    std::fs::remove_file(folder.path().join("log.ack")).unwrap();
    let said = refusal(folder.path());
    assert!(said.contains("belongs to another log"), "{said}");
    std::fs::write(folder.path().join("log.db"), "a text").unwrap();
    let said = refusal(folder.path());
    assert!(said.contains("log.db is damaged") && said.contains("restore it from a backup"), "{said}");
}

#[test]
fn damaged_credentials_are_told() {
    let (folder, _) = filled();
    std::fs::write(folder.path().join("credentials.json"), "{").unwrap();
    let said = refusal(folder.path());
    assert!(said.contains("credentials.json is damaged") && said.contains("remove it"), "{said}");
}

/// From now on the kernel opens no file for writing in this process and in what it becomes, but for standard devices.
fn refuse_writing() {
    let asks = |mode: i32| {
        let flags = SeccompCmpOp::MaskedEq(libc::O_ACCMODE as u64);
        let asks = SeccompCondition::new(2, SeccompCmpArgLen::Dword, flags, mode as u64).unwrap();
        SeccompRule::new(vec![asks]).unwrap()
    };
    let rules = [(libc::SYS_openat, vec![asks(libc::O_WRONLY), asks(libc::O_RDWR)])].into_iter().collect();
    let arch = std::env::consts::ARCH.try_into().unwrap();
    let refuse = SeccompAction::Errno(libc::EROFS as u32);
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch).unwrap();
    let program: BpfProgram = filter.try_into().unwrap();
    seccompiler::apply_filter(&program).unwrap();
}

#[test]
fn a_folder_that_cannot_be_written_is_told() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        refuse_writing();
        // It becomes the program, which keeps the filter.
        let error = rapport(Path::new(&folder), &["serve", "--listen", "127.0.0.1:0"]).exec();
        panic!("{error}");
    }
    let (folder, expected) = filled();
    let test = "a_folder_that_cannot_be_written_is_told";
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8(child.stderr).unwrap();
    assert_eq!(child.status.code(), Some(1), "{said}");
    assert!(said.contains("make the folder and its files writable"), "{said}");
    assert_eq!(said.trim_end().lines().count(), 1, "{said}");
    assert_eq!(state(folder.path(), false), expected, "it is as it was");
}
