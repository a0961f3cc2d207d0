//! The best split of a node from its sums of gradients.

use super::bundle::{Bundles, Histogram};
use super::options::{Direction, Options};
use crate::tree::bins::{Bins, CodeSet, Column, Form, codes_below, insert};
use crate::tree::fixed::{Fixed, halves};

/// A split of a node.
#[derive(Debug, Clone)]
pub(super) struct Split {
    pub(super) column: usize,
    /// By how much the loss falls, times two, to second order.
    pub(super) gain: f64,
    /// The codes that go left.
    pub(super) left: CodeSet,
    /// What the left child's rows sum up to.
    pub(super) left_sum: u64,
    /// Whether the node has rows with a missing value here, so that where these go was learnt.
    pub(super) missing_seen: bool,
}

/// What is known of a node before it is split.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) total: u64,
    pub(super) rows: usize,
    /// What the values of its leaves must be within, so that monotone columns stay so.
    pub(super) bounds: [f64; 2],
}

/// What splits of a tree are found with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scan<'a> {
    pub(super) bins: &'a Bins,
    pub(super) bundles: &'a Bundles,
    pub(super) options: &'a Options,
    pub(super) fixed: Fixed,
}

/// A node in numbers, with what a child needs at least.
#[derive(Debug, Clone, Copy)]
struct Limits {
    gradient: f64,
    hessian: f64,
    least: f64,
    l1: f64,
    l2: f64,
}

/// Categories of a column with at most so many are told apart without the extra penalty.
const FEW_CATEGORIES: usize = 4;

impl Scan<'_> {
    /// The best split of a node at one of some columns, if one is worth it.
    pub(super) fn best(&self, node: &Node, histogram: &Histogram, columns: &[usize]) -> Option<Split> {
        let mut best: Option<Split> = None;
        let mut scratch = [0; 256];
        for index in columns {
            let column = &self.bins.columns[*index];
            if column.bins() < 2 {
                continue;
            }
            let sums = self.bundles.bins_of(*index, histogram, node.total, &mut scratch);
            let least = best.as_ref().map_or(self.options.min_gain, |best| best.gain);
            let found = match &column.form {
                Form::Number { finite, .. } => self.number(node, *index, column, *finite, sums, least),
                Form::Category { rare, .. } => self.category(node, *index, column, *rare, sums, least),
            };
            best = found.or(best);
        }
        best
    }

    fn limits(&self, node: &Node, extra: f64) -> Limits {
        let (gradient, hessian) = self.fixed.unpack(node.total);
        let share = f64::from(self.options.min_child_rows) / node.rows as f64;
        Limits {
            gradient,
            hessian,
            // A histogram has no counts: rows are taken to have the mean second derivative of the node, as LightGBM does.
            // Half a unit below keeps rounding from refusing what is just enough.
            least: self.options.min_child_weight.max(share * hessian - self.fixed.unit[1] / 2.0).max(f64::MIN_POSITIVE),
            l1: self.options.l1,
            l2: self.options.l2 + extra,
        }
    }

    fn number(
        &self,
        node: &Node,
        index: usize,
        column: &Column,
        finite: bool,
        sums: &[u64],
        least: f64,
    ) -> Option<Split> {
        let limits = self.limits(node, 0.0);
        let direction = self.options.monotone.get(index).copied().unwrap_or_default();
        let missing = column.missing_code().map(|code| sums[code]).filter(|sum| *sum != 0);
        let values = &sums[..column.values];
        let mut best = None;
        let parent = limits.score(limits.gradient, limits.hessian, node.bounds);
        let mut least = bar(parent, least);
        for start in [Some(0), missing].into_iter().flatten() {
            let missing_left = start != 0;
            // With missing values on the right all numbers may go left, unless an infinite one is beyond all thresholds.
            let ends = if missing.is_some() && !missing_left && finite { values.len() } else { values.len() - 1 };
            let Some((end, score, left_sum)) = self.threshold(&limits, node, direction, &values[..ends], start, least)
            else {
                continue;
            };
            least = score;
            // Halfway to the next number that rows of this node have.
            let next = (end + 1..values.len()).find(|bin| values[*bin] != 0);
            let all = if finite { values.len() } else { end + 1 };
            let mut left = codes_below(next.map_or(all, |next| usize::midpoint(end, next - 1) + 1));
            if missing_left {
                insert(&mut left, column.values);
            }
            best = Some((left, score, left_sum));
        }
        best.map(|(left, score, left_sum)| Split {
            column: index,
            gain: score - parent,
            left,
            left_sum,
            missing_seen: missing.is_some(),
        })
    }

    /// The best last bin of the left child whose children together score more than `least`; its score, and the left sum.
    fn threshold(
        &self,
        limits: &Limits,
        node: &Node,
        direction: Direction,
        sums: &[u64],
        start: u64,
        least: f64,
    ) -> Option<(usize, f64, u64)> {
        let mut left = [[0_i32; 256]; 2];
        let mut sum = start;
        for (index, bin) in sums.iter().enumerate() {
            sum = sum.wrapping_add(*bin);
            let (first, second) = halves(sum);
            left[0][index & 255] = first;
            left[1][index & 255] = second;
        }
        let mut scores = [f64::NEG_INFINITY; 256];
        let scores = &mut scores[..sums.len()];
        let left = [&left[0][..sums.len()], &left[1][..sums.len()]];
        if self.options.monotone.is_empty() {
            limits.scores(left, self.fixed.unit, scores);
        } else {
            limits.bounded_scores(left, self.fixed.unit, direction, node.bounds, scores);
        }
        let best = highest(scores);
        if best > least {
            let end = scores.iter().position(|score| *score == best)?;
            let left_sum = sums[..=end].iter().fold(start, |sum, bin| sum.wrapping_add(*bin));
            Some((end, best, left_sum))
        } else {
            None
        }
    }

    /// Categories in the order of their mean gradients are cut like numbers; the best of all subsets is among these cuts
    /// (Fisher: On grouping for maximum homogeneity, 1958). Rare and unknown ones go right.
    fn category(
        &self,
        node: &Node,
        index: usize,
        column: &Column,
        rare: bool,
        sums: &[u64],
        least: f64,
    ) -> Option<Split> {
        let smoothing = if column.values > FEW_CATEGORIES { self.options.category_smoothing } else { 0.0 };
        let limits = self.limits(node, smoothing);
        let mut order: Vec<(f64, usize)> = (0..sums.len())
            .filter(|bin| sums[*bin] != 0 && !(rare && *bin == column.values - 1))
            .map(|bin| {
                let (gradient, hessian) = self.fixed.unpack(sums[bin]);
                (gradient / (hessian + smoothing).max(f64::MIN_POSITIVE), bin)
            })
            .collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let sorted: Vec<u64> = order.iter().map(|(_, bin)| sums[*bin]).collect();
        let parent = self.limits(node, 0.0);
        let parent = parent.score(parent.gradient, parent.hessian, node.bounds);
        let (end, score, left_sum) = self.threshold(&limits, node, Direction::Any, &sorted, 0, bar(parent, least))?;
        let mut left = CodeSet::default();
        order[..=end].iter().for_each(|(_, bin)| insert(&mut left, *bin));
        let missing_seen = column.missing_code().is_some_and(|code| sums[code] != 0);
        Some(Split { column: index, gain: score - parent, left, left_sum, missing_seen })
    }
}

