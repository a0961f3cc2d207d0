//! Sums of products, in the shape that the compiler turns into vector instructions.

#![expect(clippy::inline_always, reason = "only what is inlined is compiled for the instructions that were found")]

/// The sum of products, in four lanes; both have the same length.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 4];
    let (a_chunks, b_chunks) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest: f64 = a_chunks.remainder().iter().zip(b_chunks.remainder()).map(|(x, y)| x * y).sum();
    for (a, b) in a_chunks.zip(b_chunks) {
        for (lane, (x, y)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            *lane += x * y;
        }
    }
    (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]) + rest
}

/// As [`dot`], where a NaN in `row` counts as 0.
#[inline(always)]
pub(super) fn dot_present(row: &[f64], weights: &[f64]) -> f64 {
    let present = |value: f64| if value.is_nan() { 0.0 } else { value };
    let mut lanes = [0.0; 4];
    let (rows, others) = (row.chunks_exact(4), weights.chunks_exact(4));
    let rest: f64 = rows.remainder().iter().zip(others.remainder()).map(|(x, w)| present(*x) * w).sum();
    for (row, weights) in rows.zip(others) {
        for (lane, (x, w)) in lanes.iter_mut().zip(row.iter().zip(weights)) {
            *lane += present(*x) * w;
        }
    }
    (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]) + rest
}

/// Adds `scale` times `values`.
pub(super) fn add(out: &mut [f64], scale: f64, values: &[f64]) {
    for (out, value) in out.iter_mut().zip(values) {
        *out += scale * value;
    }
}

/// The largest absolute value; 0 for none.
pub(super) fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most, value| f64::max(most, value.abs()))
}
