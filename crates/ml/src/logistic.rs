//! Logistic regression with a ridge penalty, fitted by Newton's method (iteratively reweighted least squares; Hastie,
//! Tibshirani, Friedman: The Elements of Statistical Learning, 2nd ed., sections 4.4.1 and 4.4.4).
//!
//! The penalty makes the optimum unique and finite even where a column separates the labels; each step is halved until the
//! penalised likelihood grows, so the iteration cannot diverge.

use std::collections::BTreeMap;

use crate::{Artifact, FORMAT, Input, Matrix, MlError, Transform, predictor::logistic};

/// The least number of rows of each label.
const LEAST: usize = 10;
/// Beyond this skewness a column that is never negative is taken by its logarithm.
const SKEWED: f64 = 1.5;
const STEPS: usize = 100;
const HALVINGS: usize = 30;
/// The fit ends when no entry of the gradient is larger than this for each row.
const GRADIENT: f64 = 1e-10;

/// How to fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FitOptions {
    /// The strength of the penalty: half of it times the sum of the squared weights of standardised inputs is added to the
    /// negative log-likelihood. The intercept is free.
    pub ridge: f64,
}

impl Default for FitOptions {
    fn default() -> Self {
        Self { ridge: 1.0 }
    }
}

/// Learns from rows and their labels. `names` are those of the columns.
pub fn fit(names: &[&str], rows: &Matrix, labels: &[bool], options: FitOptions) -> Result<Artifact, MlError> {
    if rows.rows() != labels.len() || rows.columns() != names.len() {
        let (r, c) = (rows.rows(), rows.columns());
        return Err(MlError::Shape(format!("{r} rows of {c} columns, {} labels, {} names", labels.len(), names.len())));
    }
    if !(options.ridge > 0.0 && options.ridge.is_finite()) {
        return Err(MlError::Shape(format!("the ridge penalty is {}; it must be a positive number", options.ridge)));
    }
    let positives = labels.iter().filter(|label| **label).count();
    if positives < LEAST || labels.len() - positives < LEAST {
        return Err(MlError::TooFew { rows: labels.len(), positives, least: LEAST });
    }
    let mut inputs: Vec<Input> = names.iter().enumerate().map(|(place, name)| prepare(name, rows, place)).collect();
    let design = Design::new(&inputs, rows);
    let weights = newton(&design, labels, options.ridge);
    for (term, weight) in design.terms.iter().zip(&weights[1..]) {
        match term {
            Term::Value(input) => inputs[*input].weight = *weight,
            Term::Missing(input) => inputs[*input].missing_weight = *weight,
        }
    }
    Ok(Artifact {
        format: FORMAT,
        algorithm: "logistic_regression".to_owned(),
        inputs,
        intercept: weights[0],
        ridge: options.ridge,
        rows: labels.len() as u64,
        metrics: BTreeMap::new(),
        training_range: None,
        seed: 0,
        columns: Vec::new(),
        target: None,
    })
}

/// The preprocessing of a column.
fn prepare(name: &str, rows: &Matrix, place: usize) -> Input {
    let present: Vec<f64> = rows.column(place).filter(|value| value.is_finite()).collect();
    let (_, _, skewness) = moments(&present);
    let amounts = present.iter().all(|value| *value >= 0.0);
    let transform = if amounts && skewness > SKEWED { Transform::Log1p } else { Transform::Identity };
    let mut input = Input {
        name: name.to_owned(),
        transform,
        mean: 0.0,
        deviation: 0.0,
        missing_rate: 1.0 - present.len() as f64 / rows.rows() as f64,
        weight: 0.0,
        missing_weight: 0.0,
    };
    let transformed: Vec<f64> = present.iter().map(|value| input.transformed(*value)).collect();
    (input.mean, input.deviation, _) = moments(&transformed);
    // Rounding leaves a trace of spread in a column of equal values.
    if input.deviation <= 1e-12 * input.mean.abs().max(1.0) {
        input.deviation = 0.0;
    }
    input
}

