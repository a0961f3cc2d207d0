//! Rates of the target for the training rows themselves, from other rows.
//!
//! A rate that contains the row's own target tells it. So the training rows are dealt into folds, and a row gets the rate of
//! its category among the rows of all other folds, drawn to their overall mean.

use super::category::{Lookup, outputs_of, part, smoothed};
use super::coder::{self, Coder};
use super::{ManyCategories, Pipeline};
use crate::frame::{Column, Frame, Reading};
use crate::{MlError, Random, Task};

/// Calls `set(row, place, value)` for every rate of every training row; `row` counts the training rows.
pub(super) fn replace_rates(
    pipeline: &Pipeline,
    frame: &Frame,
    rows: &[usize],
    target: &[f64],
    set: &mut dyn FnMut(usize, usize, f64),
) -> Result<(), MlError> {
    if target.len() != rows.len() {
        return Err(MlError::Shape(format!("{} training rows, {} targets", rows.len(), target.len())));
    }
    let Some(task) = pipeline.task else { return Ok(()) };
    let fold_of = folds(rows.len(), pipeline.folds, pipeline.seed);
    for (source, (coder, start)) in pipeline.sources.iter().zip(pipeline.coders.iter().zip(&pipeline.starts)) {
        let Coder::Lookup(lookup) = coder else { continue };
        if lookup.by == ManyCategories::Target {
            let places = places(lookup, frame.column(&source.name)?, &source.reading, rows);
            let sums = Sums { lookup, places: &places, target, task, fold_of: &fold_of, smoothing: pipeline.smoothing };
            sums.replace(pipeline.folds, &mut |row, output, value| set(row, start + output, value));
        }
    }
    Ok(())
}

/// The fold of each row: equal in size, at random.
fn folds(rows: usize, folds: usize, seed: u64) -> Vec<usize> {
    let mut of: Vec<usize> = (0..rows).map(|row| row % folds).collect();
    Random::new(seed, 0).shuffle(&mut of);
    of
}

fn places(lookup: &Lookup, column: &Column, reading: &Reading, rows: &[usize]) -> Vec<usize> {
    let mut buffer = String::new();
    rows.iter().map(|row| lookup.place(coder::name(column.cells.get(*row), reading, &mut buffer))).collect()
}

struct Sums<'a> {
    lookup: &'a Lookup,
    /// The category of each row.
    places: &'a [usize],
    target: &'a [f64],
    task: Task,
    fold_of: &'a [usize],
    smoothing: f64,
}

impl Sums<'_> {
    fn replace(&self, folds: usize, set: &mut dyn FnMut(usize, usize, f64)) {
        let outputs = outputs_of(self.task);
        let count = self.lookup.dictionary.len() + 2;
        for fold in 0..folds {
            // Sums over all rows outside of the fold.
            let (mut sums, mut rows) = (vec![0.0; count * outputs], vec![0.0; count]);
            let mut overall = vec![0.0; outputs];
            let outside = || (0..self.places.len()).filter(|row| self.fold_of[*row] != fold);
            for row in outside() {
                rows[self.places[row]] += 1.0;
                for output in 0..outputs {
                    let part = part(self.task, self.target[row], output);
                    sums[self.places[row] * outputs + output] += part;
                    overall[output] += part;
                }
            }
            let all = outside().count().max(1) as f64;
            for row in (0..self.places.len()).filter(|row| self.fold_of[*row] == fold) {
                let place = self.places[row];
                for output in 0..outputs {
                    let sum = sums[place * outputs + output];
                    let rate = smoothed(sum, rows[place], overall[output] / all, self.smoothing);
                    set(row, output, self.lookup.scaled(output, rate));
                }
            }
        }
    }
}