impl Limits {
    /// What a leaf takes from the loss, times two, to second order; also if its value is held within bounds.
    fn score(&self, gradient: f64, hessian: f64, bounds: [f64; 2]) -> f64 {
        let value = leaf_value(gradient, hessian, self.l1, self.l2, bounds);
        -(2.0 * gradient * value + (hessian + self.l2) * value * value + 2.0 * self.l1 * value.abs())
    }

    /// The scores of all splits. One division for both children, and no branches, so that several go at the same time.
    fn scores(&self, left: [&[i32]; 2], unit: [f64; 2], out: &mut [f64]) {
        let Self { gradient, hessian, least, l1, l2 } = *self;
        for ((first, second), out) in left[0].iter().zip(left[1]).zip(out) {
            let (left_g, left_h) = (f64::from(*first) * unit[0], f64::from(*second) * unit[1]);
            let (right_g, right_h) = (gradient - left_g, hessian - left_h);
            let (left_t, right_t) = ((left_g.abs() - l1).max(0.0), (right_g.abs() - l1).max(0.0));
            let (left_d, right_d) = (left_h + l2, right_h + l2);
            let score = (left_t * left_t * right_d + right_t * right_t * left_d) / (left_d * right_d);
            *out = if left_h.min(right_h) >= least { score } else { f64::NEG_INFINITY };
        }
    }

    /// The scores of all splits where values of leaves have bounds.
    fn bounded_scores(
        &self,
        left: [&[i32]; 2],
        unit: [f64; 2],
        direction: Direction,
        bounds: [f64; 2],
        out: &mut [f64],
    ) {
        for ((first, second), out) in left[0].iter().zip(left[1]).zip(out) {
            let (left_g, left_h) = (f64::from(*first) * unit[0], f64::from(*second) * unit[1]);
            let (right_g, right_h) = (self.gradient - left_g, self.hessian - left_h);
            if left_h < self.least || right_h < self.least {
                continue;
            }
            let left = leaf_value(left_g, left_h, self.l1, self.l2, bounds);
            let right = leaf_value(right_g, right_h, self.l1, self.l2, bounds);
            if direction.allows(left, right) {
                *out = self.score(left_g, left_h, bounds) + self.score(right_g, right_h, bounds);
            }
        }
    }
}

/// What children must score more than together: more than their parent by what is asked for, and by more than rounding.
fn bar(parent: f64, gain: f64) -> f64 {
    parent + gain.max(parent.abs() * 1e-12)
}

/// The value of a leaf that makes the loss least, to second order, within bounds.
pub(super) fn leaf_value(gradient: f64, hessian: f64, l1: f64, l2: f64, bounds: [f64; 2]) -> f64 {
    let shrunk = (gradient.abs() - l1).max(0.0).copysign(gradient);
    if shrunk == 0.0 {
        0.0_f64.clamp(bounds[0], bounds[1])
    } else {
        (-shrunk / (hessian + l2)).clamp(bounds[0], bounds[1])
    }
}

/// The largest of some numbers, none of them NaN; in lanes, since one comparison after the other is slow.
fn highest(scores: &[f64]) -> f64 {
    let mut lanes = [f64::NEG_INFINITY; 8];
    let chunks = scores.chunks_exact(8);
    let rest = chunks.remainder().iter().copied().fold(f64::NEG_INFINITY, f64::max);
    for chunk in chunks {
        for (lane, score) in lanes.iter_mut().zip(chunk) {
            *lane = if *score > *lane { *score } else { *lane };
        }
    }
    lanes.into_iter().fold(rest, f64::max)
}
