//! Support vector machine with a kernel, for classes.
//!
//! The dual is that of LIBSVM (scikit-learn's SVC): the sum of α is free, each α is at most C times the row's weight.
//! Several classes are decided one against one: each pair's machine sees only its own rows, which is faster than one
//! against the rest because the work grows faster than the rows. The time grows with the square of the rows, so more than
//! 20,000 rows are refused.

use serde::{Deserialize, Serialize};

use super::coupling::couple;
use super::kernel::{Kernel, Lanes};
use super::platt::{Platt, folds};
use super::smo::{Dual, Solution};
use crate::linear::{positive, weights_of_rows};
use crate::sound::{self, Form};
use crate::{ClassWeights, Context, Examples, MlError, Predict, Task};

const MOST_ROWS: usize = 20_000;
/// Bounds the table of pairs that a prediction keeps on the stack.
const MOST_CLASSES: usize = 32;

/// How to fit a [`KernelSvm`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KernelSvmOptions {
    /// How alike two rows are.
    pub kernel: Kernel,
    /// What errors cost.
    pub c: f64,
    /// How much the rows of a class count.
    pub class_weights: ClassWeights,
    /// The fit ends when no pair of rows violates the optimum by more.
    pub tolerance: f64,
    /// At most so many steps.
    pub steps: usize,
    /// Memory for kernel rows.
    pub cache_bytes: usize,
    /// Probabilities are fitted to margins of rows left out in so many folds; 0 takes the margins of the training rows,
    /// which are too sure.
    pub folds: usize,
    /// Of the folds.
    pub seed: u64,
}

impl Default for KernelSvmOptions {
    fn default() -> Self {
        Self {
            kernel: Kernel::Rbf { gamma: None },
            c: 1.0,
            class_weights: ClassWeights::Equal,
            tolerance: 1e-3,
            steps: 10_000_000,
            cache_bytes: 200 << 20,
            folds: 3,
            seed: 0,
        }
    }
}

/// Support vectors of one class against another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Pair {
    /// The class of positive margins, and the other one.
    classes: (usize, usize),
    vectors: Lanes,
    coefficients: Vec<f64>,
    shift: f64,
    sigmoid: Platt,
}

/// A fitted support vector machine with a kernel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KernelSvm {
    kernel: Kernel,
    outputs: usize,
    pairs: Vec<Pair>,
}

impl KernelSvm {
    /// Learns from at most 20,000 examples of [`Task::Binary`] or [`Task::Multiclass`] (at most 32 classes).
    pub fn fit(examples: &Examples, options: &KernelSvmOptions, context: &Context) -> Result<Self, MlError> {
        examples.check()?;
        positive("c", options.c)?;
        positive("the tolerance", options.tolerance)?;
        let refuse = |text: String| Err(MlError::Shape(text));
        if options.folds == 1 {
            return refuse("one fold leaves nothing to learn from; take 0 or at least 2 folds".to_owned());
        }
        let classes = match examples.task {
            Task::Binary => 2,
            Task::Multiclass { classes } => classes as usize,
            Task::Regression | Task::Ranking => {
                return refuse("a kernel machine predicts classes; take boosted trees for this task".to_owned());
            }
        };
        let rows = examples.rows.rows();
        if rows > MOST_ROWS {
            let more = "take a linear machine or boosted trees, or a sample of the rows";
            return refuse(format!("{rows} rows are too many for a kernel machine, which takes {MOST_ROWS}; {more}"));
        }
        if classes > MOST_CLASSES {
            return refuse(format!("{classes} classes are too many for a kernel machine; it takes {MOST_CLASSES}"));
        }
        if let Some(at) = examples.rows.values().iter().position(|value| value.is_infinite()) {
            return refuse(format!("row {} has an infinite number; give numbers or NaN", at / examples.rows.columns()));
        }
        let kernel = options.kernel.settled(examples.rows.columns(), examples.rows.values())?;
        let weights = weights_of_rows(examples, classes, options.class_weights)?;
        let trainer = Trainer { examples, weights: &weights, kernel, options, context };
        let mut pairs = Vec::new();
        if classes == 2 {
            pairs.push(trainer.pair((1, 0))?);
        } else {
            for first in 0..classes {
                for second in first + 1..classes {
                    pairs.push(trainer.pair((first, second))?);
                }
            }
        }
        Ok(Self { kernel, outputs: examples.task.outputs(), pairs })
    }

    /// Refuses what cannot answer.
    pub(crate) fn check(&self, form: Form<'_>) -> Result<(), MlError> {
        self.kernel.check()?;
        let classes = self.outputs;
        sound::fits(classes == form.task.outputs() && classes <= MOST_CLASSES, "a kernel machine has other classes")?;
        let pairs = (0..classes).flat_map(|first| (first + 1..classes).map(move |second| (first, second)));
        let pairs: Vec<(usize, usize)> = if classes == 1 { vec![(1, 0)] } else { pairs.collect() };
        let are_all = self.pairs.iter().map(|pair| pair.classes).eq(pairs);
        sound::fits(are_all, "a kernel machine has not one part for each pair of classes")?;
        self.pairs.iter().try_for_each(|pair| pair.check(form.kinds.len()))
    }

    /// The margin of one pair of classes: of 1 against 0, or the pairs (0, 1), (0, 2), and so on in order.
    pub fn margin(&self, row: &[f64], pair: usize) -> f64 {
        self.pairs[pair].margin(self.kernel, row)
    }

