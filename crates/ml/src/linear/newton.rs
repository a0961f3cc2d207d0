//! Newton's method with the Hessian of all coefficients; with a lasso each step solves its quadratic model by coordinate
//! descent (proximal Newton: Lee, Sun, Saunders 2014; Yuan, Ho, Lin 2012, newGLMNET). Each step is halved until the
//! objective falls enough (Armijo), so the iteration cannot diverge.

use super::problem::Problem;
use super::symmetric::{Factor, descend};
use crate::{Context, MlError};

const HALVINGS: usize = 40;
const ENOUGH: f64 = 1e-4;

/// Minimises `problem` with other `scales` (a sample has its own).
pub(super) fn minimise(
    problem: &Problem,
    scales: &[f64],
    start: Vec<f64>,
    tolerance: f64,
    context: &Context,
) -> Result<Vec<f64>, MlError> {
    let design = problem.design;
    let columns = design.columns();
    let tolerance = tolerance * scales.iter().sum::<f64>();
    let mut weights = start;
    let mut margins = design.margins(context, &weights);
    let mut here = look(problem, scales, &margins, &weights, context);
    for _ in 0..problem.steps {
        context.go_on()?;
        let mut gradient = design.sum(context, &here.slopes);
        problem.penalty.slope(&weights, &mut gradient, columns);
        if !problem.free_intercept {
            gradient[columns] = 0.0;
        }
        if problem.penalty.distance(&weights, &gradient, columns) <= tolerance {
            break;
        }
        let direction = direction(problem, &here.curvatures, &gradient, &weights, tolerance, context);
        let ahead = |step: f64| -> Vec<f64> { weights.iter().zip(&direction).map(|(w, d)| w + step * d).collect() };
        let smooth: f64 = gradient.iter().zip(&direction).map(|(g, d)| g * d).sum();
        let lasso = |at: &[f64]| -> f64 {
            at.iter().enumerate().map(|(place, w)| problem.penalty.of(place, columns).1 * w.abs()).sum()
        };
        let promised = smooth + lasso(&ahead(1.0)) - lasso(&weights);
        let moves = design.margins(context, &direction);
        let mut step = 1.0;
        let mut found = None;
        for _ in 0..HALVINGS {
            let trial = ahead(step);
            let trial_margins: Vec<f64> = margins.iter().zip(&moves).map(|(m, change)| m + step * change).collect();
            let there = look(problem, scales, &trial_margins, &trial, context);
            if there.objective <= here.objective + ENOUGH * step * promised {
                found = Some((trial, trial_margins, there));
                break;
            }
            step *= 0.5;
        }
        // No step helps any more: rounding is all that is left.
        let Some(better) = found else { break };
        (weights, margins, here) = better;
    }
    Ok(weights)
}

/// The objective at some coefficients, and for each row the derivatives of its loss there.
struct Look {
    objective: f64,
    slopes: Vec<f64>,
    curvatures: Vec<f64>,
}

/// One walk over the rows for all three: they share an exponential.
fn look(problem: &Problem, scales: &[f64], margins: &[f64], weights: &[f64], context: &Context) -> Look {
    let parts = problem.design.blocks(context, |rows| {
        let (mut sum, mut first, mut second) = (0.0, Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
        for row in rows {
            let scale = scales[row];
            let (loss, slope, curvature) =
                if scale == 0.0 { (0.0, 0.0, 0.0) } else { problem.loss.all(margins[row], problem.targets[row]) };
            sum += scale * loss;
            first.push(scale * slope);
            second.push(scale * curvature);
        }
        (sum, first, second)
    });
    let (mut slopes, mut curvatures) = (Vec::with_capacity(margins.len()), Vec::with_capacity(margins.len()));
    let mut losses = 0.0;
    for (sum, first, second) in parts {
        losses += sum;
        slopes.extend(first);
        curvatures.extend(second);
    }
    let objective = losses + problem.penalty.value(weights, problem.design.columns());
    Look { objective, slopes, curvatures }
}

fn direction(
    problem: &Problem,
    curvatures: &[f64],
    gradient: &[f64],
    weights: &[f64],
    tolerance: f64,
    context: &Context,
) -> Vec<f64> {
    let columns = problem.design.columns();
    let side = columns + 1;
    let mut hessian = problem.design.squares(context, curvatures);
    for place in 0..side {
        hessian[place * side + place] += problem.penalty.of(place, columns).0;
    }
    if !problem.free_intercept {
        hessian[columns * side..][..columns].fill(0.0);
        hessian[side * side - 1] = 1.0;
    }
    if problem.penalty.lasso > 0.0 {
        let lasso: Vec<f64> = (0..side).map(|place| problem.penalty.of(place, columns).1).collect();
        return descend(&hessian, gradient, weights, &lasso, 0.1 * tolerance);
    }
    let down: Vec<f64> = gradient.iter().map(|slope| -slope).collect();
    Factor::new(hessian, side).solve(&down)
}
