//! What can go wrong in learning.

/// Every error of this crate. All are the caller's fault: trying again with the same input gives the same error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MlError {
    /// Bytes that are not an artifact.
    #[error("this is not a model artifact: {0}")]
    Artifact(String),
    /// An artifact of a newer program.
    #[error(
        "the artifact has format {0}; this version of Rapport reads format {known}: install a newer version",
        known = crate::FORMAT
    )]
    Format(u32),
    /// An artifact whose checksum is right, but whose model is none that this program can hold.
    #[error(
        "the artifact is whole, but this version of Rapport cannot read its model, which was written by {}: train the model \
         again", if .0.is_empty() { "another program" } else { .0 }
    )]
    Unreadable(String),
    /// Too little to learn from.
    #[error(
        "there are {rows} rows, {positives} of them positive; at least {least} of each kind are needed to learn from"
    )]
    TooFew {
        /// All rows.
        rows: usize,
        /// Those with a positive label.
        positives: usize,
        /// How many of each kind are needed.
        least: usize,
    },
    /// Rows and labels do not fit together.
    #[error("{0}")]
    Shape(String),
    /// Options that make no sense.
    #[error("{0}")]
    Options(String),
    /// A table that cannot be learnt from.
    #[error("{0}")]
    Table(String),
    /// An ONNX file that cannot be read, or a model that ONNX cannot hold.
    #[error("ONNX: {0}")]
    Onnx(String),
    /// The caller asked for the work to end before there was a result.
    #[error("stopped before there was a result")]
    Stopped,
}
