//! What can go wrong on the way out.

use std::net::IpAddr;

/// Every error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutboundError {
    /// The address is none that is asked.
    #[error("{host} is not asked: {what}")]
    Address {
        /// The host, as far as there is one.
        host: String,
        /// Why, as a sentence.
        what: &'static str,
    },
    /// The host is at an address that is not public, and the operator did not name it.
    #[error(
        "{host} is at {address}, which is not a public address; if that is right, name the host in the setting allow_private"
    )]
    Private {
        /// The host and port.
        host: String,
        /// The first address that was refused.
        address: IpAddr,
    },
    /// No connection could be made.
    #[error("{host} cannot be reached: {what}")]
    Unreachable {
        /// The host and port.
        host: String,
        /// What happened.
        what: String,
    },
    /// The connection is there, and no answer came that can be read.
    #[error("{host} did not answer as HTTP does: {what}")]
    Answer {
        /// The host and port.
        host: String,
        /// What happened.
        what: String,
    },
    /// The answer is too long.
    #[error("the answer of {host} is longer than {bytes} bytes")]
    TooLarge {
        /// The host and port.
        host: String,
        /// The limit.
        bytes: usize,
    },
    /// It took too long.
    #[error("{host} did not answer within {milliseconds} ms")]
    Late {
        /// The host and port.
        host: String,
        /// The limit.
        milliseconds: u128,
    },
    /// It was sent on too often.
    #[error("{host} sends on too often")]
    Redirects {
        /// The host and port that was asked first.
        host: String,
    },
    /// A file of roots for certificates cannot be used.
    #[error("{} holds no certificates to trust: {what}", path.display())]
    RootFile {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The system's roots for certificates cannot be used.
    #[error("the system has no certificates to trust ({0}); install its package of CA certificates")]
    Roots(String),
}
