//! Nearest clusters of many rows. The answers are those of [`KMeans::nearest`], whatever instructions are taken.

#![expect(clippy::inline_always, reason = "only what is inlined is compiled for the instructions that were found")]

use std::hint::select_unpredictable;

use fearless_simd::{Level, Simd, SimdBase, dispatch, f64x8};

use super::{ABREAST, KMeans};
use crate::Matrix;

/// So many rows go in step, so that none waits for its own sum alone.
const TOGETHER: usize = 4;

/// Writes the number of the nearest cluster of each row.
pub(super) fn clusters(model: &KMeans, level: Level, rows: &Matrix, out: &mut [f64]) {
    let whole = rows.rows() / TOGETHER * TOGETHER;
    let (first, rest) = out.split_at_mut(whole);
    dispatch!(level, simd => groups(simd, model, rows, first));
    rest.iter_mut().zip(whole..).for_each(|(out, row)| *out = model.nearest(rows.row(row)).0 as f64);
}

#[inline(always)]
fn groups<S: Simd>(simd: S, model: &KMeans, rows: &Matrix, out: &mut [f64]) {
    let columns = rows.columns();
    let begins = (0..model.clusters()).step_by(ABREAST);
    // As vectors hold them; where there are no more clusters, infinitely far.
    let center = |begin: usize, column: usize| -> [f64; ABREAST] {
        let centers = &model.centers[column * model.clusters()..][begin..model.clusters()];
        std::array::from_fn(|at| centers.get(at).copied().unwrap_or(f64::INFINITY))
    };
    let centers: Vec<_> = begins
        .clone()
        .flat_map(|begin| (0..columns).map(move |column| (begin, column)))
        .map(|(b, c)| center(b, c))
        .collect();
    let mut values = vec![[0.0; TOGETHER]; columns];
    for (rows, out) in rows.values().chunks_exact(TOGETHER * columns).zip(out.chunks_exact_mut(TOGETHER)) {
        for (column, (values, standard)) in values.iter_mut().zip(&model.standards).enumerate() {
            *values = std::array::from_fn(|row| standard.apply(rows[row * columns + column]));
        }
        let mut best = [(0, f64::INFINITY); TOGETHER];
        for (begin, centers) in begins.clone().zip(centers.chunks_exact(columns)) {
            let mut squared = [f64x8::splat(simd, 0.0); TOGETHER];
            for (values, centers) in values.iter().zip(centers) {
                let centers = f64x8::from_slice(simd, centers);
                for (squared, value) in squared.iter_mut().zip(values) {
                    let apart = f64x8::splat(simd, *value) - centers;
                    *squared += apart * apart;
                }
            }
            for (best, squared) in best.iter_mut().zip(squared) {
                *best = nearer(*best, begin, &*squared);
            }
        }
        out.iter_mut().zip(best).for_each(|(out, best)| *out = best.0 as f64);
    }
}

/// The nearest of what was found and some clusters more, the first of equals.
#[inline(always)]
pub(super) fn nearer(mut best: (usize, f64), begin: usize, squared: &[f64]) -> (usize, f64) {
    for (at, squared) in squared.iter().enumerate() {
        // Which one is nearest cannot be guessed, so there is no branch to guess at.
        let nearer = *squared < best.1;
        let which = select_unpredictable(nearer, begin + at, best.0);
        best = (which, select_unpredictable(nearer, *squared, best.1));
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kmeans::KMeansOptions;
    use crate::levels::levels;
    use crate::{Context, Kind, Random};

    #[test]
    fn a_batch_is_answered_as_row_by_row_with_any_instructions() {
        let mut random = Random::new(5, 0);
        for (clusters, columns) in [(2, 1), (8, 20), (9, 3), (19, 7)] {
            let missing = |random: &mut Random| if random.below(20) == 0 { f64::NAN } else { random.uniform() };
            let values = (0..203 * columns).map(|_| missing(&mut random)).collect();
            let rows = Matrix::from_values(columns, values).unwrap();
            let options = KMeansOptions { clusters, ..KMeansOptions::default() };
            let model = KMeans::fit(&rows, &vec![Kind::Number; columns], None, &options, &Context::serial()).unwrap();
            let expected: Vec<f64> = (0..rows.rows()).map(|row| model.nearest(rows.row(row)).0 as f64).collect();
            for level in levels() {
                let mut out = vec![f64::NAN; rows.rows()];
                super::clusters(&model, level, &rows, &mut out);
                assert_eq!(out, expected, "{clusters} clusters of {columns} columns at {level:?}");
            }
        }
    }
}
