//! Numbers for linear models: standardised, long tails by their logarithm, missing values at the mean and told apart.

use serde::{Deserialize, Serialize};

use crate::{MlError, sound};

/// Beyond this skewness a column that is never negative is taken by its logarithm, unless that is more skewed the other way: up to
/// it a distribution is fairly symmetrical (Bulmer, Principles of Statistics, 1979).
const SKEWED: f64 = 0.5;

/// What was learnt of a column of numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Standard {
    /// Whether `ln(1 + x)` stands for x; less than 0 counts as 0.
    pub(super) logarithm: bool,
    pub(super) mean: f64,
    /// 0 if all values were equal.
    pub(super) deviation: f64,
    /// Whether values were missing; then a second output tells.
    pub(super) indicator: bool,
}

impl Standard {
    /// From the values that are there, and whether others are missing.
    pub(super) fn fit(values: &[f64], missing: bool) -> Self {
        let plain = moments(values);
        let by_logarithm = || {
            let logarithms: Vec<f64> = values.iter().map(|value| value.ln_1p()).collect();
            let found = moments(&logarithms);
            // Two values are as skewed by their logarithms, but for rounding.
            (found.2.abs() <= plain.2 * (1.0 + 1e-9)).then_some(found)
        };
        let is_long = plain.2 > SKEWED && values.iter().all(|value| *value >= 0.0);
        let found = if is_long { by_logarithm() } else { None };
        let (mean, deviation, _) = found.unwrap_or(plain);
        let mut standard = Self { logarithm: found.is_some(), mean, deviation, indicator: missing };
        // Rounding leaves a trace of spread in a column of equal values.
        if standard.deviation <= 1e-12 * standard.mean.abs() {
            standard.deviation = 0.0;
        }
        if standard.check().is_err() {
            // One value beyond all measure: a weight for what it is divided by would say nothing of the others.
            (standard.logarithm, standard.mean, standard.deviation) = (false, 0.0, 0.0);
        }
        standard
    }

    /// Refuses what makes no numbers.
    pub(super) fn check(&self) -> Result<(), MlError> {
        sound::number("a mean", self.mean)?;
        sound::fits(self.deviation >= 0.0, "a deviation is negative")?;
        if self.deviation == 0.0 { Ok(()) } else { sound::divisor("a deviation", self.deviation) }
    }

    fn transform(&self, value: f64) -> f64 {
        if self.logarithm { value.max(0.0).ln_1p() } else { value }
    }

    pub(super) fn value(&self, value: f64) -> f64 {
        if self.deviation > 0.0 {
            // Divided by a small deviation a value beyond all measure would be none.
            ((self.transform(value) - self.mean) / self.deviation).clamp(-sound::LARGEST, sound::LARGEST)
        } else {
            0.0
        }
    }
}

/// Mean, standard deviation and skewness; zeros for no values.
pub(super) fn moments(values: &[f64]) -> (f64, f64, f64) {
    if values.is_empty() {
        return (0.0, 0.0, 0.0);
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let (mut second, mut third) = (0.0, 0.0);
    for value in values {
        let away = value - mean;
        second += away * away;
        third += away * away * away;
    }
    let deviation = (second / n).sqrt();
    (mean, deviation, if deviation > 0.0 { third / n / deviation.powi(3) } else { 0.0 })
}
