//! What a gradient boosting can be told.

use serde::{Deserialize, Serialize};

use crate::tree::bins::MAX_BINS;
use crate::{Examples, Kind, MlError, Task};

/// Which way predictions may go as a column grows, all else being equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// As the data say.
    #[default]
    Any,
    /// Never down.
    Up,
    /// Never up.
    Down,
}

impl Direction {
    pub(super) fn allows(self, left: f64, right: f64) -> bool {
        match self {
            Self::Any => true,
            Self::Up => left <= right,
            Self::Down => left >= right,
        }
    }
}

/// What a regression makes small.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// Squared error: predicts the mean.
    #[default]
    Squared,
    /// Poisson deviance: predicts the mean of counts, through a logarithm. Targets are not negative.
    Poisson,
    /// The pinball loss (Koenker, Bassett 1978): predicts the number that a share of `level` does not exceed. Trees are grown on
    /// its derivatives, and each leaf then is the quantile of what its rows are off by (Friedman 2001, algorithm 3 for the
    /// median), so `l1` and `l2` weigh on the choice of splits alone.
    Quantile {
        /// Above 0 and below 1.
        level: f64,
    },
}

/// How a gradient boosting is fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BoostingOptions {
    /// How many rounds at most; a round makes a tree, with several classes one for each.
    pub rounds: u32,
    /// How much of what a tree says counts, above 0 and up to 1.
    pub learning_rate: f64,
    /// The most leaves of a tree, at least 2. The leaf that gains most is split first.
    pub max_leaves: u32,
    /// The most splits on the way to a leaf; 0 for no limit.
    pub max_depth: u32,
    /// The least sum of second derivatives in a leaf.
    pub min_child_weight: f64,
    /// The least number of rows in a leaf. Rows of a leaf are taken to have equal second derivatives, as LightGBM does.
    pub min_child_rows: u32,
    /// By how much a split must bring the loss down.
    pub min_gain: f64,
    /// The penalty on the absolute values of leaves.
    pub l1: f64,
    /// The penalty on the squares of the values of leaves.
    pub l2: f64,
    /// How strongly categories with few rows are drawn to the mean, where a column has more than 4 categories.
    pub category_smoothing: f64,
    /// The share of rows that each tree is grown on, above 0 and up to 1.
    pub row_share: f64,
    /// The share of columns that each tree is grown on, above 0 and up to 1.
    pub column_share: f64,
    /// For each column which way predictions may go; empty if all are free.
    pub monotone: Vec<Direction>,
    /// The most bins for the values of a column, from 2 to 255.
    pub max_bins: u32,
    /// With validation examples: how many rounds without a better loss are waited for.
    pub patience: u32,
    /// What a regression makes small.
    pub loss: Loss,
    /// For a ranking: how many places from the top count.
    pub ranking_depth: u32,
    /// What all random choices follow from.
    pub seed: u64,
}

/// The short name within this folder.
pub(super) use BoostingOptions as Options;

impl Default for BoostingOptions {
    fn default() -> Self {
        Self {
            rounds: 200,
            learning_rate: 0.1,
            max_leaves: 31,
            max_depth: 6,
            min_child_weight: 1e-3,
            min_child_rows: 20,
            min_gain: 0.0,
            l1: 0.0,
            l2: 1.0,
            category_smoothing: 10.0,
            row_share: 1.0,
            column_share: 1.0,
            monotone: Vec::new(),
            max_bins: MAX_BINS as u32,
            patience: 20,
            loss: Loss::Squared,
            ranking_depth: 30,
            seed: 0,
        }
    }
}

impl BoostingOptions {
    /// Refuses what makes no sense, alone or for these examples.
    pub(super) fn check(&self, examples: &Examples<'_>) -> Result<(), MlError> {
        let wrong = |what: &str| Err(MlError::Options(what.to_owned()));
        if self.rounds == 0 {
            return wrong("rounds must be at least 1");
        }
        if !(self.learning_rate > 0.0 && self.learning_rate <= 1.0) {
            return wrong("learning_rate must be above 0 and up to 1");
        }
        if self.max_leaves < 2 {
            return wrong("max_leaves must be at least 2");
        }
        if !(2..=MAX_BINS as u32).contains(&self.max_bins) {
            return wrong("max_bins must be from 2 to 255");
        }
        if self.patience == 0 {
            return wrong("patience must be at least 1");
        }
        if self.ranking_depth == 0 {
            return wrong("ranking_depth must be at least 1");
        }
        let not_negative = [
            ("min_child_weight", self.min_child_weight),
            ("min_gain", self.min_gain),
            ("l1", self.l1),
            ("l2", self.l2),
            ("category_smoothing", self.category_smoothing),
        ];
        for (name, value) in not_negative {
            if !(value.is_finite() && value >= 0.0) {
                return wrong(&format!("{name} is {value}; it must be a number from 0"));
            }
        }
        for (name, value) in [("row_share", self.row_share), ("column_share", self.column_share)] {
            if !(value > 0.0 && value <= 1.0) {
                return wrong(&format!("{name} is {value}; it must be above 0 and up to 1"));
            }
        }
        if let (Loss::Quantile { level }, Task::Regression) = (self.loss, examples.task) {
            if !(level > 0.0 && level < 1.0) {
                return wrong(&format!("the level of a quantile is {level}; it must be above 0 and below 1"));
            }
            if self.monotone.iter().any(|direction| *direction != Direction::Any) {
                return wrong("monotone cannot be kept for a quantile, whose leaves are set after their splits");
            }
        }
        self.check_monotone(examples)
    }

    fn check_monotone(&self, examples: &Examples<'_>) -> Result<(), MlError> {
        let wrong = |what: String| Err(MlError::Options(what));
        let columns = examples.kinds.len();
        if self.monotone.iter().all(|direction| *direction == Direction::Any) {
            return Ok(());
        }
        if self.monotone.len() != columns {
            return wrong(format!("monotone has {} directions; there are {columns} columns", self.monotone.len()));
        }
        if matches!(examples.task, Task::Multiclass { .. }) {
            return wrong("monotone has no meaning with several classes: their probabilities add up to 1".to_owned());
        }
        let category = |column: &usize| {
            self.monotone[*column] != Direction::Any && matches!(examples.kinds[*column], Kind::Category { .. })
        };
        match (0..columns).find(category) {
            Some(column) => wrong(format!("column {column} is a category, which has no order to be monotone in")),
            None => Ok(()),
        }
    }
}
