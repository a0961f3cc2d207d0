//! Kernels, and rows laid out so that one row is compared with many by vector instructions: sixteen rows stand together,
//! column by column. Numbers are single precision: a kernel's value is exact to about six digits.

use serde::{Deserialize, Serialize};

use crate::{MlError, sound};

/// Powers beyond this one are 0 or infinite in single precision for most rows.
const MOST_DEGREE: u32 = 32;
/// Rows that are compared at a time.
const LANES: usize = 16;

/// How alike two rows are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Kernel {
    /// The sum of products. The [linear machine](crate::LinearSvm) is far faster.
    Linear,
    /// exp(-gamma·distance²).
    Rbf {
        /// Without one: 1 / (columns · variance of all entries).
        gamma: Option<f64>,
    },
    /// (gamma·sum of products + shift)^degree.
    Polynomial {
        /// From 1 to 32.
        degree: u32,
        /// As for the radial kernel.
        gamma: Option<f64>,
        /// What stands beside the sum.
        shift: f64,
    },
}

impl Kernel {
    /// The kernel with its gamma, checked.
    pub(super) fn settled(self, columns: usize, values: &[f64]) -> Result<Self, MlError> {
        let settle = |gamma: Option<f64>| {
            let gamma = gamma.unwrap_or_else(|| scale(columns, values));
            // Beyond single precision it is computed with, infinite.
            if gamma > f64::from(f32::MAX) {
                return Err(MlError::Shape(format!("gamma is {gamma}; it must be less")));
            }
            crate::linear::positive("gamma", gamma).map(|()| Some(gamma))
        };
        Ok(match self {
            Self::Linear => Self::Linear,
            Self::Rbf { gamma } => Self::Rbf { gamma: settle(gamma)? },
            Self::Polynomial { degree, .. } if !(1..=MOST_DEGREE).contains(&degree) => {
                return Err(MlError::Shape(format!("the degree is {degree}; it must be from 1 to {MOST_DEGREE}")));
            }
            Self::Polynomial { degree, gamma, shift } if shift.abs() <= f64::from(f32::MAX) => {
                Self::Polynomial { degree, gamma: settle(gamma)?, shift }
            }
            Self::Polynomial { shift, .. } => {
                return Err(MlError::Shape(format!("the shift is {shift}; it must be a number")));
            }
        })
    }

    /// Refuses what [`Self::settled`] does not make.
    pub(super) fn check(self) -> Result<(), MlError> {
        match self {
            Self::Linear => Ok(()),
            Self::Rbf { gamma: None } | Self::Polynomial { gamma: None, .. } => {
                sound::fits(false, "a kernel has no gamma")
            }
            Self::Rbf { gamma: Some(_) } | Self::Polynomial { gamma: Some(_), .. } => self.settled(0, &[]).map(|_| ()),
        }
    }

    /// Turns sums of products into the kernel's values; `square` and `squares` are the rows' own sums. The kernel is told
    /// apart once for all of them, so that each loop becomes vector instructions.
    fn finish(self, products: &mut [f32], square: f32, squares: &[f32]) {
        match self {
            Self::Linear => {}
            Self::Rbf { gamma } => {
                let gamma = -(gamma.unwrap_or(1.0) as f32);
                for (value, other) in products.iter_mut().zip(squares) {
                    *value = exp(gamma * (square + other - 2.0 * *value).max(0.0));
                }
            }
            Self::Polynomial { degree, gamma, shift } => {
                let (gamma, shift) = (gamma.unwrap_or(1.0) as f32, shift as f32);
                // What is beyond single precision is as much as it can hold, so that a sum of it is still a number.
                let power = |value: f32| (gamma * value + shift).powi(degree as i32).clamp(f32::MIN, f32::MAX);
                products.iter_mut().for_each(|value| *value = power(*value));
            }
        }
    }
}

fn scale(columns: usize, values: &[f64]) -> f64 {
    let present = || values.iter().map(|value| if value.is_nan() { 0.0 } else { *value });
    let n = values.len() as f64;
    let mean = present().sum::<f64>() / n;
    let variance = present().map(|value| (value - mean).powi(2)).sum::<f64>() / n;
    if variance > 0.0 { 1.0 / (columns as f64 * variance) } else { 1.0 }
}

