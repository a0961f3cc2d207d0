//! What every kind of caller is told by every operation that is asked about a row of somebody else.

mod events;
mod files;
mod people;
mod records;

use super::house::CALLERS;

/// Statuses in the order of [`CALLERS`].
pub type Says = [u16; CALLERS.len()];

/// An operation with a row that is not the caller's: method, path, body, and what each caller is told. `<contact>` and the like
/// stand for the ids of such rows.
pub struct Row(pub &'static str, pub &'static str, pub &'static str, pub Says);

/// The same for all.
const fn everybody(status: u16) -> Says {
    [status; CALLERS.len()]
}

/// All others may not.
const fn administrators(status: u16) -> Says {
    [status, 403, 403, 403, 403, 403, 403, 403, 403]
}

/// Those who read all rows read it. To those who read some of the object it is not there; who reads none of it is told so.
const READ: Says = [200, 404, 404, 404, 200, 200, 403, 200, 404];

/// The same of what is done, which reading alone does not let.
const fn done(status: u16) -> Says {
    [status, 404, 404, 404, status, 403, 403, 403, 404]
}

/// Of lists, which leave out what the caller does not read.
const LISTED: Says = [200, 200, 200, 200, 200, 200, 403, 200, 200];

/// All rows of all rooms.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    [records::ROWS, files::ROWS, people::ROWS, events::ROWS].into_iter().flatten()
}

/// Operations that no row can stand for, and why.
pub const APART: &[(&str, &str, &str)] = &[
    ("POST", "/v1/{call}", "the collect door knows write keys only, and answers nothing of what is kept"),
    ("POST", "/v1/batch", "the same door"),
    ("POST", "/v1/session", "whoever asks has no credential yet"),
    ("POST", "/api/v1/sign-in", "whoever asks has no credential yet"),
    ("GET", "/api/v1/sign-in/providers", "whoever asks has no credential yet"),
    ("GET", "/api/v1/sign-in/with/{provider}", "whoever asks has no credential yet; `sign_on` tests it"),
    ("GET", "/api/v1/sign-in/with/{provider}/back", "whoever asks has no credential yet; `sign_on` tests it"),
    ("POST", "/api/v1/accept", "whoever asks has no credential yet"),
    ("POST", "/api/v1/reset-password", "whoever asks has no credential yet"),
    ("GET", "/healthz", "open to monitors; it names no row"),
    ("GET", "/readyz", "open to monitors; it names no row"),
    ("GET", "/metrics", "open to monitors; it names no row"),
    ("GET", "/v1/stream", "no answer ends; who may read it stands in the tests of the stream"),
    ("GET", "/api/v1/changes", "no answer ends; `live` reads it"),
    ("GET", "/v1/models/jobs/{id}/events", "no answer ends"),
];
