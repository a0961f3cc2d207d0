//! Linear support vector machine: classes one against the rest, or numbers with a tube in which errors cost nothing.
//!
//! Minimises `½ Σ w² + C · Σ weight·loss`, as LIBLINEAR does. The loss is the squared hinge, or for numbers the square of
//! what lies beyond the tube: both by Newton's method (Keerthi, DeCoste 2005: A modified finite Newton method), or L-BFGS
//! for more than 400 columns. The intercept is free; LIBLINEAR, and so scikit-learn's LinearSVC, penalises it as the
//! weight of a column of ones, which `penalise_intercept` does too.

use fearless_simd::Level;
use serde::{Deserialize, Serialize};

use super::platt::{Platt, folds};
use crate::linear::{Design, Loss, Margins, Penalty, Problem, positive, weights_of_rows};
use crate::predict::row_by_row;
use crate::sound::{self, Form};
use crate::{ClassWeights, Context, Examples, Explain, Matrix, MlError, Predict, Task};

/// How to fit a [`LinearSvm`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinearSvmOptions {
    /// What errors cost.
    pub c: f64,
    /// Half the width of the tube around numbers; without meaning for classes.
    pub epsilon: f64,
    /// Whether the intercept is penalised like a weight.
    pub penalise_intercept: bool,
    /// How much the rows of a class count.
    pub class_weights: ClassWeights,
    /// Probabilities are fitted to margins of rows left out in so many folds; 0 takes the margins of the training rows,
    /// which is faster and, for far more rows than columns, as good.
    pub folds: usize,
    /// The fit ends when no entry of the gradient is larger than this for each unit of weight times C.
    pub tolerance: f64,
    /// At most so many steps.
    pub steps: usize,
    /// Of the folds.
    pub seed: u64,
}

impl Default for LinearSvmOptions {
    fn default() -> Self {
        Self {
            c: 1.0,
            epsilon: 0.0,
            penalise_intercept: false,
            class_weights: ClassWeights::Equal,
            folds: 3,
            tolerance: 1e-6,
            steps: 1000,
            seed: 0,
        }
    }
}

/// A fitted linear support vector machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinearSvm {
    margins: Margins,
    /// One for each output; none for numbers.
    sigmoids: Vec<Platt>,
}

impl LinearSvm {
    /// Learns from examples of any task but ranking.
    pub fn fit(examples: &Examples, options: &LinearSvmOptions, context: &Context) -> Result<Self, MlError> {
        examples.check()?;
        check(options)?;
        let design = Design::new(examples.rows)?;
        let classes = match examples.task {
            Task::Binary => 2,
            Task::Multiclass { classes } => classes as usize,
            Task::Regression => return Self::numbers(examples, &design, options, context),
            Task::Ranking => {
                let text = "a support vector machine cannot rank; take boosted trees";
                return Err(MlError::Shape(text.to_owned()));
            }
        };
        let weights = weights_of_rows(examples, classes, options.class_weights)?;
        let (mut coefficients, mut sigmoids) = (Vec::new(), Vec::new());
        let outputs = if classes == 2 { 1..2 } else { 0..classes };
        for class in outputs {
            let side = |target: &f64| if *target == class as f64 { 1.0 } else { -1.0 };
            let targets: Vec<f64> = examples.target.iter().map(side).collect();
            let binary = Binary { design: &design, targets: &targets, weights: &weights, options };
            let best = binary.solve(&weights, vec![0.0; design.columns() + 1], context)?;
            let margins = binary.margins_left_out(&best, context)?;
            let counts: Vec<f64> = (0..margins.len()).map(|row| examples.weight(row)).collect();
            sigmoids.push(Platt::fit(&margins, &targets, &counts));
            coefficients.extend(best);
        }
        Ok(Self { margins: Margins::new(&design, &coefficients, &weights, context), sigmoids })
    }

    fn numbers(
        examples: &Examples,
        design: &Design,
        options: &LinearSvmOptions,
        context: &Context,
    ) -> Result<Self, MlError> {
        let weights: Vec<f64> = (0..design.rows()).map(|row| examples.weight(row)).collect();
        if weights.iter().all(|weight| *weight == 0.0) {
            return Err(MlError::Shape("all weights are 0; give the rows to learn from a positive weight".to_owned()));
        }
        let loss = Loss::SquaredTube { width: options.epsilon };
        let scales: Vec<f64> = weights.iter().map(|weight| options.c * weight).collect();
        let problem = problem(design, loss, examples.target, &scales, options);
        let coefficients = problem.solve(vec![0.0; design.columns() + 1], context)?;
        Ok(Self { margins: Margins::new(design, &coefficients, &weights, context), sigmoids: Vec::new() })
    }

