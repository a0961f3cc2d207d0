//! One measure for numbers of different units: distance from the mean in standard deviations.

use serde::{Deserialize, Serialize};

use crate::{Matrix, sound::is_usual};

/// The mean of a column and the inverse of its standard deviation, both by weight; the inverse is 0 for a column without
/// spread, which then never counts. A missing value stands at the mean.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Standard {
    pub(crate) mean: f64,
    pub(crate) inverse: f64,
}

impl Standard {
    pub(crate) fn of(rows: &Matrix, column: usize, weight: impl Fn(usize) -> f64) -> Self {
        let present = || rows.column(column).enumerate().filter(|(_, value)| value.is_finite());
        let total: f64 = present().map(|(row, _)| weight(row)).sum();
        if total <= 0.0 {
            return Self { mean: 0.0, inverse: 0.0 };
        }
        let mean = present().map(|(row, value)| weight(row) * value).sum::<f64>() / total;
        let variance = present().map(|(row, value)| weight(row) * (value - mean).powi(2)).sum::<f64>() / total;
        // Rounding leaves a trace of spread in a column of equal values.
        let spread = variance.sqrt() > 1e-12 * mean.abs().max(1.0);
        if !is_usual(mean) || !is_usual(variance) {
            // One value beyond all measure: in such units all others are equal.
            return Self { mean: 0.0, inverse: 0.0 };
        }
        Self { mean, inverse: if spread { variance.sqrt().recip() } else { 0.0 } }
    }

    /// The value in standard deviations from the mean.
    #[inline]
    pub(crate) fn apply(self, value: f64) -> f64 {
        let apart = (value - self.mean) * self.inverse;
        if value.is_finite() { apart } else { 0.0 }
    }
}