/// The exponential of a number that is not positive, to seven digits, in a shape that becomes vector instructions: a
/// power of two by its bits, times a polynomial for the rest.
fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0;
    let x = x.max(-87.0);
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let whole = rounded - ROUND;
    let rest = (x - whole * 0.693_359_4) + whole * 2.121_944_4e-4;
    let p = 1.987_569_1e-4 * rest + 1.398_199_9e-3;
    let p = p * rest + 8.333_452e-3;
    let p = p * rest + 4.166_579_6e-2;
    let p = p * rest + 1.666_666_5e-1;
    let p = p * rest + 0.5;
    let p = p * rest * rest + rest + 1.0;
    // The last bits of `rounded` hold the whole number.
    p * f32::from_bits((rounded.to_bits().wrapping_add(127)) << 23)
}

/// Rows side by side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Lanes {
    columns: usize,
    rows: usize,
    values: Vec<f32>,
    squares: Vec<f32>,
}

impl Lanes {
    /// Lays out rows; NaN becomes 0.
    pub(super) fn new<'r>(columns: usize, rows: impl ExactSizeIterator<Item = &'r [f64]>) -> Self {
        let count = rows.len();
        let blocks = count.div_ceil(LANES);
        let mut lanes = Self {
            columns,
            rows: count,
            values: vec![0.0; blocks * LANES * columns],
            squares: vec![0.0; blocks * LANES],
        };
        for (place, row) in rows.enumerate() {
            for (column, value) in row.iter().enumerate() {
                let value = if value.is_nan() { 0.0 } else { *value as f32 };
                lanes.values[(place / LANES * columns + column) * LANES + place % LANES] = value;
                lanes.squares[place] += value * value;
            }
        }
        lanes
    }

    /// Refuses what are not rows of so many columns, each with its square.
    pub(super) fn check(&self, columns: usize) -> Result<(), MlError> {
        let places = self.rows.div_ceil(LANES).checked_mul(LANES);
        let is_whole = self.columns == columns
            && places == Some(self.squares.len())
            && places.and_then(|places| places.checked_mul(columns)) == Some(self.values.len());
        sound::fits(is_whole, "a support vector is not as long as a row")?;
        // Where the square is finite, so are products with ordinary rows.
        let mut all = self.values.iter().chain(&self.squares);
        sound::fits(all.all(|value| value.is_finite()), "a support vector has a number that is none")
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Calls `take` with the kernel's values of a row and sixteen rows at a time. `entry` tells the row's numbers.
    pub(super) fn compare(&self, kernel: Kernel, entry: impl Fn(usize) -> f32, mut take: impl FnMut(usize, &[f32])) {
        let square: f32 = (0..self.columns).map(|column| entry(column) * entry(column)).sum();
        for (block, values) in self.values.chunks_exact(LANES * self.columns).enumerate() {
            let mut sums = [0.0_f32; LANES];
            for (column, values) in values.chunks_exact(LANES).enumerate() {
                let entry = entry(column);
                for (sum, value) in sums.iter_mut().zip(values) {
                    *sum += entry * value;
                }
            }
            let squares = &self.squares[block * LANES..][..LANES];
            kernel.finish(&mut sums, square, squares);
            let left = (self.rows - block * LANES).min(LANES);
            take(block * LANES, &sums[..left]);
        }
    }

    /// The kernel's values of one of the rows with all of them.
    pub(super) fn line(&self, kernel: Kernel, row: usize) -> Box<[f32]> {
        let base = row / LANES * self.columns * LANES + row % LANES;
        let mut out = vec![0.0; self.rows];
        self.compare(
            kernel,
            |column| self.values[base + column * LANES],
            |place, values| out[place..][..values.len()].copy_from_slice(values),
        );
        out.into_boxed_slice()
    }

    /// The kernel's value of a row with itself.
    pub(super) fn own(&self, kernel: Kernel, row: usize) -> f32 {
        let mut value = [self.squares[row]];
        kernel.finish(&mut value, self.squares[row], &[self.squares[row]]);
        value[0]
    }
}
