//! Rows with what is known of them, ready to be learnt from: the one form of data that every algorithm takes.

use serde::{Deserialize, Serialize};

use crate::{Matrix, MlError};

/// What a column of a [`Matrix`] holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A number; NaN where it is missing.
    Number,
    /// One of `count` categories by its code, a whole number from 0 to `count - 1`; NaN where it is missing.
    Category {
        /// How many codes there are.
        count: u32,
    },
}

/// What is to be predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Yes or no; targets are 1 and 0, the one output is the probability of 1.
    Binary,
    /// One of `classes` by its number from 0; an output for each class, its probability.
    Multiclass {
        /// How many classes, at least 3.
        classes: u32,
    },
    /// A number; the one output is its expected value.
    Regression,
    /// An order within groups; targets are grades of relevance from 0, the one output is a score that orders.
    Ranking,
}

impl Task {
    /// How many numbers a prediction has.
    pub fn outputs(self) -> usize {
        match self {
            Self::Multiclass { classes } => classes as usize,
            Self::Binary | Self::Regression | Self::Ranking => 1,
        }
    }
}

/// Rows to learn from. `target`, `weights` and `groups` have an entry for each row.
#[derive(Debug, Clone, Copy)]
pub struct Examples<'a> {
    /// The inputs.
    pub rows: &'a Matrix,
    /// What each column of `rows` holds.
    pub kinds: &'a [Kind],
    /// What is to be predicted.
    pub task: Task,
    /// The known answers, in the form that [`Task`] tells.
    pub target: &'a [f64],
    /// How much each row counts; 1 if there are none. Zero is allowed, less is not.
    pub weights: Option<&'a [f64]>,
    /// For [`Task::Ranking`]: rows of one number are ordered among one another. They stand together.
    pub groups: Option<&'a [u32]>,
}

impl<'a> Examples<'a> {
    /// Rows that count alike.
    pub fn new(rows: &'a Matrix, kinds: &'a [Kind], task: Task, target: &'a [f64]) -> Self {
        Self { rows, kinds, task, target, weights: None, groups: None }
    }

    /// The weight of a row.
    pub fn weight(&self, row: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights[row])
    }

    /// Refuses what no algorithm can learn from: parts that do not fit together, answers that are not what the task
    /// says, weights that are negative or not finite.
    pub fn check(&self) -> Result<(), MlError> {
        let rows = self.rows.rows();
        let shape = |what: String| Err(MlError::Shape(what));
        if rows != self.target.len() {
            return shape(format!("{rows} rows, {} targets", self.target.len()));
        }
        if self.kinds.len() != self.rows.columns() {
            return shape(format!("{} columns, {} kinds of columns", self.rows.columns(), self.kinds.len()));
        }
        if rows == 0 {
            return shape("there are no rows to learn from".to_owned());
        }
        if let Some(weights) = self.weights {
            if weights.len() != rows {
                return shape(format!("{rows} rows, {} weights", weights.len()));
            }
            if let Some(at) = weights.iter().position(|weight| !(weight.is_finite() && *weight >= 0.0)) {
                return shape(format!("the weight of row {at} is {}; it must be a number from 0", weights[at]));
            }
        }
        if let Some(groups) = self.groups
            && groups.len() != rows
        {
            return shape(format!("{rows} rows, {} groups", groups.len()));
        }
        if let Some(at) = self.target.iter().position(|target| !self.is_answer(*target)) {
            return shape(format!("the target of row {at} is {}, which is no answer for this task", self.target[at]));
        }
        Ok(())
    }

    fn is_answer(&self, target: f64) -> bool {
        match self.task {
            Task::Binary => target == 0.0 || target == 1.0,
            Task::Multiclass { classes } => target >= 0.0 && target < f64::from(classes) && target.fract() == 0.0,
            Task::Regression => target.is_finite(),
            Task::Ranking => target.is_finite() && target >= 0.0,
        }
    }
}
