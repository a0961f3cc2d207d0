//! Why a measurement could not be made.

use std::path::PathBuf;

/// The one error of the program.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum BenchError {
    /// The program to measure is not there.
    #[error("there is no program at {}; build it with `cargo build --release -p rapport`, or name another with --bin", .0.display())]
    NoProgram(PathBuf),
    /// A process did not do what it was started for.
    #[error("{what}: {why}")]
    Process {
        /// What was wanted.
        what: String,
        /// What happened, with what it said.
        why: String,
    },
    /// A request was answered otherwise than a measurement needs.
    #[error("{what} was answered with {status}: {body}")]
    Answer {
        /// The request.
        what: String,
        /// The status.
        status: u16,
        /// The start of the body.
        body: String,
    },
    /// Something did not happen in time.
    #[error("{what} did not happen within {seconds} s")]
    Late {
        /// What was waited for.
        what: String,
        /// How long.
        seconds: u64,
    },
    /// There is no measurement of this name.
    #[error("there is no measurement '{name}'; there are {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// Learning.
    #[error(transparent)]
    Ml(#[from] rapport_ml::MlError),
    /// Records.
    #[error(transparent)]
    Records(#[from] rapport_records::RecordsError),
    /// The search index.
    #[error(transparent)]
    Search(#[from] rapport_records::search::SearchError),
    /// Plain SQL in SQLite.
    #[error("SQLite: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// Plain SQL in PostgreSQL.
    #[error("PostgreSQL: {}", .0.as_db_error().map_or_else(|| .0.to_string(), ToString::to_string))]
    Postgres(#[from] postgres::Error),
    /// A PostgreSQL for the measurement did not start.
    #[error("{0}")]
    NoServer(String),
    /// A table in a file.
    #[error(transparent)]
    Csv(#[from] csv::Error),
    /// A table is not what it should be.
    #[error("{0}")]
    Table(String),
    /// Files or sockets.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// An answer that is no JSON.
    #[error("an answer is not what it should be: {0}")]
    Json(#[from] serde_json::Error),
}
