//! The HTTP side of Rapport: the collect door, the customer API, the live stream, sign-in, metrics and the pages.
//!
//! It is not the fold and knows neither engine nor store nor training: what it needs of them are the traits of [`ports`],
//! which the binary implements. It reads and appends to the log directly.
//!
//! Invariants:
//! - A sender is answered with success only after all of its events are durable; a refused request leaves nothing behind.
//! - No answer about customers is made without an `auth::Operator`, no event is appended without an `auth::Door`.
//! - Every refusal is a problem document, every queue and body has a limit, and what happens at the limit is counted.
//! - Nothing here blocks a thread of the runtime: what may touch the disk goes to a thread for blocking work.

pub mod api;
mod auth;
mod collect;
mod customers;
mod exchange;
mod health;
mod hub;
mod jobs;
mod limit;
mod live;
mod manage;
mod metrics;
mod models;
pub mod openapi;
mod pages;
mod people;
pub mod ports;
mod problem;
mod records;
mod routes;
mod serve;
mod session;
mod sign_on;

use std::{sync::Arc, time::Duration};

use rapport_stream::Log;
use rapport_types::Timestamp;

pub use hub::{Hub, HubOptions, Kind, Pushed};
pub use problem::Problem;
pub use routes::router;
pub use serve::serve;
pub use sign_on::{ClientSecret, ProviderSettings, SignOn};

/// What the server works with.
#[derive(Clone)]
pub struct State {
    /// Where events go.
    pub log: Arc<dyn Log>,
    /// Answers about customers.
    pub answers: Arc<dyn ports::Answers>,
    /// Who may do what.
    pub access: Arc<dyn ports::Access>,
    /// The CRM's records, and who works with them.
    pub records: Arc<rapport_records::Desk>,
    /// The providers by which people sign on.
    pub sign_on: Arc<SignOn>,
    /// Models.
    pub training: Arc<dyn ports::Training>,
    /// Definitions.
    pub definitions: Arc<dyn ports::DefinitionsPort>,
    /// Facts of health.
    pub health: Arc<dyn ports::HealthFacts>,
    /// The live stream; the engine's sink delivers to it.
    pub hub: Hub,
    /// What the installation says of itself.
    pub about: api::About,
    /// How fast a write key may send, and how large a file may be.
    pub limits: Limits,
    /// How long senders and readers may take.
    pub patience: Patience,
    /// How many connections may be open at once. Others wait until one ends.
    pub connections: usize,
    /// The proxies whose word is taken on where a request came from.
    pub trusted_proxies: Vec<std::net::IpAddr>,
    /// Whether the cookie is for HTTPS only; set behind a proxy that speaks HTTPS.
    pub secure_cookie: bool,
    /// The time of the machine; [`system_time`] outside tests.
    pub clock: fn() -> Timestamp,
}

/// How fast one write key may send, and how large a file may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Events a second in the long run.
    pub events_per_second: u32,
    /// Events at once; never less than a full batch.
    pub burst: u32,
    /// Bytes of a file's content.
    pub file_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { events_per_second: 250_000, burst: 500_000, file_bytes: 50 << 20 }
    }
}

/// How long the other side may take. Who takes longer holds a connection for nothing. An answer as a whole has no such limit:
/// a live stream goes on for as long as its reader reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For the head of a request, counted from the end of the one before it: an idle connection ends then too.
    pub head: Duration,
    /// For the whole body of a request; of a file, for the time by which it comes more slowly than 16 KiB a second.
    pub body: Duration,
    /// For taking anything of an answer: a reader that stands still for so long is gone. Of a file, for the time by which it is taken
    /// more slowly than 16 KiB a second.
    pub read: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { head: Duration::from_secs(75), body: Duration::from_secs(30), read: Duration::from_mins(1) }
    }
}

/// The time of the machine.
pub fn system_time() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp(since.as_millis() as i64)
}

/// The state with what the server adds to it.
pub(crate) struct App {
    pub(crate) state: State,
    pub(crate) metrics: metrics::Metrics,
    pub(crate) doors: auth::Doors,
    /// Rings when a record of this process has changed.
    pub(crate) record_bell: tokio::sync::watch::Receiver<u64>,
    /// Room for files that are on their way in or out.
    pub(crate) files_on_their_way: Arc<tokio::sync::Semaphore>,
    /// Room for one workspace that is being written or read.
    pub(crate) workspace_turn: Arc<tokio::sync::Semaphore>,
}

/// What every handler gets: one pointer, because it is copied with every request.
pub(crate) type Shared = Arc<App>;
