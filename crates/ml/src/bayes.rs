//! Naive Bayes: columns are taken as independent within a class (Hastie, Tibshirani, Friedman, section 6.6.3).
//!
//! A number has a normal density in each class, or is a count of a multinomial; a category has its share with Laplace's
//! smoothing. A missing value says nothing, in fitting as in predicting. Its order is often good, its probabilities are
//! too bold where columns depend on each other: calibrate them.

use serde::{Deserialize, Serialize};

use crate::sound::{self, Form};
use crate::{Context, Examples, Kind, MlError, Predict, Task, linear::sigmoid};

/// Values farther from a mean are taken for as far, so that the square is a number.
const FARTHEST: f64 = 1e150;
/// This share of the variance of all values of a column is added to its variance in each class, so that none is 0.
/// (scikit-learn adds a share of the greatest variance of all columns, which drowns columns of small numbers.)
const SMOOTHING: f64 = 1e-9;

/// What a column of numbers holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Numbers {
    /// Measurements, normal within a class.
    #[default]
    Gaussian,
    /// How often something happened, from 0; all such columns together are one multinomial.
    Counts,
}

/// How to fit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BayesOptions {
    /// What columns of numbers hold.
    pub numbers: Numbers,
    /// Added to the weight of each category (or count) in each class; above 0.
    pub smoothing: f64,
}

impl Default for BayesOptions {
    fn default() -> Self {
        Self { numbers: Numbers::Gaussian, smoothing: 1.0 }
    }
}

/// What a column says of one class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Likelihood {
    /// The mean, half the inverse of the variance, and the logarithm of the density at the mean.
    Gaussian { mean: f64, half_precision: f64, top: f64 },
    /// The logarithm of the share of each code; for a code that is not known the value says nothing.
    Category { logs: Vec<f64> },
    /// The logarithm of its share of all counts.
    Count { log: f64 },
}

impl Likelihood {
    fn check(&self, kind: Kind) -> Result<(), MlError> {
        let (is_of_kind, numbers) = match (self, kind) {
            (Self::Gaussian { mean, half_precision, top }, Kind::Number) => {
                (*half_precision >= 0.0, vec![mean, half_precision, top])
            }
            (Self::Count { log }, Kind::Number) => (true, vec![log]),
            (Self::Category { logs }, Kind::Category { count }) => {
                (logs.len() == count as usize, logs.iter().collect())
            }
            _ => (false, Vec::new()),
        };
        sound::fits(is_of_kind, "a likelihood of naive Bayes is not for its column")?;
        sound::numbers("a likelihood", numbers)
    }

