//! A logistic curve over log-odds (Platt 1999), fitted by Newton's method with backtracking in the numerically stable form of
//! Lin, Lin and Weng (A note on Platt's probabilistic outputs for support vector machines, 2007).

use serde::{Deserialize, Serialize};

use super::{check, log_odds};
use crate::{MlError, linear::sigmoid, sound};

const STEPS: usize = 100;
/// The fit ends when no entry of the gradient is larger than this for each row.
const GRADIENT: f64 = 1e-12;
/// Added to the diagonal of the Hessian, which keeps it positive definite.
const RIDGE: f64 = 1e-12;
/// The shortest step that is still tried.
const SHORTEST: f64 = 1e-10;

/// The corrected log-odds are `slope` times the log-odds plus `intercept`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Platt {
    slope: f64,
    intercept: f64,
}

/// Log-odds, smoothed target, weight.
type Point = (f64, f64, f64);

impl Platt {
    /// Fits the curve to probabilities and what came to be (1 or 0). Targets are pulled a little towards the middle, as
    /// Platt does, by the rule of succession.
    pub fn fit(probabilities: &[f64], actual: &[f64], weights: Option<&[f64]>) -> Result<Self, MlError> {
        let (negative, positive) = check(probabilities, actual, weights)?;
        let (yes, no) = ((positive + 1.0) / (positive + 2.0), 1.0 / (negative + 2.0));
        let point = |row: usize| {
            let target = if actual[row] == 1.0 { yes } else { no };
            (log_odds(probabilities[row]), target, weights.map_or(1.0, |weights| weights[row]))
        };
        let points: Vec<Point> = (0..actual.len()).map(point).collect();
        let mut curve = Self { slope: 0.0, intercept: ((positive + 1.0) / (negative + 1.0)).ln() };
        let mut loss = curve.loss(&points);
        for _ in 0..STEPS {
            let (gradient, step) = curve.newton(&points);
            if gradient[0].abs().max(gradient[1].abs()) < GRADIENT * points.len() as f64 {
                break;
            }
            let slope_of_loss = gradient[0] * step[0] + gradient[1] * step[1];
            let mut length = 1.0;
            let accepted = loop {
                let next =
                    Self { slope: curve.slope + length * step[0], intercept: curve.intercept + length * step[1] };
                let next_loss = next.loss(&points);
                if next_loss < loss + 1e-4 * length * slope_of_loss {
                    break Some((next, next_loss));
                }
                length /= 2.0;
                if length < SHORTEST {
                    break None;
                }
            };
            // Rounding leaves no step that is better: this is the optimum.
            let Some(better) = accepted else { break };
            (curve, loss) = better;
        }
        if curve.slope <= 0.0 {
            let what = "higher scores do not mean more yes on the rows held out for calibration; hold more rows out, or \
                        look whether the labels are reversed";
            return Err(MlError::Shape(what.to_owned()));
        }
        Ok(curve)
    }

    /// What log-odds are multiplied with.
    pub fn slope(&self) -> f64 {
        self.slope
    }

    /// What is added then.
    pub fn intercept(&self) -> f64 {
        self.intercept
    }

    /// Refuses what gives no probabilities.
    pub(super) fn check(&self) -> Result<(), MlError> {
        sound::numbers("the calibration", [&self.slope, &self.intercept])?;
        sound::fits(self.slope > 0.0, "the calibration turns the order of answers around")
    }

    /// The corrected probability.
    pub fn apply(&self, probability: f64) -> f64 {
        sigmoid(self.slope * log_odds(probability) + self.intercept)
    }

    fn loss(&self, points: &[Point]) -> f64 {
        let loss = |(odds, target, weight): &Point| {
            let margin = self.slope * odds + self.intercept;
            // ln(1 + e^margin) - target * margin, without overflow on either side.
            weight * (margin.max(0.0) - target * margin + (-margin.abs()).exp().ln_1p())
        };
        points.iter().map(loss).sum()
    }

    /// The gradient, and the Newton step.
    fn newton(&self, points: &[Point]) -> ([f64; 2], [f64; 2]) {
        let (mut g, mut h) = ([0.0; 2], [RIDGE, 0.0, RIDGE]);
        for (odds, target, weight) in points {
            let probability = sigmoid(self.slope * odds + self.intercept);
            let error = weight * (probability - target);
            let curvature = weight * probability * (1.0 - probability);
            g[0] += error * odds;
            g[1] += error;
            h[0] += curvature * odds * odds;
            h[1] += curvature * odds;
            h[2] += curvature;
        }
        let determinant = h[0] * h[2] - h[1] * h[1];
        let step = [-(h[2] * g[0] - h[1] * g[1]) / determinant, -(h[0] * g[1] - h[1] * g[0]) / determinant];
        (g, step)
    }
}