    /// How many rows became support vectors, counted in each pair.
    pub fn vectors(&self) -> usize {
        self.pairs.iter().map(|pair| pair.coefficients.len()).sum()
    }
}

impl Pair {
    fn check(&self, columns: usize) -> Result<(), MlError> {
        self.vectors.check(columns)?;
        let is_whole = self.coefficients.len() == self.vectors.rows();
        sound::fits(is_whole, "a kernel machine has not one coefficient for each support vector")?;
        sound::numbers("a coefficient", self.coefficients.iter().chain([&self.shift]))?;
        self.sigmoid.check()
    }

    fn margin(&self, kernel: Kernel, row: &[f64]) -> f64 {
        let mut sum = self.shift;
        let entry = |column: usize| if row[column].is_nan() { 0.0 } else { row[column] as f32 };
        self.vectors.compare(kernel, entry, |place, values| {
            let coefficients = &self.coefficients[place..][..values.len()];
            sum += values.iter().zip(coefficients).map(|(value, by)| f64::from(*value) * by).sum::<f64>();
        });
        sum
    }
}

struct Trainer<'a> {
    examples: &'a Examples<'a>,
    weights: &'a [f64],
    kernel: Kernel,
    options: &'a KernelSvmOptions,
    context: &'a Context<'a>,
}

impl Trainer<'_> {
    fn pair(&self, classes: (usize, usize)) -> Result<Pair, MlError> {
        let target = self.examples.target;
        let part = |row: &usize| {
            let class = target[*row] as usize;
            (class == classes.0 || class == classes.1) && self.weights[*row] > 0.0
        };
        let rows: Vec<usize> = (0..target.len()).filter(part).collect();
        let answer = |row: &usize| if target[*row] as usize == classes.0 { 1.0 } else { -1.0 };
        let answers: Vec<f64> = rows.iter().map(answer).collect();
        let mut pair = self.machine(classes, &rows, &answers)?;
        let mut margins: Vec<f64> = Vec::with_capacity(rows.len());
        let least = [-1.0, 1.0].map(|side| answers.iter().filter(|answer| **answer == side).count());
        if self.options.folds == 0 || least.into_iter().min() < Some(2 * self.options.folds) {
            margins.extend(rows.iter().map(|row| pair.margin(self.kernel, self.examples.rows.row(*row))));
        } else {
            margins.resize(rows.len(), 0.0);
            let folds = folds(&answers, self.options.folds, self.options.seed);
            for fold in 0..self.options.folds {
                let kept: Vec<usize> = (0..rows.len()).filter(|place| folds[*place] != fold).collect();
                let kept_rows: Vec<usize> = kept.iter().map(|place| rows[*place]).collect();
                let kept_answers: Vec<f64> = kept.iter().map(|place| answers[*place]).collect();
                let without = self.machine(classes, &kept_rows, &kept_answers)?;
                for place in (0..rows.len()).filter(|place| folds[*place] == fold) {
                    margins[place] = without.margin(self.kernel, self.examples.rows.row(rows[place]));
                }
            }
        }
        let counts: Vec<f64> = rows.iter().map(|row| self.examples.weight(*row)).collect();
        pair.sigmoid = Platt::fit(&margins, &answers, &counts);
        Ok(pair)
    }

    /// The machine with a sigmoid that is not fitted yet.
    fn machine(&self, classes: (usize, usize), rows: &[usize], answers: &[f64]) -> Result<Pair, MlError> {
        let matrix = self.examples.rows;
        let lanes = Lanes::new(matrix.columns(), rows.iter().map(|row| matrix.row(*row)));
        let bounds: Vec<f64> = rows.iter().map(|row| self.options.c * self.weights[*row]).collect();
        let dual = Dual {
            lanes: &lanes,
            kernel: self.kernel,
            answers,
            bounds: &bounds,
            tolerance: self.options.tolerance,
            cache_bytes: self.options.cache_bytes,
            steps: self.options.steps,
        };
        let Solution { coefficients, shift } = dual.solve(self.context)?;
        let used: Vec<usize> = (0..lanes.rows()).filter(|place| coefficients[*place] != 0.0).collect();
        Ok(Pair {
            classes,
            vectors: Lanes::new(matrix.columns(), used.iter().map(|place| matrix.row(rows[*place]))),
            coefficients: used.iter().map(|place| coefficients[*place]).collect(),
            shift,
            sigmoid: Platt::fit(&[], &[], &[]),
        })
    }
}

impl Predict for KernelSvm {
    fn outputs(&self) -> usize {
        self.outputs
    }

    fn predict(&self, row: &[f64], out: &mut [f64]) {
        let probability = |pair: &Pair| pair.sigmoid.probability(pair.margin(self.kernel, row));
        if let [one] = out {
            *one = probability(&self.pairs[0]);
            return;
        }
        let classes = self.outputs;
        let mut table = [[0.5; MOST_CLASSES]; MOST_CLASSES];
        for pair in &self.pairs {
            // As LIBSVM does, so that no class is out of the question.
            let first = probability(pair).clamp(1e-7, 1.0 - 1e-7);
            table[pair.classes.0][pair.classes.1] = first;
            table[pair.classes.1][pair.classes.0] = 1.0 - first;
        }
        couple(|a, b| table[a][b], &mut out[..classes]);
    }
}