/// Mean, standard deviation and skewness; zeros for no values.
fn moments(values: &[f64]) -> (f64, f64, f64) {
    if values.is_empty() {
        return (0.0, 0.0, 0.0);
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let central = |power: i32| values.iter().map(|value| (value - mean).powi(power)).sum::<f64>() / n;
    let deviation = central(2).sqrt();
    let skewness = if deviation > 0.0 { central(3) / deviation.powi(3) } else { 0.0 };
    (mean, deviation, skewness)
}

#[derive(Debug, Clone, Copy)]
enum Term {
    Value(usize),
    Missing(usize),
}

/// Standardised rows with a leading 1.
struct Design {
    terms: Vec<Term>,
    width: usize,
    values: Vec<f64>,
}

impl Design {
    fn new(inputs: &[Input], rows: &Matrix) -> Self {
        let values = |(place, input): (usize, &Input)| (input.deviation > 0.0).then_some(Term::Value(place));
        let missing = |(place, input): (usize, &Input)| {
            (input.missing_rate > 0.0 && input.missing_rate < 1.0).then_some(Term::Missing(place))
        };
        let all = inputs.iter().enumerate();
        let terms: Vec<Term> = all.clone().filter_map(values).chain(all.filter_map(missing)).collect();
        let width = terms.len() + 1;
        let mut design = Vec::with_capacity(rows.rows() * width);
        for row in (0..rows.rows()).map(|place| rows.row(place)) {
            design.push(1.0);
            design.extend(terms.iter().map(|term| match term {
                Term::Value(input) => inputs[*input].standardised(row[*input]).0,
                Term::Missing(input) => inputs[*input].standardised(row[*input]).1,
            }));
        }
        Self { terms, width, values: design }
    }

    fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.width)
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The negative penalised log-likelihood.
fn loss(design: &Design, labels: &[bool], weights: &[f64], ridge: f64) -> f64 {
    let of = |(row, label): (&[f64], &bool)| {
        let log_odds = dot(row, weights);
        // ln(1 + e^x) without overflow.
        let softplus = log_odds.max(0.0) + (-log_odds.abs()).exp().ln_1p();
        softplus - if *label { log_odds } else { 0.0 }
    };
    let penalty = 0.5 * ridge * weights[1..].iter().map(|weight| weight * weight).sum::<f64>();
    design.rows().zip(labels).map(of).sum::<f64>() + penalty
}

fn newton(design: &Design, labels: &[bool], ridge: f64) -> Vec<f64> {
    let width = design.width;
    let mut weights = vec![0.0; width];
    let share = labels.iter().filter(|label| **label).count() as f64 / labels.len() as f64;
    weights[0] = (share / (1.0 - share)).ln();
    let mut now = loss(design, labels, &weights, ridge);
    for _ in 0..STEPS {
        let (gradient, mut curvature) = slopes(design, labels, &weights, ridge);
        if gradient.iter().all(|slope| slope.abs() <= GRADIENT * labels.len() as f64) {
            break;
        }
        let mut step = gradient;
        solve(&mut curvature, &mut step, width);
        let mut length = 1.0;
        let better = (0..HALVINGS).find_map(|_| {
            let tried: Vec<f64> = weights.iter().zip(&step).map(|(weight, step)| weight - length * step).collect();
            let value = loss(design, labels, &tried, ridge);
            length /= 2.0;
            (value < now).then_some((tried, value))
        });
        // No better point in floating point: this is the optimum.
        let Some((tried, value)) = better else { break };
        (weights, now) = (tried, value);
    }
    weights
}

/// The gradient and the matrix of second derivatives (lower half, by rows).
fn slopes(design: &Design, labels: &[bool], weights: &[f64], ridge: f64) -> (Vec<f64>, Vec<f64>) {
    let width = design.width;
    let mut gradient = vec![0.0; width];
    let mut curvature = vec![0.0; width * width];
    for (row, label) in design.rows().zip(labels) {
        let probability = logistic(dot(row, weights));
        let error = probability - f64::from(u8::from(*label));
        let spread = probability * (1.0 - probability);
        for (i, a) in row.iter().enumerate() {
            gradient[i] += error * a;
            let scaled = spread * a;
            for (entry, b) in curvature[i * width..=i * width + i].iter_mut().zip(row) {
                *entry += scaled * b;
            }
        }
    }
    for i in 1..width {
        gradient[i] += ridge * weights[i];
        curvature[i * width + i] += ridge;
    }
    // Keeps the intercept's own entry positive where all probabilities are 0 or 1.
    curvature[0] += 1e-12;
    (gradient, curvature)
}

/// Solves `matrix * x = vector` in place by Cholesky's factorisation; the matrix is positive definite, lower half given.
fn solve(matrix: &mut [f64], vector: &mut [f64], width: usize) {
    for i in 0..width {
        for j in 0..=i {
            let known = dot(&matrix[i * width..][..j], &matrix[j * width..][..j]);
            let rest = matrix[i * width + j] - known;
            matrix[i * width + j] = if i == j { rest.max(1e-300).sqrt() } else { rest / matrix[j * width + j] };
        }
    }
    for i in 0..width {
        let known = dot(&matrix[i * width..][..i], &vector[..i]);
        vector[i] = (vector[i] - known) / matrix[i * width + i];
    }
    for i in (0..width).rev() {
        let known: f64 = (i + 1..width).map(|j| matrix[j * width + i] * vector[j]).sum();
        vector[i] = (vector[i] - known) / matrix[i * width + i];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cholesky_solves() {
        let mut matrix = [4.0, 0.0, 0.0, 2.0, 5.0, 0.0, 1.0, 3.0, 6.0];
        let mut vector = [9.0, 21.0, 25.0];
        solve(&mut matrix, &mut vector, 3);
        for (found, expected) in vector.iter().zip([0.373_134, 2.268_657, 2.970_149]) {
            assert!((found - expected).abs() < 1e-5, "{vector:?}");
        }
    }
}
