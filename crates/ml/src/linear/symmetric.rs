//! Symmetric systems of equations: Cholesky's factor, and quadratic forms with an absolute-value penalty.

use super::dot::dot;

/// A pivot below this share of its diagonal entry means that the column follows from those before it.
const DEPENDENT: f64 = 1e-12;

/// Cholesky's lower factor of a positive semidefinite matrix, by lines (Golub, Van Loan: Matrix Computations, section
/// 4.2). A column that follows from those before it is left out: its unknown is 0.
pub(super) struct Factor {
    side: usize,
    values: Vec<f64>,
}

impl Factor {
    /// Factors a matrix of which the lower triangle is given.
    pub(super) fn new(mut values: Vec<f64>, side: usize) -> Self {
        for line in 0..side {
            let (above, current) = values.split_at_mut(line * side);
            let current = &mut current[..side];
            for column in 0..line {
                let pivot = above[column * side + column];
                let sum = current[column] - dot(&current[..column], &above[column * side..][..column]);
                current[column] = if pivot > 0.0 { sum / pivot } else { 0.0 };
            }
            let diagonal = current[line];
            let pivot = diagonal - dot(&current[..line], &current[..line]);
            current[line] = if pivot > DEPENDENT * diagonal { pivot.sqrt() } else { 0.0 };
        }
        Self { side, values }
    }

    /// Solves for the unknowns.
    pub(super) fn solve(&self, right: &[f64]) -> Vec<f64> {
        let side = self.side;
        let mut x = right.to_vec();
        for line in 0..side {
            let pivot = self.values[line * side + line];
            let sum = x[line] - dot(&self.values[line * side..][..line], &x[..line]);
            x[line] = if pivot > 0.0 { sum / pivot } else { 0.0 };
        }
        for line in (0..side).rev() {
            let pivot = self.values[line * side + line];
            x[line] = if pivot > 0.0 { x[line] / pivot } else { 0.0 };
            for column in 0..line {
                x[column] -= self.values[line * side + column] * x[line];
            }
        }
        x
    }
}

/// Minimises `½ dᵀHd + gᵀd + Σ lasso·|w + d|` over d by coordinate descent with covariance updates (Friedman, Hastie,
/// Tibshirani 2010: Regularization paths for generalized linear models via coordinate descent), on the coordinates that
/// move first and on all of them when those have come to rest. `lower` is H's lower triangle.
pub(super) fn descend(lower: &[f64], gradient: &[f64], weights: &[f64], lasso: &[f64], tolerance: f64) -> Vec<f64> {
    const SWEEPS: usize = 10_000;
    let side = gradient.len();
    let mut full = lower.to_vec();
    for line in 0..side {
        for column in 0..line {
            full[column * side + line] = full[line * side + column];
        }
    }
    let mut slope = gradient.to_vec();
    let mut step = vec![0.0; side];
    let mut all = true;
    let mut active: Vec<usize> = (0..side).collect();
    for _ in 0..SWEEPS {
        let mut moved: f64 = 0.0;
        for &place in &active {
            let curvature = full[place * side + place];
            if curvature <= 0.0 {
                continue;
            }
            let now = weights[place] + step[place];
            let aim = soft(now - slope[place] / curvature, lasso[place] / curvature);
            let change = aim - now;
            if change != 0.0 {
                step[place] += change;
                super::dot::add(&mut slope, change, &full[place * side..][..side]);
                moved = moved.max(curvature * change.abs());
            }
        }
        if moved <= tolerance {
            if all {
                break;
            }
            active = (0..side).collect();
            all = true;
        } else if all {
            active.retain(|place| weights[*place] + step[*place] != 0.0 || lasso[*place] == 0.0);
            all = false;
        }
    }
    step
}

/// Moves a number towards 0 by `by`, and not beyond.
pub(super) fn soft(value: f64, by: f64) -> f64 {
    value.signum() * (value.abs() - by).max(0.0)
}
