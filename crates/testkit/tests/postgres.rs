//! The throw-away PostgreSQL works, keeps databases apart, and is gone after a drop and after SIGKILL of its holder.

#![allow(clippy::unwrap_used, reason = "helpers of tests stop the test as the tests themselves do")]

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use postgres::{Client, NoTls};
use rapport_testkit::postgres::{FOLDER_VARIABLE, Server};

fn connect(url: &str) -> Client {
    Client::connect(url, NoTls).unwrap()
}

fn setting(client: &mut Client, name: &str) -> String {
    client.query_one(&format!("show {name}"), &[]).unwrap().get(0)
}

/// What the kernel knows of the server whose cluster is in this folder.
fn process(folder: &Path) -> PathBuf {
    let noted = std::fs::read_to_string(folder.join("data/postmaster.pid")).unwrap();
    let process = Path::new("/proc").join(noted.lines().next().unwrap());
    assert!(process.exists());
    process
}

#[test]
fn databases_are_apart_and_nothing_is_left_after_a_drop() {
    let server = Server::start().unwrap();
    let (mut one, mut other) = (connect(&server.database("one")), connect(&server.database(r#"Tom's "other"/%41"#)));
    one.batch_execute("create table notes (text text); insert into notes values ('größer')").unwrap();
    other.batch_execute("create table notes (text text)").unwrap();
    assert_eq!(one.query_one("select text from notes", &[]).unwrap().get::<_, String>(0), "größer");
    assert!(other.query("select text from notes", &[]).unwrap().is_empty());
    assert_eq!(
        other.query_one("select current_database()::text", &[]).unwrap().get::<_, String>(0),
        r#"Tom's "other"/%41"#
    );
    assert_eq!(setting(&mut one, "listen_addresses"), "");
    assert_eq!(setting(&mut one, "fsync"), "off");

    let (folder, process) = (server.folder().to_owned(), process(server.folder()));
    drop(server);
    assert!(!process.exists());
    assert!(!folder.exists());
    assert!(one.query("select text from notes", &[]).is_err());
}

#[test]
fn a_durable_server_keeps_postgresqls_own_promises() {
    let server = Server::start_durable().unwrap();
    let mut client = connect(&server.database("kept"));
    for name in ["fsync", "synchronous_commit", "full_page_writes"] {
        assert_eq!(setting(&mut client, name), "on", "{name}");
    }
}

#[test]
fn a_database_that_is_there_already_is_told() {
    let server = Server::start().unwrap();
    server.try_database("twice").unwrap();
    let message = server.try_database("twice").unwrap_err();
    assert!(message.contains("already exists"), "{message}");
}

#[test]
fn servers_beside_one_another_do_not_meet() {
    let (one, other) = (Server::start().unwrap(), Server::start().unwrap());
    let urls = [one.database("same"), other.database("same")];
    connect(&urls[0]).batch_execute("create table notes ()").unwrap();
    assert!(connect(&urls[1]).batch_execute("select from notes").is_err());
}

#[test]
fn a_holder_killed_with_sigkill_leaves_nothing_behind() {
    let mut holder = Command::new(env!("CARGO_BIN_EXE_rapport-testkit"))
        .arg("held")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap();
    let mut url = String::new();
    BufReader::new(holder.stdout.as_mut().unwrap()).read_line(&mut url).unwrap();
    let data = setting(&mut connect(url.trim_end()), "data_directory");
    let folder = Path::new(&data).parent().unwrap();
    let process = process(folder);

    // The whole group, as runners of tests do when a test takes too long.
    Command::new("sh").args(["-c", &format!("kill -s KILL -- -{}", holder.id())]).status().unwrap();
    assert!(!holder.wait().unwrap().success());
    // The folder goes last. A shell waits for it, with a limit: no event tells that a folder has gone.
    let gone = "tries=1500; while [ -e \"$1\" ] && [ $tries -gt 0 ]; do tries=$((tries - 1)); sleep 0.02; done";
    Command::new("sh").args(["-c", gone, "gone"]).arg(folder).status().unwrap();
    assert!(!folder.exists());
    assert!(!process.exists());
}

#[test]
fn a_folder_without_postgresql_is_told_by_the_variable_that_names_it() {
    let holder = Command::new(env!("CARGO_BIN_EXE_rapport-testkit")).env(FOLDER_VARIABLE, "/nowhere").output().unwrap();
    assert!(!holder.status.success());
    let message = String::from_utf8(holder.stderr).unwrap();
    assert!(message.contains(FOLDER_VARIABLE) && message.contains("/nowhere"), "{message}");
}
