//! Rows most of whose numbers are zero.

/// Rows of numbers by place (compressed sparse rows): what is not there is 0. A number takes 12 bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct SparseRows {
    columns: usize,
    ends: Vec<usize>,
    places: Vec<u32>,
    values: Vec<f64>,
}

impl SparseRows {
    /// No rows yet.
    pub fn new(columns: usize) -> Self {
        Self { columns, ends: Vec::new(), places: Vec::new(), values: Vec::new() }
    }

    /// How many columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.ends.len()
    }

    /// The places, rising, and the numbers of a row.
    pub fn row(&self, index: usize) -> (&[u32], &[f64]) {
        let range = self.range(index);
        (&self.places[range.clone()], &self.values[range])
    }

    /// Adds a number to the row that is being written; places must rise within it. A zero that a coder puts is kept, so
    /// that it can be changed in place later.
    pub(super) fn put(&mut self, place: usize, value: f64) {
        self.places.push(place as u32);
        self.values.push(value);
    }

    /// Ends the row that is being written.
    pub(super) fn end_row(&mut self) {
        self.ends.push(self.places.len());
    }

    /// Changes a number that was put.
    pub(super) fn set(&mut self, row: usize, place: usize, value: f64) {
        let range = self.range(row);
        if let Ok(found) = self.places[range.clone()].binary_search(&(place as u32)) {
            self.values[range.start + found] = value;
        }
    }

    fn range(&self, index: usize) -> std::ops::Range<usize> {
        let begin = if index == 0 { 0 } else { self.ends[index - 1] };
        begin..self.ends[index]
    }
}
