//! Logistic regression that learns row by row: FTRL-Proximal with a learning rate for each coordinate (McMahan et al. 2013:
//! Ad click prediction, a view from the trenches, algorithm 1).
//!
//! Deterministic: the same rows in the same order give the same state, which can be written down and continued: a model that was
//! fitted on a history goes on learning from what comes. As the squares of gradients add up, its steps become smaller; it never
//! forgets, so a world that changes is followed ever more slowly.

use serde::{Deserialize, Serialize};

use super::positive;
use super::sigmoid;
use super::symmetric::soft;
use super::{ClassWeights, weights_of_rows};
use crate::{Context, Examples, Explain, MlError, Predict, Random, Task, sound};

/// No number of a row may be larger: columns are standardised, and one such row would outweigh all others for good.
const LARGEST: f64 = 1e6;

/// How an [`Ftrl`] learns.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FtrlOptions {
    /// The learning rate's scale.
    pub alpha: f64,
    /// Keeps the first steps small.
    pub beta: f64,
    /// The strength of the lasso; coordinates whose evidence is smaller stay 0.
    pub l1: f64,
    /// The strength of the ridge.
    pub l2: f64,
    /// How often [`Ftrl::fit`] goes through the rows.
    pub passes: u32,
    /// In which order [`Ftrl::fit`] takes the rows is drawn from this.
    pub seed: u64,
}

impl Default for FtrlOptions {
    fn default() -> Self {
        Self { alpha: 0.1, beta: 1.0, l1: 0.0, l2: 1.0, passes: 3, seed: 0 }
    }
}

impl FtrlOptions {
    fn check(&self) -> Result<(), MlError> {
        positive("alpha", self.alpha)?;
        positive("beta", self.beta)?;
        for (name, value) in [("l1", self.l1), ("l2", self.l2)] {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(MlError::Shape(format!("{name} is {value}; it must be a number from 0")));
            }
        }
        Ok(())
    }
}

/// What is kept of a coordinate.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Coordinate {
    /// The sum of gradients, less what the moves of the weight account for.
    z: f64,
    /// The sum of squared gradients.
    n: f64,
    weight: f64,
}

/// An online logistic regression. The intercept is a coordinate without penalty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ftrl {
    options: FtrlOptions,
    coordinates: Vec<Coordinate>,
    intercept: Coordinate,
    /// The mean of each column in [`Self::fit`], which explanations start from.
    means: Vec<f64>,
}

impl Ftrl {
    /// Knows nothing yet of rows of `columns` numbers.
    pub fn new(columns: usize, options: FtrlOptions) -> Result<Self, MlError> {
        options.check()?;
        let coordinates = vec![Coordinate::default(); columns];
        Ok(Self { options, coordinates, intercept: Coordinate::default(), means: vec![0.0; columns] })
    }

    /// Learns from examples of [`Task::Binary`], row by row, in an order that is drawn anew for each pass: a table that is
    /// sorted by its answers would teach the last of them alone.
    ///
    /// # Errors
    ///
    /// [`MlError::Shape`] for another task, or rows that [`Self::learn_one`] refuses.
    pub fn fit(examples: &Examples<'_>, options: &FtrlOptions, context: &Context<'_>) -> Result<Self, MlError> {
        examples.check()?;
        if examples.task != Task::Binary {
            return Err(MlError::Shape("online logistic regression predicts yes or no".to_owned()));
        }
        let weights = weights_of_rows(examples, 2, ClassWeights::Equal)?;
        let mut model = Self::new(examples.rows.columns(), *options)?;
        model.means = means(examples, &weights);
        let mut order: Vec<usize> = (0..weights.len()).collect();
        for pass in 0..options.passes.max(1) {
            context.go_on()?;
            Random::new(options.seed, u64::from(pass)).shuffle(&mut order);
            for row in &order {
                model.learn_one(examples.rows.row(*row), examples.target[*row], weights[*row])?;
            }
        }
        Ok(model)
    }

