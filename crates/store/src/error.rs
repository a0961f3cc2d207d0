//! What can go wrong in the store.

use std::path::PathBuf;

/// Whose fault an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The caller's.
    Caller,
    /// The machine's or the operator's.
    Environment,
    /// What is stored is not what was written.
    Corruption,
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
        "{path} belongs to another log; put the two that belong together into one folder, or `rapport repair` makes \
         {path} anew from the log that is there"
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
    /// What is stored is not what was written.
    #[error("{path} is damaged ({what}); restore it from a backup, or `rapport repair` makes it anew from the log")]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// The system does not let the database be written.
    #[error("{path} cannot be opened for writing ({what}); make its folder and files writable for who runs Rapport")]
    ReadOnly {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        what: String,
    },
    /// A write or a sync failed, so what the disk holds is unknown: nothing more is written until the store is opened anew.
    #[error("{path} takes no more writes since one failed ({what}); look after the disk, then start Rapport again")]
    Poisoned {
        /// The database.
        path: PathBuf,
        /// What SQLite said then.
        what: String,
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
            Self::Damaged { .. } => Fault::Corruption,
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
        use rusqlite::ErrorCode as Code;
        let (path, what) = (path.to_owned(), error.to_string());
        match error.sqlite_error_code() {
            Some(Code::DiskFull) => Self::Full { path },
            // An unknown code is an SQL error: the tables are not those that this program made. No code at all is a value of
            // a type that was never written there.
            Some(Code::DatabaseCorrupt | Code::NotADatabase | Code::Unknown) | None => Self::Damaged { path, what },
            Some(Code::ReadOnly | Code::CannotOpen | Code::PermissionDenied) => Self::ReadOnly { path, what },
            Some(_) => Self::Sqlite { path, error },
        }
    }
}

fn is(error: &rusqlite::Error, code: rusqlite::ErrorCode) -> bool {
    error.sqlite_error_code() == Some(code)
}
