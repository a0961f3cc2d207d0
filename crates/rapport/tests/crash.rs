//! The real binary, killed with SIGKILL at random moments under load again and again: what was acknowledged is there, nothing
//! counts twice, and the state is that of a run without a crash, digest for digest.
//!
//! `RAPPORT_TEST_KILLS` says how often (200 for a release), `RAPPORT_TEST_SEED` when. The moments are seeded times after a
//! start, so a seed gives the same pauses, not the same instruction.
//!
//! Several connections send at once. Each has customers of its own, as a browser or a shop's backend has, and goes on only
//! when a batch was acknowledged; one that hears nothing sends the same batch again to the next server. Customers' ids and
//! devices lie in all partitions: they become known, and are merged by `alias`. No device changes hands between known
//! people, because how that ends may depend on how partitions interleave (`docs/decisions/0002`).

#![allow(clippy::unwrap_used, reason = "helpers of tests stop the test as the tests themselves do")]

mod server;

use std::{
    fmt::Write as _,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    sync::mpsc,
    time::Duration,
};

use parking_lot::{Condvar, Mutex};
use server::{Gate, Server, state};

const LANES: usize = 4;
/// Events of one request.
const BATCH: usize = 20;
/// People of one lane.
const PEOPLE: usize = 30;
/// The longest that a server lives, from its first line on.
const LONGEST_LIFE: u64 = 150;

/// Checkpoints come so often that kills meet them.
const SETTINGS: &[(&str, &str)] = &[("RAPPORT_CHECKPOINT_SECONDS", "1"), ("RAPPORT_CHECKPOINT_ENTRIES", "1000")];