    /// Refuses what cannot answer rows of so many columns, or go on learning from them.
    pub(crate) fn check(&self, columns: usize) -> Result<(), MlError> {
        let is_as_wide = self.coordinates.len() == columns && self.means.len() == columns;
        sound::fits(is_as_wide, "a linear model has not one weight for each column that its preprocessing makes")?;
        self.options.check()?;
        for coordinate in self.coordinates.iter().chain([&self.intercept]) {
            sound::numbers("a weight", [&coordinate.z, &coordinate.n, &coordinate.weight])?;
            sound::fits(coordinate.n >= 0.0, "a sum of squares is negative")?;
        }
        sound::numbers("a mean", &self.means)
    }

    /// Learns from one row: numbers, in which NaN counts as 0; the answer, 0 or 1; how much it counts, from 0.
    ///
    /// # Errors
    ///
    /// [`MlError::Shape`], and nothing is learnt: another number of columns, a number beyond a million, another answer.
    pub fn learn_one(&mut self, row: &[f64], target: f64, weight: f64) -> Result<(), MlError> {
        if row.len() != self.coordinates.len() {
            let (has, wants) = (row.len(), self.coordinates.len());
            return Err(MlError::Shape(format!("a row has {has} numbers; {wants} are expected")));
        }
        if row.iter().any(|value| value.abs() > LARGEST) {
            return Err(MlError::Shape(
                "the row has a number beyond a million; give standardised ones or NaN".to_owned(),
            ));
        }
        if target != 0.0 && target != 1.0 {
            return Err(MlError::Shape(format!("the target is {target}; it must be 0 or 1")));
        }
        if !(weight >= 0.0 && weight.is_finite()) {
            return Err(MlError::Shape(format!("the weight is {weight}; it must be a number from 0")));
        }
        let off = weight * (sigmoid(self.margin(row)) - target);
        for (coordinate, value) in self.coordinates.iter_mut().zip(row) {
            if *value != 0.0 && !value.is_nan() {
                coordinate.learn(off * value, self.options);
            }
        }
        self.intercept.learn(off, FtrlOptions { l1: 0.0, l2: 0.0, ..self.options });
        Ok(())
    }

    /// The weight of a column.
    pub fn weight(&self, column: usize) -> f64 {
        self.coordinates[column].weight
    }

    /// The weights of all columns, and the intercept.
    pub(crate) fn line(&self) -> (Vec<f64>, f64) {
        (self.coordinates.iter().map(|at| at.weight).collect(), self.intercept.weight)
    }

    /// The log-odds of the answer 1.
    pub(crate) fn margin(&self, row: &[f64]) -> f64 {
        let both = self.coordinates.iter().zip(row);
        both.filter(|(_, value)| !value.is_nan()).map(|(at, value)| at.weight * value).sum::<f64>()
            + self.intercept.weight
    }
}

impl Coordinate {
    fn learn(&mut self, gradient: f64, options: FtrlOptions) {
        let squares = self.n + gradient * gradient;
        let sigma = (squares.sqrt() - self.n.sqrt()) / options.alpha;
        self.z += gradient - sigma * self.weight;
        self.n = squares;
        self.weight = -soft(self.z, options.l1) / ((options.beta + squares.sqrt()) / options.alpha + options.l2);
    }
}

impl Predict for Ftrl {
    fn outputs(&self) -> usize {
        1
    }

    fn predict(&self, row: &[f64], out: &mut [f64]) {
        out[0] = sigmoid(self.margin(row));
    }
}

impl Explain for Ftrl {
    fn contributions(&self, row: &[f64], _output: usize, out: &mut [f64]) -> f64 {
        let mut base = self.intercept.weight;
        for ((out, value), (at, mean)) in out.iter_mut().zip(row).zip(self.coordinates.iter().zip(&self.means)) {
            let value = if value.is_nan() { 0.0 } else { *value };
            *out = at.weight * (value - mean);
            base += at.weight * mean;
        }
        base
    }
}

/// The mean of each column by the weights of the rows; NaN counts as 0.
fn means(examples: &Examples<'_>, weights: &[f64]) -> Vec<f64> {
    let mut means = vec![0.0; examples.rows.columns()];
    for (row, weight) in weights.iter().enumerate() {
        let present = means.iter_mut().zip(examples.rows.row(row)).filter(|(_, value)| !value.is_nan());
        present.for_each(|(mean, value)| *mean += weight * value);
    }
    let total: f64 = weights.iter().sum();
    means.iter_mut().for_each(|mean| *mean /= total);
    means
}
