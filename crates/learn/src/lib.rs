//! Models from the company's own history.
//!
//! - [`training_set`]: the log folded again by the function that serves live traffic, stopped at each labelled moment, so a
//!   model learns from exactly the numbers that it will be given.
//! - [`Data`]: what is learnt from, of histories and of tables alike.
//! - [`train`]: trying, blending, calibrating, testing on rows put aside, fitting on all of them.
//! - [`mod@file`], [`table`]: tables in files, whatever they are written in, and what they become.
//! - [`report`]: a model's figures, plots and facts as one HTML file.
//!
//! The algorithms are in `ml`. The crate registers and activates nothing: the binary does, through store and log.

mod data;
mod error;
mod exchange;
pub mod file;
mod moments;
pub mod report;
pub mod table;
mod threads;
mod train;

pub use data::Data;
pub use error::LearnError;
pub use moments::{Served, Task, TrainingSet, training_set};
pub use threads::Threads;
pub use train::{Effort, Progress, Step, TrainOptions, Trained, Watch, main_metric, train};