/// Sends a batch; the answer, which is not whole if the server died.
fn send(gate: &Gate, lane: usize, batch: usize) -> std::io::Result<String> {
    let body = body(&gate.write_key, lane, batch);
    let mut stream = TcpStream::connect(&gate.address)?;
    let head = format!(
        "POST /v1/batch HTTP/1.1\r\nHost: rapport\r\nContent-Type: application/json\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// Twenty events of a lane's people and their devices; what a batch holds follows from its numbers alone.
fn body(write_key: &str, lane: usize, batch: usize) -> String {
    let mut text = format!("{{\"writeKey\":\"{write_key}\",\"batch\":[");
    for n in batch * BATCH..(batch + 1) * BATCH {
        if !text.ends_with('[') {
            text.push(',');
        }
        let person = (n * 7) % PEOPLE;
        let (user, device) = (format!("u{lane}-{person}"), format!("d{lane}-{person}"));
        let minutes = n / 4;
        let time = format!(
            "2025-{:02}-{:02}T{:02}:{:02}:{:02}.{lane}Z",
            1 + minutes / 40_320 % 12,
            1 + minutes / 1_440 % 28,
            minutes / 60 % 24,
            minutes % 60,
            n % 4 * 15
        );
        let common = format!(r#""messageId":"m{lane}-{n}","timestamp":"{time}""#);
        match n % 8 {
            0 => write!(text, r#"{{"type":"identify",{common},"userId":"{user}","anonymousId":"{device}","traits":{{"turn":{n}}}}}"#),
            1 | 2 => write!(text, r#"{{"type":"page",{common},"anonymousId":"{device}"}}"#),
            // Every third person is found to be the next one, once for all; said again it changes nothing.
            3 if person.is_multiple_of(3) => {
                write!(text, r#"{{"type":"alias",{common},"previousId":"{user}","userId":"u{lane}-{}"}}"#, person + 1)
            }
            _ => write!(
                text,
                r#"{{"type":"track",{common},"userId":"{user}","event":"Order Completed","properties":{{"total":{}.25}}}}"#,
                n % 300
            ),
        }
        .unwrap();
    }
    text.push_str("]}");
    text
}

/// Where the senders find the server of the moment.
#[derive(Default)]
struct Door {
    /// How often a server was started, and the latest; `None` once no batch shall begin.
    now: Mutex<(usize, Option<Gate>)>,
    opened: Condvar,
}

impl Door {
    fn open(&self, gate: Option<Gate>) {
        let mut now = self.now.lock();
        *now = (now.0 + 1, gate);
        self.opened.notify_all();
    }

    /// The server of a start after `start`.
    fn after(&self, start: usize) -> (usize, Option<Gate>) {
        let mut now = self.now.lock();
        while now.0 <= start {
            self.opened.wait(&mut now);
        }
        now.clone()
    }
}

/// Lets the senders end when it is dropped.
struct Closes<'a>(&'a Door);

impl Drop for Closes<'_> {
    fn drop(&mut self) {
        self.0.open(None);
    }
}

/// One connection's sender: how many batches were acknowledged, and how many times one was sent again.
fn drive(lane: usize, door: &Door) -> (usize, usize) {
    let (mut done, mut repeats, mut start) = (0, 0, 0);
    while let (found, Some(gate)) = door.after(start) {
        loop {
            match send(&gate, lane, done) {
                Ok(answer) if answer.starts_with("HTTP/1.1 200") && answer.ends_with("{\"success\":true}") => done += 1,
                Ok(answer) if answer.starts_with("HTTP/1.1") && answer.ends_with('}') => panic!("{answer}"),
                _ => break,
            }
        }
        repeats += 1;
        start = found;
    }
    (done, repeats)
}

/// Kills servers under load; how many batches of each lane were acknowledged, and how many were sent again.
fn storm(data: &Path, kills: usize, seed: u64) -> (Vec<usize>, usize) {
    let door = Door::default();
    let (_never, nothing) = mpsc::channel::<()>();
    let mut random = seed;
    let outcome = std::thread::scope(|scope| {
        let door = &door;
        // Also when a server does not start: senders that wait for one would wait for ever.
        let _closes = Closes(door);
        let lanes: Vec<_> = (0..LANES).map(|lane| scope.spawn(move || drive(lane, door))).collect();
        for _ in 0..kills {
            let server = Server::start(data, SETTINGS);
            door.open(Some(server.gate.clone()));
            let life = Duration::from_micros(next(&mut random) % (LONGEST_LIFE * 1_000));
            // Nothing ever comes: this is how long the server lives.
            nothing.recv_timeout(life).unwrap_err();
            server.kill();
        }
        door.open(None);
        lanes.into_iter().map(|lane| lane.join().unwrap()).collect::<Vec<_>>()
    });
    (outcome.iter().map(|lane| lane.0).collect(), outcome.iter().map(|lane| lane.1).sum())
}

/// The next of a row of random numbers (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |value| value.parse().unwrap())
}

#[test]
fn a_run_that_is_killed_again_and_again_ends_like_one_that_is_not() {
    let (kills, seed) = (setting("RAPPORT_TEST_KILLS", 12) as usize, setting("RAPPORT_TEST_SEED", 1));
    let stormy = tempfile::tempdir().unwrap();
    let (mut batches, repeats) = storm(stormy.path(), kills, seed);
    let server = Server::start(stormy.path(), SETTINGS);
    // What no sender heard an answer to is sent a last time, so that both runs have the same events.
    for (lane, done) in batches.iter_mut().enumerate() {
        let answer = send(&server.gate, lane, *done).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        *done += 1;
    }
    server.kill();

    let calm = tempfile::tempdir().unwrap();
    let server = Server::start(calm.path(), SETTINGS);
    for batch in 0..*batches.iter().max().unwrap() {
        for lane in (0..LANES).filter(|lane| batch < batches[*lane]) {
            let answer = send(&server.gate, lane, batch).unwrap();
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
    }
    server.kill();

    let events = batches.iter().sum::<usize>() * BATCH;
    let (expected, found) = (state(calm.path(), false), state(stormy.path(), false));
    println!("seed {seed}: {kills} kills, {events} events, {repeats} batches sent again; {expected} {found}");
    assert!(events > kills * BATCH, "there was a load: {events} events");
    for (ledger, most_repeats) in [(&expected["ledger"], 0), (&found["ledger"], (repeats + LANES) * BATCH)] {
        let count = |name: &str| ledger[name].as_u64().unwrap() as usize;
        assert_eq!(count("applied"), events, "{ledger}");
        assert_eq!(count("accepted"), count("applied") + count("deduplicated"), "{ledger}");
        assert!(count("deduplicated") <= most_repeats && count("dead_lettered") == 0, "{ledger}");
    }
    assert_eq!(found["profiles"], expected["profiles"]);
    assert_eq!(found["digest"], expected["digest"]);
    assert_eq!(state(stormy.path(), true)["digest"], found["digest"], "live state is replayed state");
}
