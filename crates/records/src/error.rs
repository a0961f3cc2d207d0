//! What can go wrong with records.

use rapport_condition::ConditionError;

/// Whose fault an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The caller's.
    Caller,
    /// The machine's or the operator's.
    Environment,
    /// Ours.
    Program,
}

/// Every error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordsError {
    /// There is no such thing, or the caller may not know of it.
    #[error("{0}")]
    NotFound(String),
    /// The caller may not do this.
    #[error("{0}")]
    Forbidden(String),
    /// A field of the request is wrong.
    #[error("{field}: {what}")]
    Invalid {
        /// The field.
        field: String,
        /// What is wrong, as a sentence.
        what: String,
    },
    /// Rows of a bulk request are wrong; nothing was written.
    #[error("{} of the records are wrong", .0.len())]
    Rows(Vec<RowError>),
    /// A condition cannot be read, or names what is not there.
    #[error("{0}")]
    Condition(#[from] ConditionError),
    /// The record has changed since the caller read it.
    #[error("the record has version {current}; read it again")]
    Stale {
        /// Its version now.
        current: i64,
    },
    /// It does not fit what is there.
    #[error("{0}")]
    Conflict(String),
    /// Another record has this value of a unique field.
    #[error("another record has this {field}")]
    Taken {
        /// The field.
        field: String,
    },
    /// A limit is reached.
    #[error("{0}")]
    Limit(String),
    /// The database cannot be reached or is busy; the same call can succeed later.
    #[error("the database cannot answer now: {0}")]
    Unavailable(String),
    /// Written by a newer program.
    #[error("the records have format {found}; this version of Rapport reads up to {known}: install a newer version")]
    Newer {
        /// The format found.
        found: i64,
        /// The newest known format.
        known: i64,
    },
    /// The database did something that it should not.
    #[error("the database failed: {0}")]
    Database(String),
    /// What is stored cannot be read.
    #[error("{what} is damaged; restore it from a backup")]
    Damaged {
        /// What was found.
        what: String,
    },
    /// The system's random source failed.
    #[error("the system's random source failed: {0}")]
    Random(getrandom::Error),
    /// A file cannot be read or written.
    #[error("{0}")]
    File(String),
}

/// What is wrong with one record of many.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct RowError {
    /// Its place in the request, from 0.
    pub index: usize,
    /// The field.
    pub field: String,
    /// What is wrong, as a sentence.
    pub what: String,
}

impl RecordsError {
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Unavailable(_) | Self::Newer { .. } | Self::Random(_) | Self::File(_) | Self::Damaged { .. } => {
                Fault::Environment
            }
            Self::Database(_) => Fault::Program,
            _ => Fault::Caller,
        }
    }

    /// Whether the same call can succeed later.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }

    pub(crate) fn invalid(field: impl Into<String>, what: impl Into<String>) -> Self {
        Self::Invalid { field: field.into(), what: what.into() }
    }

    /// What a row of a bulk request is told; errors that are not the row's own stay what they are.
    pub(crate) fn of_row(self, index: usize) -> Result<RowError, Self> {
        let row = |field: &str, what: String| Ok(RowError { index, field: field.to_owned(), what });
        match self {
            Self::Invalid { field, what } => Ok(RowError { index, field, what }),
            Self::Taken { ref field } => row(field, self.to_string()),
            Self::NotFound(_) | Self::Forbidden(_) | Self::Stale { .. } | Self::Conflict(_) => {
                row("id", self.to_string())
            }
            other => Err(other),
        }
    }

    /// The error of a request that is a bulk request of one inside.
    pub(crate) fn of_one(self) -> Self {
        match self {
            Self::Rows(mut rows) if rows.len() == 1 => {
                let RowError { field, what, .. } = rows.remove(0);
                Self::Invalid { field, what }
            }
            other => other,
        }
    }
}
