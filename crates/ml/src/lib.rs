//! Learning from rows of numbers: preprocessing, logistic regression, metrics, artifacts.
//!
//! Pure: no clock, no I/O, no random source. The same rows give the same artifact, byte for byte. The crate knows neither
//! customers nor features; it sees named columns of numbers in which NaN is a missing value, and labels.
//!
//! - [`Algorithm`], [`Learner`], [`Fitted`]: all algorithms under one name each.
//! - [`Model`]: preprocessing, fitted algorithms and calibration together; [`Scorer`] answers with it and says why.
//! - [`Artifact`]: a model as one file, with its [`Card`].
//! - [`LinearRegression`], [`LogisticRegression`], [`LinearSvm`], [`KernelSvm`], [`Ftrl`]: models of rows that are numbers
//!   already.
//! - [`metrics`], [`split`], [`calibrate`]: measured on rows not seen, split so that they are not, told so that it is true.
//! - [`neighbours`], [`bayes`], [`kmeans`]: simple algorithms, to compare with and to group by.
//! - [`permutation`], [`drift`]: what a model depends on, and whether that is still as it was.
//! - [`frame`], [`pipeline`], [`leak`]: tables of typed columns from cells of text, the numbers that an algorithm learns from,
//!   and columns that know the outcome.
//! - [`tree`]: decision trees, forests and boosting, served flat and explained by Shapley values.
//! - [`onnx`]: models of other programs in, models of ours out.

mod algorithm;
mod artifact;
mod balance;
pub mod bayes;
pub mod calibrate;
mod card;
mod context;
pub mod drift;
mod error;
mod examples;
pub mod frame;
pub mod kmeans;
pub mod leak;
#[cfg(test)]
mod levels;
mod linear;
mod matrix;
pub mod metrics;
mod model;
pub mod neighbours;
pub mod onnx;
pub mod permutation;
pub mod pieces;
pub mod pipeline;
mod predict;
mod random;
mod sound;
pub mod split;
mod standard;
mod svm;
pub mod tree;

pub use algorithm::{Algorithm, Fitted, Imported, Learner};
pub use artifact::{Artifact, FORMAT, References};
pub use balance::balanced_weights;
pub use card::{BaselineFact, Card, InputFact, LeakEffect, LearnerFact};
pub use context::{Context, Parallel, Serial};
pub use error::MlError;
pub use examples::{Examples, Kind, Task};
pub use linear::{
    ClassWeights, Ftrl, FtrlOptions, LinearOptions, LinearRegression, LogisticOptions, LogisticRegression,
};
pub use matrix::Matrix;
pub use model::{Coded, Member, Model, Row, Scorer, Workspace, link, margin_of};
pub use predict::{Explain, Predict};
pub use random::Random;
pub use svm::{Kernel, KernelSvm, KernelSvmOptions, LinearSvm, LinearSvmOptions};
