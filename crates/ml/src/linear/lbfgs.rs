//! L-BFGS (Nocedal, Wright: Numerical Optimization, algorithm 7.4), and OWL-QN (Andrew, Gao 2007) where there is a lasso:
//! the objective is walked within one orthant at a time, where the absolute values are smooth.

use std::collections::VecDeque;

use super::dot::{add, dot};
use super::problem::Penalty;
use super::symmetric::soft;
use crate::{Context, MlError};

/// How many past steps tell the curvature.
const MEMORY: usize = 12;
const HALVINGS: usize = 40;
const ENOUGH: f64 = 1e-4;
/// After so many steps in a row that gain nothing but rounding there is nothing left to gain.
const IDLE: usize = 3;

/// When to end, and what the coefficients cost.
#[derive(Clone, Copy)]
pub(super) struct Options {
    pub(super) penalty: Penalty,
    /// Without the intercept, which stands last in each output.
    pub(super) columns: usize,
    pub(super) tolerance: f64,
    pub(super) steps: usize,
}

/// Minimises `smooth` (value and gradient, ridge included) plus the lasso of `options`.
pub(super) fn minimise(
    smooth: impl Fn(&[f64]) -> (f64, Vec<f64>),
    start: Vec<f64>,
    options: Options,
    context: &Context,
) -> Result<Vec<f64>, MlError> {
    let lasso = Penalty { ridge: 0.0, ..options.penalty };
    let mut weights = start;
    let (mut value, mut gradient) = smooth(&weights);
    value += lasso.value(&weights, options.columns);
    let mut memory: VecDeque<(Vec<f64>, Vec<f64>)> = VecDeque::new();
    let mut idle = 0;
    for _ in 0..options.steps {
        context.go_on()?;
        if idle == IDLE || lasso.distance(&weights, &gradient, options.columns) <= options.tolerance {
            break;
        }
        let slope = steepest(&weights, &gradient, options);
        let mut direction = two_loops(&memory, &slope);
        // The step may not leave the side that the slope points to (OWL-QN's first projection).
        if options.penalty.lasso > 0.0 {
            direction.iter_mut().zip(&slope).filter(|(d, s)| **d * **s >= 0.0).for_each(|(d, _)| *d = 0.0);
        }
        let mut step = if memory.is_empty() { 1.0 / dot(&slope, &slope).sqrt().max(1.0) } else { 1.0 };
        let mut found = None;
        for _ in 0..HALVINGS {
            let trial = ahead(&weights, &direction, &slope, step, options);
            let (mut after, there) = smooth(&trial);
            after += lasso.value(&trial, options.columns);
            let promised: f64 = slope.iter().zip(trial.iter().zip(&weights)).map(|(s, (t, w))| s * (t - w)).sum();
            if after <= value + ENOUGH * promised {
                found = Some((trial, after, there));
                break;
            }
            step *= 0.5;
        }
        let Some((trial, after, there)) = found else {
            // A stale memory can point nowhere; without one, rounding is all that is left.
            if memory.is_empty() {
                break;
            }
            memory.clear();
            idle += 1;
            continue;
        };
        idle = if value - after <= f64::EPSILON * value.abs() { idle + 1 } else { 0 };
        let moved: Vec<f64> = trial.iter().zip(&weights).map(|(t, w)| t - w).collect();
        let bent: Vec<f64> = there.iter().zip(&gradient).map(|(t, g)| t - g).collect();
        if dot(&moved, &bent) > 1e-14 * dot(&bent, &bent).sqrt() * dot(&moved, &moved).sqrt() {
            if memory.len() == MEMORY {
                memory.pop_front();
            }
            memory.push_back((moved, bent));
        }
        (weights, value, gradient) = (trial, after, there);
    }
    Ok(weights)
}

/// The least subgradient.
fn steepest(weights: &[f64], gradient: &[f64], options: Options) -> Vec<f64> {
    let one = |(place, (weight, slope)): (usize, (&f64, &f64))| {
        let lasso = options.penalty.of(place, options.columns).1;
        if *weight == 0.0 { soft(*slope, lasso) } else { slope + lasso * weight.signum() }
    };
    weights.iter().zip(gradient).enumerate().map(one).collect()
}

/// The weights after a step; what would cross 0 stops there (OWL-QN's second projection).
fn ahead(weights: &[f64], direction: &[f64], slope: &[f64], step: f64, options: Options) -> Vec<f64> {
    let one = |place: usize| {
        let to = weights[place] + step * direction[place];
        let side = if weights[place] == 0.0 { -slope[place] } else { weights[place] };
        if options.penalty.of(place, options.columns).1 > 0.0 && to * side <= 0.0 { 0.0 } else { to }
    };
    (0..weights.len()).map(one).collect()
}

/// The direction: minus the slope times the remembered inverse Hessian.
fn two_loops(memory: &VecDeque<(Vec<f64>, Vec<f64>)>, slope: &[f64]) -> Vec<f64> {
    let mut out: Vec<f64> = slope.iter().map(|s| -s).collect();
    let mut parts = Vec::with_capacity(memory.len());
    for (moved, bent) in memory.iter().rev() {
        let part = dot(moved, &out) / dot(moved, bent);
        add(&mut out, -part, bent);
        parts.push(part);
    }
    if let Some((moved, bent)) = memory.back() {
        let scale = dot(moved, bent) / dot(bent, bent);
        out.iter_mut().for_each(|value| *value *= scale);
    }
    for ((moved, bent), part) in memory.iter().zip(parts.iter().rev()) {
        let back = dot(bent, &out) / dot(moved, bent);
        add(&mut out, part - back, moved);
    }
    out
}
