//! The rows as a solver walks them: dense, or only their entries other than 0 where most are 0 (one-hot codes, words).
//!
//! The last coefficient is the intercept: it belongs to a column of ones that is stored nowhere.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::dot::{add, dot};
use crate::{Context, Matrix, MlError};

/// Up to this share of entries other than 0 the compact form is faster.
const SPARSE: f64 = 0.3;
/// At most so many blocks; bounds the memory for a block's Hessian.
const BLOCKS: usize = 16;
/// A block has at least so many rows.
const LEAST: usize = 1024;

enum Store<'a> {
    Dense(Cow<'a, [f64]>),
    Sparse { starts: Vec<usize>, columns: Vec<u32>, values: Vec<f64> },
}

/// Rows of numbers without NaN.
pub(crate) struct Design<'a> {
    rows: usize,
    columns: usize,
    store: Store<'a>,
}

impl<'a> Design<'a> {
    /// Takes rows in; infinite values are refused, NaN becomes 0.
    pub(crate) fn new(matrix: &'a Matrix) -> Result<Self, MlError> {
        let values = matrix.values();
        // One walk that counts without branches; where something infinite is, is looked for only if there is some.
        let (mut used, mut missing, mut infinite) = (0_u64, 0_u64, 0_u64);
        for value in values {
            missing += u64::from(value.is_nan());
            infinite += u64::from(value.is_infinite());
            used += u64::from(*value != 0.0);
        }
        if infinite > 0
            && let Some(at) = values.iter().position(|value| value.is_infinite())
        {
            let (row, column) = (at / matrix.columns(), at % matrix.columns());
            return Err(MlError::Shape(format!("row {row} is infinite in column {column}; give a number or NaN")));
        }
        let (rows, columns) = (matrix.rows(), matrix.columns());
        let used = (used - missing) as usize;
        let store = if (used as f64) < SPARSE * values.len() as f64 {
            Self::compact(matrix, used)
        } else if missing > 0 {
            Store::Dense(Cow::Owned(values.iter().map(|v| if v.is_nan() { 0.0 } else { *v }).collect()))
        } else {
            Store::Dense(Cow::Borrowed(values))
        };
        Ok(Self { rows, columns, store })
    }

    fn compact(matrix: &Matrix, used: usize) -> Store<'a> {
        let mut starts = Vec::with_capacity(matrix.rows() + 1);
        let (mut columns, mut values) = (Vec::with_capacity(used), Vec::with_capacity(used));
        starts.push(0);
        for row in 0..matrix.rows() {
            for (column, value) in matrix.row(row).iter().enumerate() {
                if *value != 0.0 && !value.is_nan() {
                    columns.push(column as u32);
                    values.push(*value);
                }
            }
            starts.push(values.len());
        }
        Store::Sparse { starts, columns, values }
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// The margin of a row; `weights` end with the intercept.
    pub(crate) fn margin(&self, row: usize, weights: &[f64]) -> f64 {
        let (intercept, weights) = (weights[self.columns], &weights[..self.columns]);
        match &self.store {
            Store::Dense(values) => dot(&values[row * self.columns..][..self.columns], weights) + intercept,
            Store::Sparse { starts, columns, values } => {
                let range = starts[row]..starts[row + 1];
                let pairs = columns[range.clone()].iter().zip(&values[range]);
                pairs.fold(intercept, |sum, (column, value)| sum + value * weights[*column as usize])
            }
        }
    }

    /// Adds `scale` times the row (and its 1) to `out`.
    pub(crate) fn add(&self, row: usize, scale: f64, out: &mut [f64]) {
        out[self.columns] += scale;
        match &self.store {
            Store::Dense(values) => add(&mut out[..self.columns], scale, &values[row * self.columns..][..self.columns]),
            Store::Sparse { starts, columns, values } => {
                let range = starts[row]..starts[row + 1];
                for (column, value) in columns[range.clone()].iter().zip(&values[range]) {
                    out[*column as usize] += scale * value;
                }
            }
        }
    }

