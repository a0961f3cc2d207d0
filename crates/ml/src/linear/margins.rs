//! The fitted part of every linear model: weights, intercepts, and the means that explanations start from.

#![expect(clippy::inline_always, reason = "only what is inlined is compiled for the instructions that were found")]

use fearless_simd::{Level, dispatch};
use serde::{Deserialize, Serialize};

use super::Design;
use super::dot::{dot, dot_present};
use crate::{Context, Matrix, MlError, sound};

/// So many margins of a batch are made before they are turned into answers, side by side.
const BLOCK: usize = 64;

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

    /// Refuses what is not for rows of so many columns, or has not a sound weight and mean for each of them.
    pub(crate) fn check(&self, columns: usize) -> Result<(), MlError> {
        let weights = columns.checked_mul(self.outputs());
        let is_as_wide = self.columns == columns && weights == Some(self.weights.len()) && self.means.len() == columns;
        sound::fits(is_as_wide, "a linear model has not one weight for each column that its preprocessing makes")?;
        sound::numbers("a weight", self.weights.iter().chain(&self.intercepts))?;
        sound::numbers("a mean", &self.means)
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

    #[inline(always)]
    pub(crate) fn margin(&self, row: &[f64], output: usize) -> f64 {
        dot_present(row, self.weights(output)) + self.intercepts[output]
    }

    /// Writes what `link` makes of the margin of each row, for a model of one output. The bits are those of [`Self::margin`],
    /// whatever instructions are taken.
    pub(crate) fn answer_rows(&self, level: Level, rows: &Matrix, out: &mut [f64], link: impl Fn(f64) -> f64) {
        dispatch!(level, _ => self.answer_rows_inlined(rows, out, &link));
    }

    #[inline(always)]
    fn answer_rows_inlined(&self, rows: &Matrix, out: &mut [f64], link: &impl Fn(f64) -> f64) {
        for (rows, out) in rows.values().chunks(BLOCK * self.columns).zip(out.chunks_mut(BLOCK)) {
            for (row, out) in rows.chunks_exact(self.columns).zip(&mut *out) {
                *out = self.margin(row, 0);
            }
            out.iter_mut().for_each(|out| *out = link(*out));
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::levels::levels;
    use crate::linear::sigmoid;
    use crate::{Matrix, Random};

    #[test]
    fn a_batch_is_answered_as_row_by_row_with_any_instructions() {
        let mut random = Random::new(11, 0);
        for columns in [1, 3, 4, 20, 61] {
            let mut number = |scale: f64| scale * (random.uniform() - 0.5);
            let margins =
                Margins::of_parts((0..columns).map(|_| number(9.0)).collect(), number(3.0), vec![0.0; columns]);
            let value = |at: usize| if at % 17 == 3 { f64::NAN } else { number(4.0) };
            let rows = Matrix::from_values(columns, (0..150 * columns).map(value).collect()).unwrap();
            for link in [sigmoid, |margin| margin] {
                let expected: Vec<u64> =
                    (0..rows.rows()).map(|row| link(margins.margin(rows.row(row), 0)).to_bits()).collect();
                for level in levels() {
                    let mut out = vec![f64::NAN; rows.rows()];
                    margins.answer_rows(level, &rows, &mut out, link);
                    let bits: Vec<u64> = out.iter().map(|out| out.to_bits()).collect();
                    assert_eq!(bits, expected, "{columns} columns at {level:?}");
                }
            }
        }
    }
}
