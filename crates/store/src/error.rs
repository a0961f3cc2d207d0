//! What can go wrong in the store.

use std::path::PathBuf;

/// Whose fault an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The caller's.
    Caller,
    /// The machine's or the operator's.
    Environment,
}

/// Whether the same call can succeed later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// It can, once there is room or nobody else is writing.
    Later,
    /// It cannot.
    Never,
}

/// Every error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Somebody else wrote this partition's checkpoint.
    #[error("the checkpoint of partition {partition} is at {found}, not at {expected}: another writer was there")]
    Fenced {
        /// The partition.
        partition: u32,
        /// Where the caller thought it to be.
        expected: u64,
        /// Where it is.
        found: u64,
    },
    /// The database belongs to another log.
    #[error(
        "{path} belongs to another log; put the two that belong together into one folder, or delete {path} to rebuild it"
    )]
    OtherLog {
        /// The database.
        path: PathBuf,
    },
    /// Written by a newer program.
    #[error("{path} has format {found}; this version of Rapport reads up to {known}: install a newer version")]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest known format.
        known: u32,
    },
    /// No room is left.
    #[error("no room is left for {path}; free some and try again")]
    Full {
        /// The database.
        path: PathBuf,
    },
    /// The system's random source failed.
    #[error("the system's random source failed: {0}")]
    Random(getrandom::Error),
    /// The database failed otherwise.
    #[error("{path}: {error}")]
    Sqlite {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        error: rusqlite::Error,
    },
}

impl StoreError {
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Fenced { .. } => Fault::Caller,
            _ => Fault::Environment,
        }
    }

    /// Whether trying again helps.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Full { .. } => Retry::Later,
            Self::Sqlite { error, .. } if is(error, rusqlite::ErrorCode::DatabaseBusy) => Retry::Later,
            _ => Retry::Never,
        }
    }

    pub(crate) fn from_sqlite(path: &std::path::Path, error: rusqlite::Error) -> Self {
        let path = path.to_owned();
        if is(&error, rusqlite::ErrorCode::DiskFull) { Self::Full { path } } else { Self::Sqlite { path, error } }
    }
}

fn is(error: &rusqlite::Error, code: rusqlite::ErrorCode) -> bool {
    error.sqlite_error_code() == Some(code)
}