    fn log(&self, value: f64) -> f64 {
        if !value.is_finite() {
            return 0.0;
        }
        match self {
            Self::Gaussian { mean, half_precision, top } => {
                let apart = (value - mean).clamp(-FARTHEST, FARTHEST);
                top - apart * apart * half_precision
            }
            Self::Category { logs } => logs.get(value as usize).copied().unwrap_or(0.0),
            Self::Count { log } => value * log,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Class {
    /// The logarithm of its share.
    prior: f64,
    /// For each column.
    columns: Vec<Likelihood>,
}

impl Class {
    fn log_joint(&self, row: &[f64]) -> f64 {
        self.prior + self.columns.iter().zip(row).map(|(column, value)| column.log(*value)).sum::<f64>()
    }
}

/// A fitted model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NaiveBayes {
    classes: Vec<Class>,
}

impl NaiveBayes {
    /// Refuses what cannot answer.
    pub(crate) fn check(&self, form: Form<'_>) -> Result<(), MlError> {
        sound::fits(self.classes.len() >= 2, "naive Bayes has less than two classes")?;
        for class in &self.classes {
            sound::number("the share of a class", class.prior)?;
            let is_as_wide = class.columns.len() == form.kinds.len();
            sound::fits(is_as_wide, "naive Bayes has not one likelihood for each column")?;
            class.columns.iter().zip(form.kinds).try_for_each(|(column, kind)| column.check(*kind))?;
        }
        Ok(())
    }

    /// Fits to examples of classes, each of which must have rows.
    pub fn fit(examples: &Examples<'_>, options: &BayesOptions, context: &Context<'_>) -> Result<Self, MlError> {
        examples.check()?;
        let classes = match examples.task {
            Task::Binary => 2,
            Task::Multiclass { classes } => classes as usize,
            Task::Regression | Task::Ranking => {
                return Err(MlError::Shape(
                    "naive Bayes tells classes apart; it predicts no numbers or orders".to_owned(),
                ));
            }
        };
        if !(options.smoothing > 0.0 && options.smoothing.is_finite()) {
            return Err(MlError::Shape(format!("the smoothing is {}; it must be above 0", options.smoothing)));
        }
        let mut shares = vec![0.0; classes];
        for (row, class) in examples.target.iter().enumerate() {
            shares[*class as usize] += examples.weight(row);
        }
        if let Some(class) = shares.iter().position(|share| *share <= 0.0) {
            return Err(MlError::Shape(format!("class {class} has no rows; leave it out or bring rows of it")));
        }
        let total: f64 = shares.iter().sum();
        let mut fitted: Vec<Class> =
            shares.iter().map(|share| Class { prior: (share / total).ln(), columns: Vec::new() }).collect();
        let counts = if options.numbers == Numbers::Counts { Some(count_totals(examples, classes)?) } else { None };
        for (column, kind) in examples.kinds.iter().enumerate() {
            context.go_on()?;
            let likelihoods = match (kind, &counts) {
                (Kind::Category { count }, _) => shares_of_codes(examples, column, *count, classes, options.smoothing),
                (Kind::Number, None) => densities(examples, column, classes),
                (Kind::Number, Some(totals)) => shares_of_counts(examples, column, totals, options.smoothing),
            };
            for (class, likelihood) in fitted.iter_mut().zip(likelihoods) {
                class.columns.push(likelihood);
            }
        }
        Ok(Self { classes: fitted })
    }
}

impl Predict for NaiveBayes {
    fn outputs(&self) -> usize {
        if self.classes.len() == 2 { 1 } else { self.classes.len() }
    }

    fn predict(&self, row: &[f64], out: &mut [f64]) {
        if let [no, yes] = &self.classes[..] {
            out[0] = sigmoid(yes.log_joint(row) - no.log_joint(row));
            return;
        }
        for (class, out) in self.classes.iter().zip(out.iter_mut()) {
            *out = class.log_joint(row);
        }
        let top = out.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        out.iter_mut().for_each(|out| *out = (*out - top).exp());
        let sum: f64 = out.iter().sum();
        out.iter_mut().for_each(|out| *out /= sum);
    }
}

/// The present values of a column with class and weight.
fn present<'a>(examples: &'a Examples<'_>, column: usize) -> impl Iterator<Item = (f64, usize, f64)> + 'a {
    let rows = examples.rows.column(column).enumerate().filter(|(_, value)| value.is_finite());
    rows.map(|(row, value)| (value, examples.target[row] as usize, examples.weight(row)))
}

/// Weight, mean and variance of what `of` yields; the last two are 0 without weight.
fn moments(of: impl Iterator<Item = (f64, f64)> + Clone) -> (f64, f64, f64) {
    let total: f64 = of.clone().map(|(_, weight)| weight).sum();
    if total <= 0.0 {
        return (0.0, 0.0, 0.0);
    }
    let mean = of.clone().map(|(value, weight)| weight * value).sum::<f64>() / total;
    (total, mean, of.map(|(value, weight)| weight * (value - mean).powi(2)).sum::<f64>() / total)
}

fn densities(examples: &Examples<'_>, column: usize, classes: usize) -> Vec<Likelihood> {
    let values: Vec<(f64, usize, f64)> = present(examples, column).collect();
    let (_, pooled_mean, pooled_variance) = moments(values.iter().map(|(value, _, weight)| (*value, *weight)));
    if !sound::is_usual(pooled_mean) || !sound::is_usual(pooled_variance) {
        // One value beyond all measure: beside it all others are equal.
        return vec![Likelihood::Gaussian { mean: 0.0, half_precision: 0.0, top: 0.0 }; classes];
    }
    // Without spread the floor may be anything: the density is the same in every class.
    let floor = if pooled_variance > 0.0 { SMOOTHING * pooled_variance } else { 1.0 };
    let density = |class: usize| {
        let own = values.iter().filter(|(_, of, _)| *of == class).map(|(value, _, weight)| (*value, *weight));
        let (total, mean, variance) = moments(own);
        // A class that never has the value is taken to be like all rows.
        let (mean, variance) = if total > 0.0 { (mean, variance) } else { (pooled_mean, pooled_variance) };
        let variance = variance + floor;
        let top = -0.5 * (std::f64::consts::TAU * variance).ln();
        Likelihood::Gaussian { mean, half_precision: 0.5 / variance, top }
    };
    (0..classes).map(density).collect()
}

fn shares_of_codes(
    examples: &Examples<'_>,
    column: usize,
    count: u32,
    classes: usize,
    smoothing: f64,
) -> Vec<Likelihood> {
    let mut weights = vec![vec![smoothing; count as usize]; classes];
    for (code, class, weight) in present(examples, column) {
        if let Some(place) = weights[class].get_mut(code as usize) {
            *place += weight;
        }
    }
    let logs = |weights: Vec<f64>| {
        let total: f64 = weights.iter().sum();
        Likelihood::Category { logs: weights.iter().map(|weight| (weight / total).ln()).collect() }
    };
    weights.into_iter().map(logs).collect()
}

/// All counts of each class, and how many columns hold counts.
struct CountTotals {
    of_class: Vec<f64>,
    columns: f64,
}

fn count_totals(examples: &Examples<'_>, classes: usize) -> Result<CountTotals, MlError> {
    let mut totals = CountTotals { of_class: vec![0.0; classes], columns: 0.0 };
    for (column, _) in examples.kinds.iter().enumerate().filter(|(_, kind)| **kind == Kind::Number) {
        totals.columns += 1.0;
        for (value, class, weight) in present(examples, column) {
            if value < 0.0 {
                let told = format!("column {column} holds {value}; counts must not be negative");
                return Err(MlError::Shape(format!("{told}, take the Gaussian form for measurements")));
            }
            totals.of_class[class] += weight * value;
        }
    }
    Ok(totals)
}

fn shares_of_counts(examples: &Examples<'_>, column: usize, totals: &CountTotals, smoothing: f64) -> Vec<Likelihood> {
    let mut own = vec![smoothing; totals.of_class.len()];
    for (value, class, weight) in present(examples, column) {
        own[class] += weight * value;
    }
    let share =
        |(own, total): (f64, &f64)| Likelihood::Count { log: (own / (total + smoothing * totals.columns)).ln() };
    own.into_iter().zip(&totals.of_class).map(share).collect()
}
