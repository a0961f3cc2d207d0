//! The fitted part of every linear model: weights, intercepts, and the means that explanations start from.

use serde::{Deserialize, Serialize};

use super::Design;
use super::dot::{dot, dot_present};
use crate::Context;

/// The logistic function.
pub(crate) fn sigmoid(margin: f64) -> f64 {
    // The exponential of a number that is not positive cannot overflow.
    let small = (-margin.abs()).exp();
    if margin >= 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) }
}

/// Weighted sums of a row, one for each output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Margins {
    columns: usize,
    /// By outputs, then by columns.
    weights: Vec<f64>,
    intercepts: Vec<f64>,
    /// The mean of each column in training.
    means: Vec<f64>,
}

impl Margins {
    /// Takes coefficients as the solvers make them: for each output its weights, then its intercept.
    pub(crate) fn new(design: &Design, coefficients: &[f64], weights_of_rows: &[f64], context: &Context) -> Self {
        let columns = design.columns();
        let mut means = design.sum(context, weights_of_rows);
        let total = means[columns];
        means.truncate(columns);
        means.iter_mut().for_each(|mean| *mean /= total);
        let outputs = coefficients.chunks_exact(columns + 1);
        Self {
            columns,
            intercepts: outputs.clone().map(|output| output[columns]).collect(),
            weights: outputs.flat_map(|output| &output[..columns]).copied().collect(),
            means,
        }
    }

    /// One output.
    pub(crate) fn of_parts(weights: Vec<f64>, intercept: f64, means: Vec<f64>) -> Self {
        Self { columns: weights.len(), weights, intercepts: vec![intercept], means }
    }

    /// Whether it is for rows of so many columns, and has a weight and a mean for each of them.
    pub(crate) fn fits(&self, columns: usize) -> bool {
        let weights = columns.checked_mul(self.outputs());
        self.columns == columns && weights == Some(self.weights.len()) && self.means.len() == columns
    }

    pub(crate) fn outputs(&self) -> usize {
        self.intercepts.len()
    }

    pub(crate) fn weights(&self, output: usize) -> &[f64] {
        &self.weights[output * self.columns..][..self.columns]
    }

    pub(crate) fn intercept(&self, output: usize) -> f64 {
        self.intercepts[output]
    }

    pub(crate) fn margin(&self, row: &[f64], output: usize) -> f64 {
        dot_present(row, self.weights(output)) + self.intercepts[output]
    }

    /// See [`crate::Explain::contributions`]: weight times the distance from the mean; the base is the margin at the means.
    pub(crate) fn contributions(&self, row: &[f64], output: usize, out: &mut [f64]) -> f64 {
        let weights = self.weights(output);
        for ((out, value), (weight, mean)) in out.iter_mut().zip(row).zip(weights.iter().zip(&self.means)) {
            let value = if value.is_nan() { 0.0 } else { *value };
            *out = weight * (value - mean);
        }
        dot(weights, &self.means) + self.intercepts[output]
    }
}
