//! The sum of losses and penalties that a linear model of one output minimises, and the choice of a solver.

use super::dot::largest;
use super::symmetric::soft;
use super::{Design, Loss, lbfgs, newton};
use crate::{Context, MlError, Random};

/// Up to so many columns the Hessian is made, and Newton's method needs a handful of passes.
const NARROW: usize = 400;
/// From so many rows on the first steps are taken on a sample.
const MANY: usize = 16_384;

/// The penalty of each coefficient: `½ ridge w² + lasso |w|`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Penalty {
    pub(crate) ridge: f64,
    pub(crate) lasso: f64,
    /// Whether the intercept has the ridge too.
    pub(crate) intercept: bool,
}

impl Penalty {
    /// Ridge and lasso of a coefficient; the last one of `columns + 1` is an intercept.
    pub(super) fn of(&self, place: usize, columns: usize) -> (f64, f64) {
        if place % (columns + 1) != columns {
            (self.ridge, self.lasso)
        } else if self.intercept {
            (self.ridge, 0.0)
        } else {
            (0.0, 0.0)
        }
    }

    /// The penalty of all coefficients.
    pub(super) fn value(&self, weights: &[f64], columns: usize) -> f64 {
        let one = |(place, weight): (usize, &f64)| {
            let (ridge, lasso) = self.of(place, columns);
            0.5 * ridge * weight * weight + lasso * weight.abs()
        };
        weights.iter().enumerate().map(one).sum()
    }

    /// Adds the ridge's part to the gradient of the losses.
    pub(super) fn slope(&self, weights: &[f64], gradient: &mut [f64], columns: usize) {
        for (place, (gradient, weight)) in gradient.iter_mut().zip(weights).enumerate() {
            *gradient += self.of(place, columns).0 * weight;
        }
    }

    /// How far from optimal: the largest entry of the least subgradient.
    pub(super) fn distance(&self, weights: &[f64], gradient: &[f64], columns: usize) -> f64 {
        let least: Vec<f64> = (0..weights.len())
            .map(|place| {
                let lasso = self.of(place, columns).1;
                if weights[place] == 0.0 {
                    soft(gradient[place], lasso)
                } else {
                    gradient[place] + lasso * weights[place].signum()
                }
            })
            .collect();
        largest(&least)
    }
}

/// `Σ scale·loss(margin, target)` plus the penalty, over weights and intercept.
#[derive(Clone, Copy)]
pub(crate) struct Problem<'a> {
    pub(crate) design: &'a Design<'a>,
    pub(crate) loss: Loss,
    pub(crate) targets: &'a [f64],
    pub(crate) scales: &'a [f64],
    pub(crate) penalty: Penalty,
    /// Without an intercept it stays 0.
    pub(crate) free_intercept: bool,
    /// The fit ends when no entry of the least subgradient is larger than this, per unit of `scales`.
    pub(crate) tolerance: f64,
    pub(crate) steps: usize,
}

impl Problem<'_> {
    /// The best coefficients (weights, then the intercept), looked for from `start` on.
    pub(crate) fn solve(&self, start: Vec<f64>, context: &Context) -> Result<Vec<f64>, MlError> {
        if self.design.columns() > NARROW {
            let smooth = |weights: &[f64]| self.smooth(weights, context);
            let total = self.scales.iter().sum::<f64>();
            let options = lbfgs::Options {
                penalty: self.penalty,
                columns: self.design.columns(),
                tolerance: self.tolerance * total,
                steps: self.steps,
            };
            return lbfgs::minimise(smooth, start, options, context);
        }
        let start = self.start_on_sample(start, context)?;
        newton::minimise(self, self.scales, start, self.tolerance, context)
    }

    /// The optimum of a random eighth of many rows is so near that of all that one or two steps on all are left.
    fn start_on_sample(&self, start: Vec<f64>, context: &Context) -> Result<Vec<f64>, MlError> {
        if self.design.rows() < MANY || start.iter().any(|weight| *weight != 0.0) {
            return Ok(start);
        }
        let mut random = Random::new(0, 0);
        let scales: Vec<f64> =
            self.scales.iter().map(|scale| if random.below(8) == 0 { 8.0 * scale } else { 0.0 }).collect();
        let side = |sign: f64| {
            let both = self.targets.iter().zip(&scales);
            both.filter(|(target, scale)| **target * sign > 0.0 && **scale > 0.0).count()
        };
        // A sample without one of the answers has no optimum.
        if side(1.0) < 100 || side(-1.0) < 100 {
            return Ok(start);
        }
        newton::minimise(self, &scales, start, self.tolerance.max(1e-4), context)
    }

    /// Losses and ridge with their gradient; the lasso is the solver's matter.
    fn smooth(&self, weights: &[f64], context: &Context) -> (f64, Vec<f64>) {
        let columns = self.design.columns();
        let parts = self.design.blocks(context, |rows| {
            let (mut sum, mut gradient) = (0.0, vec![0.0; columns + 1]);
            for row in rows {
                let margin = self.design.margin(row, weights);
                sum += self.scales[row] * self.loss.value(margin, self.targets[row]);
                let slope = self.scales[row] * self.loss.slopes(margin, self.targets[row]).0;
                self.design.add(row, slope, &mut gradient);
            }
            (sum, gradient)
        });
        let (sums, gradients): (Vec<f64>, Vec<Vec<f64>>) = parts.into_iter().unzip();
        let mut gradient = super::design::total(gradients);
        self.penalty.slope(weights, &mut gradient, columns);
        if !self.free_intercept {
            gradient[columns] = 0.0;
        }
        let ridge = Penalty { lasso: 0.0, ..self.penalty };
        (sums.iter().sum::<f64>() + ridge.value(weights, columns), gradient)
    }
}
