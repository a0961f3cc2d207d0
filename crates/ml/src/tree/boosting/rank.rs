//! LambdaMART: gradients that put better rows of a group before worse ones, most where it counts (Burges: From RankNet to
//! LambdaRank to LambdaMART, 2010). A row of grade `g` is worth `2^g - 1`, discounted by the logarithm of its place.

use std::ops::Range;

use super::objective::{Pair, logistic};
use crate::tree::pieces;
use crate::{Context, Examples, MlError};

/// The highest grade; beyond it the worth of a row outgrows everything else.
const HIGHEST_GRADE: f64 = 30.0;

/// Refuses groups that do not stand together and grades that are too high.
pub(super) fn check(groups: &[u32], target: &[f64]) -> Result<(), MlError> {
    if let Some(at) = target.iter().position(|grade| *grade > HIGHEST_GRADE) {
        return Err(MlError::Shape(format!("the grade of row {at} is {}; at most 30 is allowed", target[at])));
    }
    let mut seen: Vec<u32> = groups.chunk_by(|a, b| a == b).map(|run| run[0]).collect();
    seen.sort_unstable();
    match seen.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(MlError::Shape(format!("the rows of group {} do not stand together", pair[0]))),
        None => Ok(()),
    }
}

fn ranges(groups: &[u32]) -> Vec<Range<usize>> {
    let mut start = 0;
    groups
        .chunk_by(|a, b| a == b)
        .map(|run| {
            let range = start..start + run.len();
            start = range.end;
            range
        })
        .collect()
}

fn worth(grade: f64) -> f64 {
    grade.exp2() - 1.0
}

fn discount(place: usize) -> f64 {
    1.0 / (place as f64 + 2.0).log2()
}

/// Rows of a group from the highest margin down; equal ones as they stand.
fn order(margins: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..margins.len()).collect();
    order.sort_by(|a, b| margins[*b].total_cmp(&margins[*a]));
    order
}

fn best_gain(target: &[f64], depth: usize) -> f64 {
    let mut grades = target.to_vec();
    grades.sort_by(|a, b| b.total_cmp(a));
    grades.iter().take(depth).enumerate().map(|(place, grade)| worth(*grade) * discount(place)).sum()
}

/// The mean over groups of discounted gain, relative to the best one; groups without any gain are left out. A group weighs
/// what its first row does.
pub(super) fn mean_gain(examples: &Examples<'_>, groups: &[u32], depth: usize, margins: &[f64]) -> f64 {
    let (mut sum, mut total) = (0.0, 0.0);
    for range in ranges(groups) {
        let target = &examples.target[range.clone()];
        let best = best_gain(target, depth);
        if best > 0.0 {
            let order = order(&margins[range.clone()]);
            let places = order.iter().take(depth).enumerate();
            let gain: f64 = places.map(|(place, row)| worth(target[*row]) * discount(place)).sum();
            let weight = examples.weight(range.start);
            sum += weight * gain / best;
            total += weight;
        }
    }
    if total > 0.0 { sum / total } else { 1.0 }
}

/// Writes the derivatives of all rows.
pub(super) fn derive(
    examples: &Examples<'_>,
    groups: &[u32],
    depth: usize,
    margins: &[f64],
    pairs: &mut [Pair],
    context: &Context<'_>,
) {
    let ranges = ranges(groups);
    let found = pieces::map(context.parallel, ranges.len(), |group| {
        let range = ranges[group].clone();
        derive_group(&examples.target[range.clone()], &margins[range], depth)
    });
    for (range, found) in ranges.into_iter().zip(found) {
        for (row, pair) in range.zip(found) {
            pairs[row] = pair.map(|part| (part * examples.weight(row)) as f32);
        }
    }
}

fn derive_group(target: &[f64], margins: &[f64], depth: usize) -> Vec<[f64; 2]> {
    let mut pairs = vec![[0.0; 2]; target.len()];
    let best = best_gain(target, depth);
    if best <= 0.0 {
        return pairs;
    }
    let order = order(margins);
    for (place, row) in order.iter().enumerate().take(depth) {
        for (below, other) in order.iter().enumerate().skip(place + 1) {
            if target[*row] == target[*other] {
                continue;
            }
            let (high, low) = if target[*row] > target[*other] { (*row, *other) } else { (*other, *row) };
            let below = if below < depth { discount(below) } else { 0.0 };
            let change = (worth(target[high]) - worth(target[low])) * (discount(place) - below) / best;
            let wrong = logistic(margins[low] - margins[high]);
            let (gradient, hessian) = (change * wrong, change * wrong * (1.0 - wrong));
            pairs[high] = [pairs[high][0] - gradient, pairs[high][1] + hessian];
            pairs[low] = [pairs[low][0] + gradient, pairs[low][1] + hessian];
        }
    }
    pairs
}
