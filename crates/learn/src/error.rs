//! What can go wrong in learning from a history or a table.

use std::io;

use rapport_ml::MlError;
use rapport_stream::LogError;

/// Every error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LearnError {
    /// The log could not be read.
    #[error("log: {0}")]
    Log(#[from] LogError),
    /// There is too little to learn from, or the artifact is not usable.
    #[error(transparent)]
    Ml(#[from] MlError),
    /// There is too little to learn from.
    #[error("{0}")]
    Few(String),
    /// A row could not be written.
    #[error("rows cannot be written: {0}")]
    Csv(#[from] csv::Error),
    /// A file that is no table, or a table that cannot be read.
    #[error("the file cannot be read as a table: {0}")]
    File(String),
    /// The artifact is for something else.
    #[error("{0}")]
    Mismatch(String),
}

impl From<io::Error> for LearnError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::File("it is packed and ends too early; copy it again".to_owned()),
            _ => Self::File(error.to_string()),
        }
    }
}
