//! Learning from rows of numbers: preprocessing, logistic regression, metrics, artifacts.
//!
//! Pure: no clock, no I/O, no random source. The same rows give the same artifact, byte for byte. The crate knows neither
//! customers nor features; it sees named columns of numbers in which NaN is a missing value, and labels.
//!
//! - [`fit`]: rows and labels -> [`Artifact`].
//! - [`Predictor`]: an artifact ready to answer, with the contribution of every input.
//! - [`Evaluation`]: how good probabilities are.
//! - [`LinearRegression`], [`LogisticRegression`], [`LinearSvm`], [`KernelSvm`], [`Ftrl`]: models of rows that are numbers
//!   already.
//! - [`metrics`], [`split`], [`calibrate`]: measured on rows not seen, split so that they are not, told so that it is true.
//! - [`neighbours`], [`bayes`], [`kmeans`]: simple algorithms, to compare with and to group by.
//! - [`permutation`], [`drift`]: what a model depends on, and whether that is still as it was.
//! - [`table`]: from columns of text to rows of numbers, as in a CSV file.

mod artifact;
pub mod bayes;
pub mod calibrate;
mod context;
pub mod drift;
mod error;
mod examples;
mod linear;
mod logistic;
mod matrix;
mod metrics;
pub mod onnx;
mod predict;
mod predictor;
mod random;
mod svm;
pub mod kmeans;
mod logistic;
mod matrix;
pub mod metrics;
pub mod neighbours;
pub mod permutation;
mod pieces;
mod predict;
mod predictor;
mod random;
pub mod split;
mod standard;
pub mod table;
pub mod tree;

pub use artifact::{Artifact, FORMAT, Input, Transform};
pub use context::{Context, Parallel, Serial};
pub use error::MlError;
pub use examples::{Examples, Kind, Task};
pub use linear::{
    ClassWeights, Ftrl, FtrlOptions, LinearOptions, LinearRegression, LogisticOptions, LogisticRegression,
};
pub use logistic::{FitOptions, fit};
pub use matrix::Matrix;
pub use metrics::{Bin, Evaluation, auc, auc_interval};
pub use predict::{Explain, Predict};
pub use predictor::Predictor;
pub use random::Random;
pub use svm::{Kernel, KernelSvm, KernelSvmOptions, LinearSvm, LinearSvmOptions};
