//! Models from the company's own history.
//!
//! - [`training_set`]: the log folded again by the function that serves live traffic, stopped at each labelled moment, so a
//!   model learns from exactly the numbers that it will be given.
//! - [`train`]: time-ordered split, fit, evaluation beside the base rate and beside recency alone.
//! - [`mod@file`]: tables in files, whatever they are written in.
//! - [`train_table`] and [`predict_table`]: the same for a table in a file.
//! - [`report`]: a model's figures, plots and facts as one HTML file.
//!
//! The algorithms are in `ml`. The crate registers and activates nothing: the binary does, through store and log.

mod error;
pub mod file;
mod history;
mod moments;
pub mod report;
mod table;

pub use error::LearnError;
pub use history::{Trained, train};
pub use moments::{Task, TrainingSet, training_set};
pub use table::{Predicted, TableOptions, TableReport, TrainedTable, predict_table, train_table};
