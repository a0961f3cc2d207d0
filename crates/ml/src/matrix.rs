//! Rows of numbers.

use crate::MlError;

/// A dense matrix by rows; NaN is a missing value.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Matrix {
    columns: usize,
    values: Vec<f64>,
}

impl Matrix {
    /// No rows yet.
    pub fn new(columns: usize) -> Self {
        Self { columns, values: Vec::new() }
    }

    /// All rows, one after the other.
    pub fn from_values(columns: usize, values: Vec<f64>) -> Result<Self, MlError> {
        if columns == 0 || !values.len().is_multiple_of(columns) {
            return Err(MlError::Shape(format!("{} numbers do not make rows of {columns}", values.len())));
        }
        Ok(Self { columns, values })
    }

    /// All rows, one after the other.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Adds a row of [`Self::columns`] numbers.
    pub fn push(&mut self, row: &[f64]) -> Result<(), MlError> {
        if row.len() != self.columns {
            return Err(MlError::Shape(format!("a row has {} numbers; {} are expected", row.len(), self.columns)));
        }
        self.values.extend_from_slice(row);
        Ok(())
    }

    /// How many columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.values.len().checked_div(self.columns).unwrap_or(0)
    }

    /// One row.
    pub fn row(&self, index: usize) -> &[f64] {
        &self.values[index * self.columns..][..self.columns]
    }

    /// Changes one number.
    pub(crate) fn set(&mut self, row: usize, column: usize, value: f64) {
        self.values[row * self.columns + column] = value;
    }

    /// One column.
    pub fn column(&self, index: usize) -> impl Iterator<Item = f64> {
        (0..self.rows()).map(move |row| self.values[row * self.columns + index])
    }

    /// The rows at `places`, in that order.
    #[must_use]
    pub fn select(&self, places: &[usize]) -> Self {
        let mut values = Vec::with_capacity(places.len() * self.columns);
        for place in places {
            values.extend_from_slice(self.row(*place));
        }
        Self { columns: self.columns, values }
    }
}
