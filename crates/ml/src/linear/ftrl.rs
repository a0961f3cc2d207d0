//! Logistic regression that learns row by row: FTRL-Proximal with a learning rate for each coordinate (McMahan et al. 2013:
//! Ad click prediction, a view from the trenches, algorithm 1).
//!
//! Deterministic: the same rows in the same order give the same state, which can be written down and continued.

use serde::{Deserialize, Serialize};

use super::positive;
use super::sigmoid;
use super::symmetric::soft;
use crate::{MlError, Predict};

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
}

impl Default for FtrlOptions {
    fn default() -> Self {
        Self { alpha: 0.1, beta: 1.0, l1: 0.0, l2: 1.0 }
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
}

impl Ftrl {
    /// Knows nothing yet of rows of `columns` numbers.
    pub fn new(columns: usize, options: FtrlOptions) -> Result<Self, MlError> {
        positive("alpha", options.alpha)?;
        positive("beta", options.beta)?;
        for (name, value) in [("l1", options.l1), ("l2", options.l2)] {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(MlError::Shape(format!("{name} is {value}; it must be a number from 0")));
            }
        }
        Ok(Self { options, coordinates: vec![Coordinate::default(); columns], intercept: Coordinate::default() })
    }

    /// Learns from one row: numbers, in which NaN counts as 0; the answer, 0 or 1; how much it counts, from 0.
    pub fn learn_one(&mut self, row: &[f64], target: f64, weight: f64) -> Result<(), MlError> {
        if row.len() != self.coordinates.len() {
            let (has, wants) = (row.len(), self.coordinates.len());
            return Err(MlError::Shape(format!("a row has {has} numbers; {wants} are expected")));
        }
        if row.iter().any(|value| value.is_infinite()) {
            return Err(MlError::Shape("the row has an infinite number; give numbers or NaN".to_owned()));
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

    fn margin(&self, row: &[f64]) -> f64 {
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
