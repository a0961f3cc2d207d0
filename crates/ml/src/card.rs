//! What is to be told of a model: where it comes from and how good it is. A document for people and programs; nothing in it
//! changes an answer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::frame::{Meaning, Reading};
use crate::leak::LeakWarning;
use crate::metrics::Interval;
use crate::pipeline::{LeftOut, Source};
use crate::{Learner, Task};

/// The facts of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Card {
    /// The program that made it, with its version.
    pub program: String,
    /// Such as `gradient_boosting`; `ensemble` for several.
    pub algorithm: String,
    /// What it predicts.
    pub task: Task,
    /// Of numbers the share that does not exceed the answer; none if the answer is the mean.
    pub quantile: Option<f64>,
    /// The column or score that it predicts.
    pub target: String,
    /// How the texts of the target are read; none if it came from no table.
    pub target_reading: Option<Reading>,
    /// The names of the classes in the order of their numbers; for yes or no that of no, then that of yes.
    pub classes: Vec<String>,
    /// What it takes.
    pub inputs: Vec<InputFact>,
    /// A mark of the inputs, see [`crate::Model::fingerprint`].
    pub fingerprint: String,
    /// Columns that it goes without, and why.
    pub left_out: Vec<(String, LeftOut)>,
    /// The algorithms with their settings, and how much each counts.
    pub learners: Vec<LearnerFact>,
    /// How probabilities were corrected: `platt`, `isotonic` or `temperature`; none if they were not.
    pub calibration: Option<String>,
    /// How many rows it was fitted on in the end.
    pub rows: u64,
    /// How many rows an equal fit learnt from that was then tested.
    pub train_rows: u64,
    /// On how many rows it was tested.
    pub test_rows: u64,
    /// Of how many customers or other groups the rows are, if that was told.
    pub groups: Option<u64>,
    /// How rows were split for the test: `stratified`, `groups`, `time`, or `random`.
    pub split: String,
    /// What all draws follow from.
    pub seed: u64,
    /// The first and last instant of the rows, in milliseconds since 1970.
    pub training_range: Option<(i64, i64)>,
    /// How good it is on the test rows.
    pub metrics: BTreeMap<String, f64>,
    /// Between what figures the most important metrics lie with 95 % confidence.
    pub intervals: BTreeMap<String, Interval>,
    /// What simple means reach on the same rows.
    pub baselines: Vec<BaselineFact>,
    /// Columns that look as if they knew the outcome.
    pub leaks: Vec<LeakWarning>,
    /// What such columns do to the main metric.
    pub leak_effect: Option<LeakEffect>,
    /// By how much the main metric falls when an input is permuted, most important first.
    pub importance: Vec<(String, f64)>,
    /// How many settings were tried before this one was chosen.
    pub trials: u64,
}

impl Default for Card {
    fn default() -> Self {
        Self {
            program: String::new(),
            algorithm: String::new(),
            task: Task::Binary,
            quantile: None,
            target: String::new(),
            target_reading: None,
            classes: Vec::new(),
            inputs: Vec::new(),
            fingerprint: String::new(),
            left_out: Vec::new(),
            learners: Vec::new(),
            calibration: None,
            rows: 0,
            train_rows: 0,
            test_rows: 0,
            groups: None,
            split: String::new(),
            seed: 0,
            training_range: None,
            metrics: BTreeMap::new(),
            intervals: BTreeMap::new(),
            baselines: Vec::new(),
            leaks: Vec::new(),
            leak_effect: None,
            importance: Vec::new(),
            trials: 0,
        }
    }
}

/// A raw column that a model takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputFact {
    /// Its name.
    pub name: String,
    /// What it is.
    pub meaning: Meaning,
}

impl From<Source> for InputFact {
    fn from(source: Source) -> Self {
        Self { name: source.name, meaning: source.meaning }
    }
}

/// An algorithm with its settings, and its part in the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LearnerFact {
    /// The algorithm.
    pub learner: Learner,
    /// Between 0 and 1.
    pub weight: f64,
}

/// The main metric with and without columns that know, or seem to know, the outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeakEffect {
    /// The columns.
    pub columns: Vec<String>,
    /// Whether the model goes without them.
    pub left_out: bool,
    /// The main metric of a model with them.
    pub with: f64,
    /// And of one without.
    pub without: f64,
}

/// A simple means to compare with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BaselineFact {
    /// `base_rate`, or the name of the one column that it uses.
    pub name: String,
    /// Its figures.
    pub metrics: BTreeMap<String, f64>,
}
