//! Corrects probabilities so that they can be taken at their word: of those told 30 %, 30 % come to be.
//!
//! Fitted on rows that the model has not seen. [`Isotonic`] bends freely but needs some thousand rows; [`Platt`] has two numbers and
//! works with few; [`Temperature`] has one and serves several classes. All keep order (isotonic may make ties).

mod isotonic;
mod platt;
mod temperature;

use serde::{Deserialize, Serialize};

pub use isotonic::Isotonic;
pub use platt::Platt;
pub use temperature::Temperature;

use crate::MlError;

/// Probabilities are kept this far from 0 and 1 before their log-odds are taken.
const CLIP: f64 = 1e-12;

/// A fitted correction of probabilities.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Calibrator {
    /// A curve that never falls.
    Isotonic(Isotonic),
    /// A logistic curve over log-odds.
    Platt(Platt),
    /// Log-odds divided by one number.
    Temperature(Temperature),
}

impl Calibrator {
    /// `isotonic`, `platt` or `temperature`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Isotonic(_) => "isotonic",
            Self::Platt(_) => "platt",
            Self::Temperature(_) => "temperature",
        }
    }

    /// Refuses what gives no probabilities.
    pub(crate) fn check(&self) -> Result<(), MlError> {
        match self {
            Self::Isotonic(isotonic) => isotonic.check(),
            Self::Platt(platt) => platt.check(),
            Self::Temperature(temperature) => temperature.check(),
        }
    }

    /// The corrected probability of yes.
    pub fn apply(&self, probability: f64) -> f64 {
        match self {
            Self::Isotonic(isotonic) => isotonic.apply(probability),
            Self::Platt(platt) => platt.apply(probability),
            Self::Temperature(temperature) => temperature.apply(probability),
        }
    }

    /// Corrects an answer in place: the probability of yes, or one for each class. Of classes, the temperature corrects all
    /// together; the other two each by itself, brought back to a sum of 1 (Zadrozny and Elkan 2002).
    pub fn apply_row(&self, answer: &mut [f64]) {
        match (self, &mut *answer) {
            (_, [probability]) => *probability = self.apply(*probability),
            (Self::Temperature(temperature), classes) => temperature.apply_row(classes),
            (_, classes) => {
                classes.iter_mut().for_each(|probability| *probability = self.apply(*probability));
                let sum: f64 = classes.iter().sum();
                classes.iter_mut().for_each(|probability| *probability /= sum);
            }
        }
    }
}

fn log_odds(probability: f64) -> f64 {
    let probability = probability.clamp(CLIP, 1.0 - CLIP);
    (probability / (1.0 - probability)).ln()
}

/// Refuses what no curve can be fitted to: no rows, parts of different lengths, labels or probabilities that are none.
/// Returns the weight of negatives and of positives.
fn check(probabilities: &[f64], actual: &[f64], weights: Option<&[f64]>) -> Result<(f64, f64), MlError> {
    let rows = actual.len();
    if probabilities.len() != rows || weights.is_some_and(|weights| weights.len() != rows) {
        return Err(MlError::Shape(
            "calibration needs a label (and a weight, if there are any) for each row".to_owned(),
        ));
    }
    if probabilities.iter().any(|probability| !(0.0..=1.0).contains(probability)) {
        return Err(MlError::Shape(
            "calibration corrects probabilities from 0 to 1; there are other numbers".to_owned(),
        ));
    }
    let mut totals = (0.0, 0.0);
    for (row, actual) in actual.iter().enumerate() {
        let weight = weights.map_or(1.0, |weights| weights[row]);
        if !(weight.is_finite() && weight >= 0.0) {
            return Err(MlError::Shape(format!("the weight of row {row} is {weight}; it must be a number from 0")));
        }
        match actual {
            0.0 => totals.0 += weight,
            1.0 => totals.1 += weight,
            _ => return Err(MlError::Shape(format!("the label of row {row} is {actual}; it must be 1 or 0"))),
        }
    }
    if totals.0 <= 0.0 || totals.1 <= 0.0 {
        return Err(MlError::Shape("calibration needs rows of both labels; hold more rows out for it".to_owned()));
    }
    Ok(totals)
}
