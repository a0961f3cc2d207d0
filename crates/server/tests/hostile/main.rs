//! Hostile requests: what somebody sends who wants more than an answer. Every one is refused with a sentence or taken as
//! nothing but a text; none fails the server, and none leaves anything behind.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![allow(unreachable_pub, reason = "modules of a test share their things")]

#[path = "../common/mod.rs"]
mod common;
mod files;
mod texts;

use axum::{body::Body, http::Request};
use common::{BEARER, Told, World};

/// A text as it stands in a query: everything but letters and digits escaped.
pub fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |escaped, byte| {
        if byte.is_ascii_alphanumeric() {
            escaped + &char::from(byte).to_string()
        } else {
            escaped + &format!("%{byte:02X}")
        }
    })
}

/// The answer to the key that may do everything.
pub async fn send(world: &World, method: &str, path: &str, body: impl Into<Body>) -> Told {
    let request = Request::builder().method(method).uri(path).header("authorization", BEARER);
    world.send(request.body(body.into()).unwrap()).await
}

/// Holds an answer to being no failure of ours, and a refusal to being a problem.
pub fn is_sound(told: &Told, asked: &str) {
    let status = told.status.as_u16();
    assert!(status < 500, "{asked:.300}: {status} {}", told.body);
    if status >= 400 {
        told.problem();
    }
}

/// A server over records of the test's own, whose files lie in the folder.
pub fn world() -> (World, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let desk = rapport_records::Desk::open_file(&folder.path().join("records.db"), || common::NOW).unwrap();
    desk.set_files(&folder.path().join("files")).unwrap();
    (World::over_all(desk), folder)
}
