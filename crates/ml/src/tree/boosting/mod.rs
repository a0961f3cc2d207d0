//! Gradient boosting of trees on histograms: binary, several classes, regression, ranking.
//!
//! Sources: Friedman: Greedy function approximation (2001); Koenker, Bassett: Regression quantiles (1978); Chen, Guestrin: XGBoost (2016), the second-order gain; Ke et al.:
//! LightGBM (2017), histograms, leaf-wise growth and bundles. The result depends on data, options and seed alone, not on the
//! number of threads.

mod bundle;
mod fit;
mod grow;
mod objective;
mod options;
mod rank;
mod scan;

use serde::{Deserialize, Serialize};

pub use options::{BoostingOptions, Direction, Loss};

use super::Tree;
use crate::{Context, Examples, Matrix, MlError, Predict, Task};
use objective::Objective;

/// A fitted gradient boosting. The margin of an output is its base plus what its trees say; the answer is the margin through
/// the link of the task: logistic, softmax, or for regression none or, with [`Loss::Poisson`], the exponential.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Boosting {
    /// What is predicted.
    pub task: Task,
    /// What a regression made small.
    pub loss: Loss,
    /// The margin of each output before any tree.
    pub base: Vec<f64>,
    /// All trees, round by round; within a round one for each output. Their values count as they are.
    pub trees: Vec<Tree>,
    /// For each column how much loss its splits took.
    pub gain: Vec<f64>,
    /// The loss on the validation examples after each round that was tried, if there were any. [`Self::fit`] keeps the trees up
    /// to the round of the least one.
    pub validation: Vec<f64>,
}

impl Boosting {
    /// Fits trees to examples. With `validation` examples the fit ends when [`BoostingOptions::patience`] rounds brought no
    /// smaller loss on them, and the rounds up to the best are kept; without any, all rounds are.
    pub fn fit(
        examples: &Examples<'_>,
        validation: Option<&Examples<'_>>,
        options: &BoostingOptions,
        context: &Context<'_>,
    ) -> Result<Self, MlError> {
        fit::fit(examples, validation, options, context, fit::Kept::Best)
    }

    /// As [`Self::fit`], but the rounds after the best are kept too, for who chooses one number of rounds for several fits by
    /// the losses of all and reads it off by [`Self::predict_rows_after`].
    pub fn fit_all_rounds(
        examples: &Examples<'_>,
        validation: &Examples<'_>,
        options: &BoostingOptions,
        context: &Context<'_>,
    ) -> Result<Self, MlError> {
        fit::fit(examples, Some(validation), options, context, fit::Kept::All)
    }

    /// How many rounds are kept.
    pub fn rounds(&self) -> usize {
        self.trees.len() / self.base.len().max(1)
    }

    /// Writes the margin of each output into `out`.
    pub fn margins(&self, row: &[f64], out: &mut [f64]) {
        self.margins_after(self.rounds(), row, out);
    }

    /// Writes the answers to rows, one after the other, as they were after so many rounds (or all, if there are fewer).
    pub fn predict_rows_after(&self, rounds: usize, rows: &Matrix, out: &mut [f64]) {
        let objective = self.objective();
        for (row, out) in out.chunks_exact_mut(self.outputs()).enumerate() {
            self.margins_after(rounds, rows.row(row), out);
            objective.answer(out);
        }
    }

    fn margins_after(&self, rounds: usize, row: &[f64], out: &mut [f64]) {
        out.copy_from_slice(&self.base);
        for round in self.trees.chunks_exact(self.base.len()).take(rounds) {
            for (out, tree) in out.iter_mut().zip(round) {
                *out += tree.answer(row)[0];
            }
        }
    }

    fn objective(&self) -> Objective {
        Objective::new(self.task, &BoostingOptions { loss: self.loss, ..BoostingOptions::default() })
    }
}

impl Predict for Boosting {
    fn outputs(&self) -> usize {
        self.task.outputs()
    }

    fn predict(&self, row: &[f64], out: &mut [f64]) {
        self.margins(row, out);
        self.objective().answer(out);
    }
}
