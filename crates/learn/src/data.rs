//! What is learnt from: columns, the known answers, and what the rows have to do with each other.

use rapport_ml::Task;
use rapport_ml::frame::{Frame, Reading};
use rapport_ml::split::SplitBy;

use crate::{LearnError, TrainingSet};

/// Classes of fewer rows than this say nothing.
pub(crate) const CLASS_ROWS_LEAST: usize = 8;
/// Fewer rows than this are no history.
pub(crate) const ROWS_LEAST: usize = 30;

/// Rows with their answers. Everything has an entry for each row.
#[derive(Debug, Clone, PartialEq)]
pub struct Data {
    /// The inputs.
    pub frame: Frame,
    /// What is predicted, in words: a column or a score.
    pub target_name: String,
    /// How the texts of the target were read; none if it came from no table.
    pub target_reading: Option<Reading>,
    /// What is predicted.
    pub task: Task,
    /// Of numbers: not the mean is wanted, but what so large a share does not exceed.
    pub quantile: Option<f64>,
    /// The answers, in the form that the task tells.
    pub target: Vec<f64>,
    /// The names of classes; for yes or no that of no, then that of yes.
    pub classes: Vec<String>,
    /// How much each row counts.
    pub weights: Option<Vec<f64>>,
    /// Whose row it is: rows of one customer are never on both sides of a split.
    pub groups: Option<Vec<u32>>,
    /// When it was, in milliseconds since 1970; the test is then what came last.
    pub at: Option<Vec<i64>>,
    /// Whether `at` are no instants, but numbers that only put the rows into an order.
    pub at_is_order: bool,
    /// A column that a model must be better than alone, besides the best one.
    pub baseline: Option<String>,
    /// How far an answer looks ahead, in milliseconds; so much is left out between training and test.
    pub gap: i64,
}

impl Data {
    /// The moments of a history.
    ///
    /// # Errors
    ///
    /// [`LearnError::Ml`] if two features have one name.
    pub fn of_history(set: &TrainingSet, score: &str, gap: i64, baseline: &str) -> Result<Self, LearnError> {
        Ok(Self {
            frame: set.frame()?,
            target_name: score.to_owned(),
            target_reading: None,
            task: Task::Binary,
            quantile: None,
            target: set.labels.iter().map(|label| f64::from(u8::from(*label))).collect(),
            classes: vec!["no".to_owned(), "yes".to_owned()],
            weights: None,
            groups: Some(set.customers.clone()),
            at: Some(set.at.iter().map(|at| at.0).collect()),
            at_is_order: false,
            baseline: Some(baseline.to_owned()),
            gap,
        })
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.target.len()
    }

    /// How rows are split, in one word.
    pub fn split_name(&self) -> &'static str {
        match (&self.at, &self.groups, self.task) {
            (Some(_), _, _) => "time",
            (None, Some(_), _) => "groups",
            (None, None, Task::Binary | Task::Multiclass { .. }) => "stratified",
            (None, None, Task::Regression | Task::Ranking) => "random",
        }
    }

    /// What a split of the rows at `places` must respect.
    pub(crate) fn split_by<'a>(&self, parts: &'a mut SplitParts, places: &[usize]) -> SplitBy<'a> {
        let pick = |all: &[f64]| places.iter().map(|place| all[*place]).collect::<Vec<f64>>();
        match (&self.at, &self.groups, self.task) {
            (Some(at), _, _) => {
                parts.at = places.iter().map(|place| at[*place]).collect();
                SplitBy::Time { at: &parts.at, gap: self.gap }
            }
            (None, Some(groups), _) => {
                parts.groups = places.iter().map(|place| groups[*place]).collect();
                SplitBy::Groups(&parts.groups)
            }
            (None, None, Task::Binary | Task::Multiclass { .. }) => {
                parts.classes = pick(&self.target);
                SplitBy::Stratified(&parts.classes)
            }
            (None, None, Task::Regression | Task::Ranking) => SplitBy::Plain,
        }
    }

    /// Refuses what nothing can be learnt from, with the reason.
    pub(crate) fn check(&self) -> Result<(), LearnError> {
        let rows = self.rows();
        if rows < ROWS_LEAST {
            return Err(LearnError::Few(format!(
                "there are {rows} rows with a known answer; at least {ROWS_LEAST} are needed to learn and to test"
            )));
        }
        for (class, name) in self.classes.iter().enumerate() {
            let of_class = self.target.iter().filter(|target| **target == class as f64).count();
            if of_class < CLASS_ROWS_LEAST {
                return Err(LearnError::Few(format!(
                    "of {rows} rows {of_class} have the answer \"{name}\"; at least {CLASS_ROWS_LEAST} of each answer are \
                     needed to learn and to test"
                )));
            }
        }
        if self.quantile.is_some() && self.task != Task::Regression {
            let what = "quantiles are of numbers; this column holds something else to choose between or to order";
            return Err(LearnError::Mismatch(what.to_owned()));
        }
        if self.task == Task::Ranking && self.groups.is_none() {
            let what = "a ranking orders rows within groups; say which column tells the group";
            return Err(LearnError::Mismatch(what.to_owned()));
        }
        Ok(())
    }
}

/// What [`Data::split_by`] lends.
#[derive(Debug, Default)]
pub(crate) struct SplitParts {
    at: Vec<i64>,
    groups: Vec<u32>,
    classes: Vec<f64>,
}
