//! What can go wrong in a replay, as sentences that say what to do.

use std::path::PathBuf;

/// Why a replay stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ReplayError {
    #[error("cannot read {}: {source}; give the path of an Online Retail file (.csv or .csv.gz), or --synthetic", path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error(
        "{} has no column {}; it must have InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice, \
         CustomerID and Country in its first line", path.display(), missing.join(", ")
    )]
    Columns { path: PathBuf, missing: Vec<&'static str> },
    #[error("{}, line {line}: {what}", path.display())]
    Line { path: PathBuf, line: u64, what: String },
    #[error("{0}")]
    Usage(String),
    #[error("cannot read the keys in {}: {why}; --data must name the data folder of the server", path.display())]
    Credentials { path: PathBuf, why: String },
    #[error("cannot reach {url}: {why}; is `rapport serve` running there?")]
    Unreachable { url: String, why: String },
    #[error("the server does not accept the {which} key; both keys are in credentials.json in its data folder")]
    Key { which: &'static str },
    #[error("{what} was refused with {status}: {detail}")]
    Refused { what: String, status: u16, detail: String },
    #[error(
        "{what} was answered in a form that this program does not know: {why}; are server and player of one version?"
    )]
    Answer { what: String, why: String },
    #[error("the training failed: {0}")]
    Training(String),
    #[error("{what} did not happen within {seconds} s; {hint}")]
    Late { what: String, seconds: u64, hint: &'static str },
    #[error("the server did not start: {0}")]
    Start(String),
    #[error("the server ended during the replay, with {status}; it said:\n{said}")]
    Died { status: std::process::ExitStatus, said: String },
    #[error("stopped by a signal before the traffic was over")]
    Interrupted,
    #[error("cannot work with files: {0}")]
    Io(#[from] std::io::Error),
}
