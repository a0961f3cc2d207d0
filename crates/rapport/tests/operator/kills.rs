//! Commands that are killed with SIGKILL, at moments spread over all of what they do, and given again.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use super::{contacts, does_not_serve, files, fill, refusal, text, well};
use crate::server::{Server, rapport, run};

/// Into how many parts the time of a command is cut; it is killed at the end of each.
const PARTS: u32 = 8;

/// Kills a command later and later and looks at what that left, then lets it end; how often it was killed, and what it said
/// at the end. `whole` is the time that it takes.
pub(crate) fn killed(command: impl Fn() -> Command, whole: Duration, look: impl Fn()) -> (u32, Output) {
    let (_never, nothing) = mpsc::channel::<()>();
    let mut kills = 0;
    for part in 0..PARTS {
        let mut child = command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Nothing ever comes: this is how long the command lives.
        nothing.recv_timeout(whole * part / PARTS).unwrap_err();
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        if output.status.code().is_some() {
            // It was faster this time than the first.
            return (kills, output);
        }
        kills += 1;
        look();
    }
    (kills, command().output().unwrap())
}

/// How long a command takes that ends well.
pub(crate) fn timed(mut command: Command) -> Duration {
    let from = Instant::now();
    well(&command.output().unwrap());
    from.elapsed()
}

/// Whether a folder has every file of a backup, as it is there.
fn is_whole(data: &Path, copy: &Path) -> bool {
    let there = files(data);
    // What the backup says of itself stays with it.
    let is_content = |path: &Path| !text(path).starts_with("manifest.json");
    files(copy).iter().filter(|(path, _)| is_content(path)).all(|file| there.contains(file))
}

#[test]
fn a_restore_that_is_killed_leaves_nothing_or_everything() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (copy, again) = (path("copy"), path("again"));
    let server = Server::start(&path("data"), &[]);
    fill(&server.gate, 200);
    let names = contacts(&server.gate);
    server.stop();
    // What takes long enough to be killed in the middle of it.
    fs::create_dir_all(path("data/files/imports")).unwrap();
    fs::write(path("data/files/imports/large"), vec![b'x'; 64 << 20]).unwrap();
    well(&run(&path("data"), &["backup", "--to", text(&copy)]));

    let restore = |data: &Path| rapport(data, &["restore", "--from", text(&copy)]);
    let whole = timed(restore(&path("scratch")));
    let partial = path("again.rapport-partial");
    let look = || {
        if again.exists() {
            assert!(is_whole(&again, &copy), "a mixture");
        } else if partial.exists() {
            let said = does_not_serve(rapport(&again, &["serve", "--listen", "127.0.0.1:0"]));
            assert!(said.contains("did not end; run `rapport restore` again"), "{said}");
            assert!(!again.exists(), "nothing is begun in its place");
        }
    };
    // One that was begun is there in any case, however the moments fall.
    fs::create_dir_all(&partial).unwrap();
    fs::write(partial.join("log.db"), "a part").unwrap();
    look();
    let (kills, output) = killed(|| restore(&again), whole, look);
    if again.exists() && !output.status.success() {
        // The last kill came after the end, before the command could say so.
        assert!(refusal(&output).contains("not an empty folder"), "{output:?}");
    } else {
        let said = well(&output);
        assert!(said.contains("What an earlier try had left was made anew"), "{said}");
    }
    assert!(kills >= PARTS / 2, "{kills} kills in {whole:?}");
    assert!(is_whole(&again, &copy) && !partial.exists());
    let server = Server::start(&again, &[]);
    assert_eq!(contacts(&server.gate), names);
    server.stop();
}

#[test]
fn a_backup_that_is_killed_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let server = Server::start(&path("data"), &[]);
    fill(&server.gate, 200);
    fs::create_dir_all(path("data/files/imports")).unwrap();
    fs::write(path("data/files/imports/large"), vec![b'x'; 64 << 20]).unwrap();
    let back_up = |to: &Path| rapport(&path("data"), &["backup", "--to", text(to)]);
    let whole = timed(back_up(&path("scratch")));
    let copy = path("copy");
    let verify = || run(&path("never"), &["restore", "--from", text(&copy), "--verify"]);
    let (kills, output) = killed(
        || back_up(&copy),
        whole,
        || {
            if copy.exists() {
                well(&verify());
            } else {
                assert!(refusal(&verify()).contains("is no backup"));
            }
        },
    );
    assert!(copy.exists() || output.status.success(), "{output:?}");
    assert!(kills >= PARTS / 2, "{kills} kills in {whole:?}");
    well(&verify());
    assert!(!path("copy.rapport-partial").exists());
    server.stop();
}
