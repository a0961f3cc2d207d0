//! Formats on disk: what a version of Rapport left there is read as what it was, the present writer still writes it, and what
//! a newer version wrote is refused with a sentence.
//!
//! The files in `tests/fixtures` are never written again once a version with their format is released; a new format gets new
//! ones. `RAPPORT_WRITE_FIXTURES=1 cargo test -p rapport --test formats` writes those that are missing; `fixtures/write.py`
//! writes data folders and `fixtures/write_records.py` databases of records, with the program of the commit that has the format.

#![allow(clippy::unwrap_used, reason = "helpers of tests stop the test as the tests themselves do")]

mod checkpoint;
mod documents;
mod entries;
mod folders;
mod records;
#[path = "../server/mod.rs"]
mod server;

use std::path::PathBuf;

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// The text of a fixture, of which `made` is what the present writer makes.
fn fixture(name: &str, made: &str) -> String {
    let path = path(name);
    if !path.exists() && std::env::var_os("RAPPORT_WRITE_FIXTURES").is_some() {
        std::fs::write(&path, made).unwrap();
    }
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
}