    /// Refuses what cannot answer.
    pub(crate) fn check(&self, form: Form<'_>) -> Result<(), MlError> {
        self.margins.check(form.kinds.len())?;
        let sigmoids = if form.task == Task::Regression { 0 } else { self.outputs() };
        sound::fits(self.sigmoids.len() == sigmoids, "a support vector machine has not one sigmoid for each class")?;
        self.sigmoids.iter().try_for_each(Platt::check)
    }

    /// The weights of the columns.
    pub fn weights(&self, output: usize) -> &[f64] {
        self.margins.weights(output)
    }

    /// The margin of a row of zeros.
    pub fn intercept(&self, output: usize) -> f64 {
        self.margins.intercept(output)
    }
}

fn check(options: &LinearSvmOptions) -> Result<(), MlError> {
    positive("c", options.c)?;
    positive("the tolerance", options.tolerance)?;
    if !(options.epsilon >= 0.0 && options.epsilon.is_finite()) {
        return Err(MlError::Shape(format!("epsilon is {}; it must be a number from 0", options.epsilon)));
    }
    if options.folds == 1 {
        return Err(MlError::Shape("one fold leaves nothing to learn from; take 0 or at least 2 folds".to_owned()));
    }
    Ok(())
}

fn problem<'a>(
    design: &'a Design<'a>,
    loss: Loss,
    targets: &'a [f64],
    scales: &'a [f64],
    options: &LinearSvmOptions,
) -> Problem<'a> {
    Problem {
        design,
        loss,
        targets,
        scales,
        penalty: Penalty { ridge: 1.0, lasso: 0.0, intercept: options.penalise_intercept },
        free_intercept: true,
        tolerance: options.tolerance,
        steps: options.steps,
    }
}

/// One class against the rest; targets are -1 and 1.
struct Binary<'a> {
    design: &'a Design<'a>,
    targets: &'a [f64],
    weights: &'a [f64],
    options: &'a LinearSvmOptions,
}

impl Binary<'_> {
    fn solve(&self, weights: &[f64], start: Vec<f64>, context: &Context) -> Result<Vec<f64>, MlError> {
        let scales: Vec<f64> = weights.iter().map(|weight| self.options.c * weight).collect();
        problem(self.design, Loss::SquaredHinge, self.targets, &scales, self.options).solve(start, context)
    }

    /// Margins to fit the sigmoid to. The optimum without a fold is unique, so starting from that of all rows only saves
    /// steps.
    fn margins_left_out(&self, best: &[f64], context: &Context) -> Result<Vec<f64>, MlError> {
        let mut margins = self.design.margins(context, best);
        let least = [-1.0, 1.0].map(|side| self.targets.iter().filter(|target| **target == side).count());
        // Too few rows of an answer to leave some out.
        if self.options.folds == 0 || least.into_iter().min() < Some(2 * self.options.folds) {
            return Ok(margins);
        }
        let folds = folds(self.targets, self.options.folds, self.options.seed);
        for fold in 0..self.options.folds {
            let kept = self.weights.iter().zip(&folds).map(|(weight, of)| if *of == fold { 0.0 } else { *weight });
            let without = self.solve(&kept.collect::<Vec<_>>(), best.to_vec(), context)?;
            for row in (0..margins.len()).filter(|row| folds[*row] == fold) {
                margins[row] = self.design.margin(row, &without);
            }
        }
        Ok(margins)
    }
}

impl Predict for LinearSvm {
    fn outputs(&self) -> usize {
        self.margins.outputs()
    }

    fn predict(&self, row: &[f64], out: &mut [f64]) {
        for (output, out) in out.iter_mut().enumerate() {
            let margin = self.margins.margin(row, output);
            *out = self.sigmoids.get(output).map_or(margin, |sigmoid| sigmoid.probability(margin));
        }
        if out.len() > 1 {
            let sum: f64 = out.iter().sum::<f64>().max(f64::MIN_POSITIVE);
            out.iter_mut().for_each(|probability| *probability /= sum);
        }
    }

    fn predict_rows(&self, rows: &Matrix, out: &mut [f64]) {
        match &*self.sigmoids {
            [] if self.outputs() == 1 => self.margins.answer_rows(Level::new(), rows, out, |margin| margin),
            [one] => self.margins.answer_rows(Level::new(), rows, out, |margin| one.probability(margin)),
            _ => row_by_row(self, rows, out),
        }
    }
}

/// For classes the margin is the log-odds that the sigmoid makes, of one class against the rest.
impl Explain for LinearSvm {
    fn contributions(&self, row: &[f64], output: usize, out: &mut [f64]) -> f64 {
        let base = self.margins.contributions(row, output, out);
        let Some(sigmoid) = self.sigmoids.get(output) else { return base };
        out.iter_mut().for_each(|part| *part *= sigmoid.slope);
        sigmoid.slope * base + sigmoid.shift
    }
}
