//! Logistic regression, binary and multinomial, with ridge, lasso or both.
//!
//! Minimises, as scikit-learn does, `C · Σ weight·(-log p(answer)) + (1 - l1_ratio)/2 · Σ w² + l1_ratio · Σ |w|`; the
//! intercepts are free. Binary with up to 400 columns by Newton's method (with coordinate descent inside where there is a
//! lasso), everything else by L-BFGS and OWL-QN. A column that separates the answers is no harm: C is finite.

use fearless_simd::Level;
use serde::{Deserialize, Serialize};

use super::softmax::{Softmax, softmax};
use super::{Design, Loss, Margins, Penalty, Problem, positive, sigmoid, weights_of_rows};
use crate::predict::row_by_row;
use crate::{Context, Examples, Explain, Matrix, MlError, Predict, Task};

/// How much the rows of a class count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassWeights {
    /// As their weights say.
    #[default]
    Equal,
    /// Each class as much as every other: rows / (classes · rows of the class), by weight.
    Balanced,
}

/// How to fit a [`LogisticRegression`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogisticOptions {
    /// The inverse strength of the penalty.
    pub c: f64,
    /// The lasso's share of the penalty, from 0 to 1.
    pub l1_ratio: f64,
    /// How much the rows of a class count.
    pub class_weights: ClassWeights,
    /// The fit ends when no entry of the (least sub)gradient is larger than this for each unit of weight times C.
    pub tolerance: f64,
    /// At most so many steps.
    pub steps: usize,
}

impl Default for LogisticOptions {
    fn default() -> Self {
        Self { c: 1.0, l1_ratio: 0.0, class_weights: ClassWeights::Equal, tolerance: 1e-6, steps: 1000 }
    }
}

/// A fitted logistic regression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogisticRegression {
    margins: Margins,
}

impl LogisticRegression {
    /// Learns from examples of [`Task::Binary`] or [`Task::Multiclass`].
    pub fn fit(examples: &Examples, options: &LogisticOptions, context: &Context) -> Result<Self, MlError> {
        examples.check()?;
        positive("c", options.c)?;
        positive("the tolerance", options.tolerance)?;
        if !(0.0..=1.0).contains(&options.l1_ratio) {
            return Err(MlError::Shape(format!("l1_ratio is {}; it must be from 0 to 1", options.l1_ratio)));
        }
        let classes = match examples.task {
            Task::Binary => 2,
            Task::Multiclass { classes } => classes as usize,
            Task::Regression | Task::Ranking => {
                let text = "logistic regression predicts classes; take linear regression for numbers";
                return Err(MlError::Shape(text.to_owned()));
            }
        };
        let design = Design::new(examples.rows)?;
        let weights = weights_of_rows(examples, classes, options.class_weights)?;
        let scales: Vec<f64> = weights.iter().map(|weight| options.c * weight).collect();
        let penalty = Penalty { ridge: 1.0 - options.l1_ratio, lasso: options.l1_ratio, intercept: false };
        let coefficients = if classes == 2 {
            let targets: Vec<f64> = examples.target.iter().map(|target| 2.0 * target - 1.0).collect();
            let problem = Problem {
                design: &design,
                loss: Loss::Logistic,
                targets: &targets,
                scales: &scales,
                penalty,
                free_intercept: true,
                tolerance: options.tolerance,
                steps: options.steps,
            };
            problem.solve(vec![0.0; design.columns() + 1], context)?
        } else {
            let (tolerance, steps) = (options.tolerance, options.steps);
            let targets = examples.target;
            Softmax { design: &design, classes, targets, scales: &scales, penalty, tolerance, steps }.solve(context)?
        };
        Ok(Self { margins: Margins::new(&design, &coefficients, &weights, context) })
    }

    /// Refuses what cannot answer rows of so many columns.
    pub(crate) fn check(&self, columns: usize) -> Result<(), MlError> {
        self.margins.check(columns)
    }

    /// From weights that are known, of the answer 1.
    pub(crate) fn of_parts(weights: Vec<f64>, intercept: f64, means: Vec<f64>) -> Self {
        Self { margins: Margins::of_parts(weights, intercept, means) }
    }

    /// Writes the log-odds of the answer 1, or the margin of each class.
    pub fn margins(&self, row: &[f64], out: &mut [f64]) {
        out.iter_mut().enumerate().for_each(|(output, out)| *out = self.margins.margin(row, output));
    }

    /// The weights of the columns: of the answer 1, or of the class `output`.
    pub fn weights(&self, output: usize) -> &[f64] {
        self.margins.weights(output)
    }

    /// The intercept that belongs to [`Self::weights`].
    pub fn intercept(&self, output: usize) -> f64 {
        self.margins.intercept(output)
    }
}

impl Predict for LogisticRegression {
    fn outputs(&self) -> usize {
        self.margins.outputs()
    }

    fn predict(&self, row: &[f64], out: &mut [f64]) {
        if let [one] = out {
            *one = sigmoid(self.margins.margin(row, 0));
        } else {
            self.margins(row, out);
            softmax(out);
        }
    }

    fn predict_rows(&self, rows: &Matrix, out: &mut [f64]) {
        if self.outputs() == 1 {
            self.margins.answer_rows(Level::new(), rows, out, sigmoid);
        } else {
            row_by_row(self, rows, out);
        }
    }
}

impl Explain for LogisticRegression {
    fn contributions(&self, row: &[f64], output: usize, out: &mut [f64]) -> f64 {
        self.margins.contributions(row, output, out)
    }
}
