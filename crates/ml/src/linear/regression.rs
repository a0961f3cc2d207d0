//! Linear regression: least squares, ridge, lasso and elastic net.
//!
//! The objectives are scikit-learn's: least squares `Σ weight·r²`; ridge `Σ weight·r² + alpha·Σ w²`; elastic net
//! `Σ weight·r² / (2·Σ weight) + alpha·l1_ratio·Σ |w| + alpha·(1 - l1_ratio)/2 · Σ w²`, of which `l1_ratio` 1 is the
//! lasso. The intercept is free.
//!
//! Up to 1,000 columns the normal equations of the centred columns are solved by Cholesky's factor, corrected once by the
//! residuals of the rows, or by coordinate descent with covariance updates where there is a lasso. A column that follows
//! from those before it gets the weight 0 if there is no ridge. Wider rows go to L-BFGS and OWL-QN.

use fearless_simd::Level;
use serde::{Deserialize, Serialize};

use super::symmetric::{Factor, descend};
use super::{Design, Loss, Margins, Penalty, Problem, positive};
use crate::{Context, Examples, Explain, Matrix, MlError, Predict, Task};

const NARROW: usize = 1000;

/// How to fit a [`LinearRegression`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "penalty", deny_unknown_fields)]
pub enum LinearOptions {
    /// Least squares.
    None,
    /// Squares of the weights cost.
    Ridge {
        /// What they cost; a positive number.
        alpha: f64,
    },
    /// Absolute values and squares of the weights cost.
    ElasticNet {
        /// What they cost; a positive number.
        alpha: f64,
        /// The absolute values' share, above 0 and up to 1.
        l1_ratio: f64,
    },
}

impl Default for LinearOptions {
    fn default() -> Self {
        Self::Ridge { alpha: 1.0 }
    }
}

/// A fitted linear regression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinearRegression {
    margins: Margins,
}

impl LinearRegression {
    /// Learns from examples of [`Task::Regression`].
    pub fn fit(examples: &Examples, options: &LinearOptions, context: &Context) -> Result<Self, MlError> {
        examples.check()?;
        if examples.task != Task::Regression {
            let text = "linear regression predicts numbers; take logistic regression for classes";
            return Err(MlError::Shape(text.to_owned()));
        }
        let weights: Vec<f64> = (0..examples.target.len()).map(|row| examples.weight(row)).collect();
        let total: f64 = weights.iter().sum();
        if total <= 0.0 {
            return Err(MlError::Shape("all weights are 0; give the rows to learn from a positive weight".to_owned()));
        }
        let penalty = penalty(*options, total)?;
        let design = Design::new(examples.rows)?;
        context.go_on()?;
        let coefficients = if design.columns() <= NARROW {
            narrow(&design, examples.target, &weights, penalty, context)
        } else {
            let problem = Problem {
                design: &design,
                loss: Loss::Square,
                targets: examples.target,
                scales: &weights,
                penalty,
                free_intercept: true,
                tolerance: 1e-9,
                steps: 10_000,
            };
            problem.solve(vec![0.0; design.columns() + 1], context)?
        };
        Ok(Self { margins: Margins::new(&design, &coefficients, &weights, context) })
    }

    /// Refuses what cannot answer rows of so many columns.
    pub(crate) fn check(&self, columns: usize) -> Result<(), MlError> {
        self.margins.check(columns)
    }

    /// The weights of the columns.
    pub fn weights(&self) -> &[f64] {
        self.margins.weights(0)
    }

    /// The value of a row of zeros.
    pub fn intercept(&self) -> f64 {
        self.margins.intercept(0)
    }
}

/// The penalty beside `½ Σ weight·r²`.
fn penalty(options: LinearOptions, total: f64) -> Result<Penalty, MlError> {
    let (ridge, lasso) = match options {
        LinearOptions::None => (0.0, 0.0),
        LinearOptions::Ridge { alpha } => {
            positive("alpha", alpha)?;
            (alpha, 0.0)
        }
        LinearOptions::ElasticNet { alpha, l1_ratio } => {
            positive("alpha", alpha)?;
            if !(l1_ratio > 0.0 && l1_ratio <= 1.0) {
                let text = format!("l1_ratio is {l1_ratio}; it must be above 0 and at most 1 (for 0 take ridge)");
                return Err(MlError::Shape(text));
            }
            (alpha * (1.0 - l1_ratio) * total, alpha * l1_ratio * total)
        }
    };
    Ok(Penalty { ridge, lasso, intercept: false })
}

fn narrow(design: &Design, target: &[f64], weights: &[f64], penalty: Penalty, context: &Context) -> Vec<f64> {
    let columns = design.columns();
    let side = columns + 1;
    let total: f64 = weights.iter().sum();
    let mean = target.iter().zip(weights).map(|(y, w)| w * y).sum::<f64>() / total;
    let sums = design.sum(context, weights);
    let means: Vec<f64> = sums[..columns].iter().map(|sum| sum / total).collect();
    let square = design.squares(context, weights);
    let mut gram = vec![0.0; columns * columns];
    for line in 0..columns {
        for column in 0..=line {
            gram[line * columns + column] = square[line * side + column] - total * means[line] * means[column];
        }
        gram[line * columns + line] += penalty.ridge;
    }
    // What the centred columns have in common with the residuals, less the ridge's pull.
    let pull = |coefficients: &[f64]| -> Vec<f64> {
        let margins = design.margins(context, coefficients);
        let scales: Vec<f64> =
            target.iter().zip(&margins).zip(weights).map(|((y, margin), weight)| weight * (y - margin)).collect();
        let sum = design.sum(context, &scales);
        (0..columns).map(|j| sum[j] - means[j] * sum[columns] - penalty.ridge * coefficients[j]).collect()
    };
    let with_intercept = |mut weights: Vec<f64>| {
        let shift: f64 = weights.iter().zip(&means).map(|(weight, mean)| weight * mean).sum();
        weights.push(mean - shift);
        weights
    };
    let start = with_intercept(vec![0.0; columns]);
    let pulled = pull(&start);
    if penalty.lasso > 0.0 {
        let slope: Vec<f64> = pulled.iter().map(|pull| -pull).collect();
        let scale = super::dot::largest(&slope);
        let lasso = vec![penalty.lasso; columns];
        return with_intercept(descend(&gram, &slope, &start[..columns], &lasso, 1e-10 * scale));
    }
    let factor = Factor::new(gram, columns);
    let first = with_intercept(factor.solve(&pulled));
    let correction = factor.solve(&pull(&first));
    with_intercept(first[..columns].iter().zip(&correction).map(|(weight, more)| weight + more).collect())
}

impl Predict for LinearRegression {
    fn outputs(&self) -> usize {
        1
    }

    fn predict(&self, row: &[f64], out: &mut [f64]) {
        out[0] = self.margins.margin(row, 0);
    }

    fn predict_rows(&self, rows: &Matrix, out: &mut [f64]) {
        self.margins.answer_rows(Level::new(), rows, out, |margin| margin);
    }
}

impl Explain for LinearRegression {
    fn contributions(&self, row: &[f64], output: usize, out: &mut [f64]) -> f64 {
        self.margins.contributions(row, output, out)
    }
}
