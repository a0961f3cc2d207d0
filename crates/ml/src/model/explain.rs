//! What inputs bring to an answer, for models whose margin is no sum.

use super::engine::Engine;

/// Coded columns by the raw column that they come from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Groups<'a> {
    /// For each coded column the number of its raw column, in rising order.
    pub(super) origin: &'a [usize],
    /// What stands for a coded column that is taken away.
    pub(super) neutral: f64,
}

/// Brings contributions from one scale to another, so that they still add up: each keeps its share of the way from the base to the
/// sum. Returns the new base.
pub(super) fn rescale(base: f64, contributions: &mut [f64], scale: impl Fn(f64) -> f64) -> f64 {
    let way: f64 = contributions.iter().sum();
    let new_base = scale(base);
    if way != 0.0 {
        let factor = (scale(base + way) - new_base) / way;
        contributions.iter_mut().for_each(|contribution| *contribution *= factor);
    }
    new_base
}

/// Shapley values estimated from two orders, forward and backward (Strumbelj and Kononenko, Explaining prediction models and
/// individual predictions with feature contributions, 2014): raw columns are put back one after the other into a row of
/// nothing, and each gets by how much the margin moves, on the mean. They add up exactly; each alone is an estimate. What a
/// raw column brings stands at its first coded column.
pub(super) fn by_asking(
    engine: &Engine,
    row: &[f64],
    output: usize,
    groups: &Groups<'_>,
    spare: &mut Vec<f64>,
    out: &mut [f64],
) -> f64 {
    out.fill(0.0);
    spare.clear();
    spare.resize(row.len() + engine.outputs(), 0.0);
    let (changed, margins) = spare.split_at_mut(row.len());
    let mut ask = |changed: &[f64]| {
        engine.margins(changed, margins);
        margins[output]
    };
    changed.fill(groups.neutral);
    let base = ask(changed);
    let mut before = base;
    for span in groups.origin.chunk_by(PartialEq::eq).scan(0, spans) {
        changed[span.clone()].copy_from_slice(&row[span.clone()]);
        let after = ask(changed);
        out[span.start] += (after - before) / 2.0;
        before = after;
    }
    // Backward: the first columns are taken away first, so that the last is put back first.
    for span in groups.origin.chunk_by(PartialEq::eq).scan(0, spans) {
        changed[span.clone()].fill(groups.neutral);
        let after = ask(changed);
        out[span.start] += (before - after) / 2.0;
        before = after;
    }
    base
}

#[expect(clippy::unnecessary_wraps, reason = "scan wants an option")]
fn spans(start: &mut usize, columns: &[usize]) -> Option<std::ops::Range<usize>> {
    let span = *start..*start + columns.len();
    *start = span.end;
    Some(span)
}
