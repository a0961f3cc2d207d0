//! Nearest clusters of many rows. The answers are those of [`KMeans::nearest`], whatever instructions are taken.

#![expect(clippy::inline_always, reason = "only what is inlined is compiled for the instructions that were found")]

use std::hint::select_unpredictable;

use fearless_simd::{Level, Simd, SimdBase, SimdMask, dispatch, f64x8};

use super::{ABREAST, KMeans};
use crate::Matrix;
use crate::standard::Standard;

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
    let standards = || model.standards.iter().cycle().take(TOGETHER * columns);
    let means: Vec<f64> = standards().map(|standard| standard.mean).collect();
    let inverses: Vec<f64> = standards().map(|standard| standard.inverse).collect();
    let mut values = vec![0.0; TOGETHER * columns];
    for (rows, out) in rows.values().chunks_exact(TOGETHER * columns).zip(out.chunks_exact_mut(TOGETHER)) {
        for ((value, raw), (mean, inverse)) in values.iter_mut().zip(rows).zip(means.iter().zip(&inverses)) {
            *value = Standard { mean: *mean, inverse: *inverse }.apply(*raw);
        }
        let values: [&[f64]; TOGETHER] = std::array::from_fn(|row| &values[row * columns..][..columns]);
        let mut best = [(0, f64::INFINITY); TOGETHER];
        for (begin, centers) in begins.clone().zip(centers.chunks_exact(columns)) {
            let mut squared = [f64x8::splat(simd, 0.0); TOGETHER];
            for (column, centers) in centers.iter().enumerate() {
                let centers = f64x8::from_slice(simd, centers);
                for (squared, values) in squared.iter_mut().zip(values) {
                    let apart = f64x8::splat(simd, values[column]) - centers;
                    *squared += apart * apart;
                }
            }
            for (best, squared) in best.iter_mut().zip(squared) {
                let least = squared.reduce_min();
                let first = squared.simd_eq(least).to_bitmask().trailing_zeros() as usize;
                let nearer = least < best.1;
                best.0 = select_unpredictable(nearer, begin + first, best.0);
                best.1 = select_unpredictable(nearer, least, best.1);
            }
        }
        out.iter_mut().zip(best).for_each(|(out, best)| *out = best.0 as f64);
    }
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