    /// The sum over `rows` of `scale(row)` times the row's outer product with itself, its 1 included: the lower triangle
    /// of a square of side columns + 1.
    pub(crate) fn gram(&self, rows: Range<usize>, scale: impl Fn(usize) -> f64) -> Vec<f64> {
        let side = self.columns + 1;
        let mut out = vec![0.0; side * side];
        match &self.store {
            Store::Dense(values) => {
                // Four rows at a time: an entry of the square is loaded and stored once for four products.
                let mut four = vec![0.0; 4 * side];
                let mut start = rows.start;
                while start < rows.end {
                    let count = (rows.end - start).min(4);
                    let mut scales = [0.0; 4];
                    for place in 0..count {
                        let row = start + place;
                        four[place * side..][..self.columns]
                            .copy_from_slice(&values[row * self.columns..][..self.columns]);
                        four[place * side + self.columns] = 1.0;
                        scales[place] = scale(row);
                    }
                    // A row without weight changes nothing: the support vectors' Hessian skips most rows.
                    if scales != [0.0; 4] {
                        four_products(&four, side, scales, &mut out);
                    }
                    start += count;
                }
            }
            Store::Sparse { starts, columns, values } => {
                for row in rows {
                    let scale = scale(row);
                    if scale == 0.0 {
                        continue;
                    }
                    let (columns, values) =
                        (&columns[starts[row]..starts[row + 1]], &values[starts[row]..starts[row + 1]]);
                    for (place, (column, value)) in columns.iter().zip(values).enumerate() {
                        let scaled = scale * value;
                        let line = &mut out[*column as usize * side..][..side];
                        for (other, value) in columns[..=place].iter().zip(&values[..=place]) {
                            line[*other as usize] += scaled * value;
                        }
                        out[self.columns * side + *column as usize] += scaled;
                    }
                    out[side * side - 1] += scale;
                }
            }
        }
        out
    }

    /// Runs `work` on blocks of rows and returns the results in the order of the rows.
    pub(crate) fn blocks<T: Send>(&self, context: &Context, work: impl Fn(Range<usize>) -> T + Sync) -> Vec<T> {
        let size = self.rows.div_ceil(BLOCKS).max(LEAST);
        let slots: Vec<Mutex<Option<T>>> = (0..self.rows.div_ceil(size)).map(|_| Mutex::new(None)).collect();
        context.parallel.run(slots.len(), &|block| {
            let result = work(block * size..self.rows.min((block + 1) * size));
            *slots[block].lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        });
        slots.into_iter().filter_map(|slot| slot.into_inner().unwrap_or_else(PoisonError::into_inner)).collect()
    }

    /// The margins of all rows.
    pub(crate) fn margins(&self, context: &Context, weights: &[f64]) -> Vec<f64> {
        self.blocks(context, |rows| rows.map(|row| self.margin(row, weights)).collect::<Vec<_>>()).concat()
    }

    /// The sum of the rows, each times its number in `scales`.
    pub(crate) fn sum(&self, context: &Context, scales: &[f64]) -> Vec<f64> {
        total(self.blocks(context, |rows| {
            let mut out = vec![0.0; self.columns + 1];
            rows.filter(|row| scales[*row] != 0.0).for_each(|row| self.add(row, scales[row], &mut out));
            out
        }))
    }

    /// The sum of the rows' outer products, each times its number in `scales`; the lower triangle.
    pub(crate) fn squares(&self, context: &Context, scales: &[f64]) -> Vec<f64> {
        total(self.blocks(context, |rows| self.gram(rows, |row| scales[row])))
    }
}

/// Adds four scaled outer products to the lower triangle.
fn four_products(four: &[f64], side: usize, scales: [f64; 4], out: &mut [f64]) {
    let (a, rest) = four.split_at(side);
    let (b, rest) = rest.split_at(side);
    let (c, d) = rest.split_at(side);
    for line in 0..side {
        let factors = [scales[0] * a[line], scales[1] * b[line], scales[2] * c[line], scales[3] * d[line]];
        let length = line + 1;
        let (a, b, c, d) = (&a[..length], &b[..length], &c[..length], &d[..length]);
        for (place, out) in out[line * side..][..length].iter_mut().enumerate() {
            *out += (factors[0] * a[place] + factors[1] * b[place]) + (factors[2] * c[place] + factors[3] * d[place]);
        }
    }
}

/// The sum of parts of equal length, in order.
pub(crate) fn total(parts: Vec<Vec<f64>>) -> Vec<f64> {
    let mut parts = parts.into_iter();
    let mut sum = parts.next().unwrap_or_default();
    parts.for_each(|part| add(&mut sum, 1.0, &part));
    sum
}
