//! What every fitted model can do.

use crate::Matrix;

/// A fitted model. Rows are in the order and coding of the columns it was fitted on; NaN is a missing value. An
/// implementation allocates nothing for a single row.
pub trait Predict {
    /// How many numbers an answer has: 1, or one for each class.
    fn outputs(&self) -> usize;

    /// Writes the answer for a row into `out`, which has [`Self::outputs`] places: probabilities, or expected values.
    fn predict(&self, row: &[f64], out: &mut [f64]);

    /// Writes the answers for all rows into `out`, row by row.
    fn predict_rows(&self, rows: &Matrix, out: &mut [f64]) {
        row_by_row(self, rows, out);
    }
}

/// What [`Predict::predict_rows`] is where nothing is faster.
pub(crate) fn row_by_row(model: &(impl Predict + ?Sized), rows: &Matrix, out: &mut [f64]) {
    for (index, out) in out.chunks_exact_mut(model.outputs()).enumerate() {
        model.predict(rows.row(index), out);
    }
}

/// A fitted model whose answer is a sum of what its inputs bring.
pub trait Explain: Predict {
    /// Writes what each column adds to the margin of `output` (log-odds for probabilities, the value itself for
    /// regression) into `out`, which has a place for each column. Returns the base: base plus all parts is the margin.
    fn contributions(&self, row: &[f64], output: usize, out: &mut [f64]) -> f64;
}
