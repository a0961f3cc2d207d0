//! How good answers are: figures, curves and their uncertainty, for every kind of task.
//!
//! Each task has one struct with figures by name and curves, ready to be written as JSON: [`BinaryEvaluation`],
//! [`MulticlassEvaluation`], [`RegressionEvaluation`], [`QuantileEvaluation`], [`RankingEvaluation`]. Figures that are not defined for the data (an
//! area under the curve without negatives) are left out of the map instead of being written as a number.

mod binary;
mod bootstrap;
mod multiclass;
mod quantile;
mod ranking;
mod regression;
mod reliability;
mod sweep;

use std::collections::BTreeMap;

use crate::MlError;

pub use binary::{BinaryEvaluation, Confusion, Costs, Decile, brier, log_loss};
pub use bootstrap::{BootstrapOptions, Interval, bootstrap, bootstrap_all};
pub use multiclass::MulticlassEvaluation;
pub use quantile::{QuantileEvaluation, pinball, quantile};
pub use ranking::{RankingEvaluation, average_precision_at_group, ndcg};
pub use regression::RegressionEvaluation;
pub use reliability::{Binning, ReliabilityBin, calibration_error, reliability, wilson};
pub use sweep::{CurvePoint, Order, Sweep};

/// Probabilities are kept this far from 0 and 1 in a log-loss.
const CLIP: f64 = 1e-15;

/// Predictions beside what came to be.
#[derive(Debug, Clone, Copy)]
pub struct Answers<'a> {
    /// Predictions, row by row: one for each row, or one for each class of each row.
    pub predicted: &'a [f64],
    /// What came to be, in the form of [`crate::Task`].
    pub actual: &'a [f64],
    /// How much each row counts; 1 if there are none.
    pub weights: Option<&'a [f64]>,
}

impl<'a> Answers<'a> {
    /// Rows that count alike.
    pub fn new(predicted: &'a [f64], actual: &'a [f64]) -> Self {
        Self { predicted, actual, weights: None }
    }

    /// The same answers under other weights.
    #[must_use]
    pub fn weighted(self, weights: &'a [f64]) -> Self {
        Self { weights: Some(weights), ..self }
    }

    fn weight(&self, row: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights[row])
    }

    /// The weighted mean over rows of what `of` says of (prediction, actual); NaN if no row counts.
    fn mean(&self, of: impl Fn(f64, f64) -> f64) -> f64 {
        let mut sum = 0.0;
        let mut total = 0.0;
        for (row, (predicted, actual)) in self.predicted.iter().zip(self.actual).enumerate() {
            let weight = self.weight(row);
            if weight > 0.0 {
                sum += weight * of(*predicted, *actual);
                total += weight;
            }
        }
        sum / total
    }

    /// Refuses answers whose parts do not fit together: `outputs` predictions for each row, all of them numbers.
    fn check(&self, outputs: usize) -> Result<(), MlError> {
        let rows = self.actual.len();
        if rows == 0 {
            return Err(MlError::Shape("there are no rows to evaluate on".to_owned()));
        }
        if self.predicted.len() != rows * outputs {
            let got = self.predicted.len();
            return Err(MlError::Shape(format!("{got} predictions for {rows} rows with {outputs} outputs each")));
        }
        if let Some(weights) = self.weights {
            if weights.len() != rows {
                return Err(MlError::Shape(format!("{rows} rows, {} weights", weights.len())));
            }
            if !weights.iter().all(|weight| weight.is_finite() && *weight >= 0.0) || weights.iter().sum::<f64>() <= 0.0
            {
                return Err(MlError::Shape("weights must be numbers from 0, not all of them 0".to_owned()));
            }
        }
        if let Some(at) = self.predicted.iter().position(|predicted| !predicted.is_finite()) {
            return Err(MlError::Shape(format!("the prediction of row {} is not a number", at / outputs)));
        }
        Ok(())
    }
}

/// The figures that are numbers, by name.
fn figures<const N: usize>(all: [(&str, f64); N]) -> BTreeMap<String, f64> {
    all.into_iter().filter(|(_, figure)| figure.is_finite()).map(|(name, figure)| (name.to_owned(), figure)).collect()
}
