//! Evaluation of predicted numbers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Answers, figures};
use crate::MlError;

/// How good predicted numbers are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RegressionEvaluation {
    /// Rows.
    pub rows: usize,
    /// Figures by name: `rmse`, `mae`, `r2`, `mape` (only if no actual is 0), `median_error` (the median of the absolute
    /// errors), `base_rmse` (always answering the mean).
    pub figures: BTreeMap<String, f64>,
}

impl RegressionEvaluation {
    /// Compares predicted numbers with what came to be.
    pub fn of(answers: &Answers<'_>) -> Result<Self, MlError> {
        answers.check(1)?;
        if let Some(at) = answers.actual.iter().position(|actual| !actual.is_finite()) {
            return Err(MlError::Shape(format!("the target of row {at} is not a number")));
        }
        let squares = answers.mean(|predicted, actual| (predicted - actual).powi(2));
        let mean = answers.mean(|_, actual| actual);
        let variance = answers.mean(|_, actual| (actual - mean).powi(2));
        let relative = answers.mean(
            |predicted, actual| {
                if actual == 0.0 { f64::NAN } else { ((predicted - actual) / actual).abs() }
            },
        );
        let figures = figures([
            ("rmse", squares.sqrt()),
            ("mae", answers.mean(|predicted, actual| (predicted - actual).abs())),
            ("r2", if variance > 0.0 { 1.0 - squares / variance } else { f64::NAN }),
            ("mape", relative),
            ("median_error", median_error(answers)),
            ("base_rmse", variance.sqrt()),
        ]);
        Ok(Self { rows: answers.actual.len(), figures })
    }
}

/// The weighted median of the absolute errors: where half of the weight lies below, the mean of the two that meet there.
fn median_error(answers: &Answers<'_>) -> f64 {
    let error = |row: usize| (answers.predicted[row] - answers.actual[row]).abs();
    let mut errors: Vec<(f64, f64)> = (0..answers.actual.len())
        .map(|row| (error(row), answers.weight(row)))
        .filter(|(_, weight)| *weight > 0.0)
        .collect();
    errors.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half = errors.iter().map(|(_, weight)| weight).sum::<f64>() / 2.0;
    let mut below = 0.0;
    for (at, (error, weight)) in errors.iter().enumerate() {
        below += weight;
        if below > half {
            return *error;
        }
        if below == half {
            return errors.get(at + 1).map_or(*error, |(next, _)| f64::midpoint(*error, *next));
        }
    }
    f64::NAN
}
