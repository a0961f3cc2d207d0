//! Learning from rows of numbers: preprocessing, logistic regression, metrics, artifacts.
//!
//! Pure: no clock, no I/O, no random source. The same rows give the same artifact, byte for byte. The crate knows neither
//! customers nor features; it sees named columns of numbers in which NaN is a missing value, and labels.
//!
//! - [`fit`]: rows and labels -> [`Artifact`].
//! - [`Predictor`]: an artifact ready to answer, with the contribution of every input.
//! - [`Evaluation`]: how good probabilities are.
//! - [`frame`]: tables of typed columns, from cells of text.
//! - [`pipeline`]: from raw values to the numbers of an algorithm.
//! - [`leak`]: columns that know the outcome.
//! - [`table`]: from columns of text to rows of numbers, as in a CSV file.

mod artifact;
mod balance;
mod context;
mod error;
mod examples;
pub mod frame;
pub mod leak;
mod logistic;
mod matrix;
mod metrics;
pub mod pipeline;
mod predict;
mod predictor;
mod random;
pub mod table;
pub mod tree;

pub use artifact::{Artifact, FORMAT, Input, Transform};
pub use balance::balanced_weights;
pub use context::{Context, Parallel, Serial};
pub use error::MlError;
pub use examples::{Examples, Kind, Task};
pub use logistic::{FitOptions, fit};
pub use matrix::Matrix;
pub use metrics::{Bin, Evaluation, auc, auc_interval};
pub use predict::{Explain, Predict};
pub use predictor::Predictor;
pub use random::Random;
