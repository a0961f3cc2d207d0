//! One number that makes all probabilities bolder or more careful (Guo, Pleiss, Sun, Weinberger: On calibration of modern neural
//! networks, 2017).

use serde::{Deserialize, Serialize};

use super::log_odds;
use crate::{MlError, linear::sigmoid, sound};

const CLIP: f64 = 1e-12;
/// The temperature is looked for between 1 / this and this.
const WIDEST: f64 = 100.0;
/// Halvings of that range: more than a double can tell apart.
const STEPS: usize = 60;

/// Logarithms of probabilities are divided by the temperature and brought back to a sum of 1. Above 1 is more careful. The
/// order of the classes stays.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Temperature {
    temperature: f64,
}

impl Temperature {
    /// Fits the temperature with the least log-loss to rows of `classes` probabilities and the classes that came to be.
    /// The log-loss is convex in the inverse of the temperature, whose derivative is brought to 0 by bisection.
    pub fn fit(predicted: &[f64], actual: &[f64], classes: usize, weights: Option<&[f64]>) -> Result<Self, MlError> {
        let rows = actual.len();
        if rows == 0 || classes < 2 || predicted.len() != rows * classes {
            let told = format!("{} probabilities for {rows} rows of {classes} classes", predicted.len());
            return Err(MlError::Shape(format!("{told}: each row needs one for each of at least 2 classes")));
        }
        if weights.is_some_and(|weights| weights.len() != rows) {
            return Err(MlError::Shape("calibration needs a weight for each row, if there are any".to_owned()));
        }
        if predicted.iter().any(|probability| !(0.0..=1.0).contains(probability)) {
            return Err(MlError::Shape(
                "calibration corrects probabilities from 0 to 1; there are other numbers".to_owned(),
            ));
        }
        if let Some(at) = actual.iter().position(|class| !(*class >= 0.0 && *class < classes as f64)) {
            return Err(MlError::Shape(format!(
                "the class of row {at} is {}, not a number below {classes}",
                actual[at]
            )));
        }
        let logs: Vec<f64> = predicted.iter().map(|probability| probability.max(CLIP).ln()).collect();
        let slope = |inverse: f64| -> f64 {
            let rows = logs.chunks_exact(classes).zip(actual).enumerate();
            rows.map(|(row, (logs, class))| {
                let weight = weights.map_or(1.0, |weights| weights[row]);
                weight * (expected(logs, inverse) - logs[*class as usize])
            })
            .sum()
        };
        let (mut low, mut high) = (WIDEST.recip().ln(), WIDEST.ln());
        for _ in 0..STEPS {
            let middle = f64::midpoint(low, high);
            if slope(middle.exp()) < 0.0 { low = middle } else { high = middle }
        }
        Ok(Self { temperature: (-f64::midpoint(low, high)).exp() })
    }

    /// The temperature; above 1 the model was too bold.
    pub fn temperature(&self) -> f64 {
        self.temperature
    }

    /// Refuses what gives no probabilities.
    pub(super) fn check(self) -> Result<(), MlError> {
        sound::divisor("the temperature of the calibration", self.temperature)?;
        sound::fits(self.temperature > 0.0, "the calibration turns the order of answers around")
    }

    /// The corrected probability of yes, of two classes.
    pub fn apply(&self, probability: f64) -> f64 {
        sigmoid(log_odds(probability) / self.temperature)
    }

    /// Corrects the probabilities of classes in place.
    pub fn apply_row(&self, classes: &mut [f64]) {
        let top = classes.iter().copied().fold(CLIP, f64::max).ln();
        let mut sum = 0.0;
        for probability in classes.iter_mut() {
            *probability = ((probability.max(CLIP).ln() - top) / self.temperature).exp();
            sum += *probability;
        }
        classes.iter_mut().for_each(|probability| *probability /= sum);
    }
}

/// The mean of the logarithms under the probabilities that the inverse temperature gives.
fn expected(logs: &[f64], inverse: f64) -> f64 {
    let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (mut sum, mut total) = (0.0, 0.0);
    for log in logs {
        let part = ((log - top) * inverse).exp();
        sum += part * log;
        total += part;
    }
    sum / total
}
