//! An artifact ready to answer.

use crate::{Artifact, Input};

/// Answers with probabilities; takes raw values and allocates nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictor {
    inputs: Vec<Input>,
    intercept: f64,
}

impl Predictor {
    /// Takes what it needs of an artifact.
    pub fn new(artifact: &Artifact) -> Self {
        Self { inputs: artifact.inputs.clone(), intercept: artifact.intercept }
    }

    /// The probability of a positive label; `values` in the order of the artifact's inputs, NaN where missing.
    pub fn predict(&self, values: &[f64]) -> f64 {
        let sum: f64 = self.inputs.iter().zip(values).map(|(input, value)| contribution(input, *value)).sum();
        logistic(self.intercept + sum)
    }

    /// What each input adds to the log-odds against the mean of the training rows; `contributions` is cleared first.
    pub fn contributions(&self, values: &[f64], contributions: &mut Vec<f64>) {
        contributions.clear();
        contributions.extend(self.inputs.iter().zip(values).map(|(input, value)| contribution(input, *value)));
    }
}

fn contribution(input: &Input, value: f64) -> f64 {
    let (scaled, missing) = input.standardised(value);
    input.weight * scaled + input.missing_weight * missing
}

/// The inverse of the log-odds, without overflow.
pub(crate) fn logistic(log_odds: f64) -> f64 {
    if log_odds >= 0.0 {
        1.0 / (1.0 + (-log_odds).exp())
    } else {
        let odds = log_odds.exp();
        odds / (1.0 + odds)
    }
}
