//! Growing one tree on gradients: the leaf that gains most is split first (Friedman 2001; Ke et al.: LightGBM, 2017).
//!
//! Of two children only the smaller one's histogram is made; the other's is the parent's less that one, exactly, since sums
//! are whole numbers.

use super::bundle::{Bundles, Histogram};
use super::options::{Direction, Options};
use super::scan::{Node, Scan, Split, leaf_value};
use crate::tree::bins::{Bins, holds};
use crate::tree::fixed::Fixed;
use crate::tree::partition::partition;
use crate::tree::pieces;
use crate::tree::structure::{self, Tree};
use crate::{Context, Parallel};

/// Additions to a histogram that are worth a piece of work.
const PIECE: usize = 1 << 18;
/// Columns whose best splits are worth a piece of work.
const COLUMNS: usize = 64;

/// What trees are grown on.
#[derive(Debug)]
pub(super) struct Ground<'a> {
    pub(super) bins: &'a Bins,
    pub(super) bundles: &'a Bundles,
    pub(super) options: &'a Options,
    /// How much each row counts.
    pub(super) weights: Option<&'a [f64]>,
}

/// A grown tree.
#[derive(Debug)]
pub(super) struct Grown {
    pub(super) tree: Tree,
    /// The rows of each leaf, as a range of the rows as they now stand, with its value.
    pub(super) leaves: Vec<(std::ops::Range<usize>, f64)>,
    /// The column and the gain of each split.
    pub(super) gains: Vec<(usize, f64)>,
}

/// A leaf that may become a split.
struct Leaf {
    place: usize,
    rows: std::ops::Range<usize>,
    depth: u32,
    node: Node,
    histogram: Option<Histogram>,
    best: Option<Split>,
}

struct Grower<'a> {
    ground: &'a Ground<'a>,
    scan: Scan<'a>,
    packed: &'a [u64],
    columns: &'a [usize],
    parallel: &'a dyn Parallel,
    /// Histograms to be used again.
    pool: Vec<Histogram>,
    scratch: Vec<u32>,
    nodes: Vec<structure::Node>,
    gains: Vec<(usize, f64)>,
}

impl Ground<'_> {
    /// Grows a tree on `rows`, which it puts in the order of the leaves. `packed` has the derivatives of every row.
    pub(super) fn grow(
        &self,
        rows: &mut [u32],
        packed: &[u64],
        fixed: Fixed,
        columns: &[usize],
        context: &Context<'_>,
    ) -> Grown {
        let scan = Scan { bins: self.bins, bundles: self.bundles, options: self.options, fixed };
        let mut grower = Grower {
            ground: self,
            scan,
            packed,
            columns,
            parallel: context.parallel,
            pool: Vec::new(),
            scratch: vec![0; rows.len()],
            nodes: vec![structure::Node::Leaf { value: 0 }],
            gains: Vec::new(),
        };
        let leaves = grower.grow(rows);
        grower.finish(rows, leaves)
    }
}

impl Grower<'_> {
    fn grow(&mut self, rows: &mut [u32]) -> Vec<Leaf> {
        let total = rows.iter().fold(0_u64, |sum, row| sum.wrapping_add(self.packed[*row as usize]));
        let node = Node { total, rows: rows.len(), bounds: [f64::NEG_INFINITY, f64::INFINITY] };
        let mut root = Leaf { place: 0, rows: 0..rows.len(), depth: 0, node, histogram: None, best: None };
        if self.may_split(&root) {
            let histogram = self.histogram(rows);
            root.best = self.best(&node, &histogram);
            root.histogram = Some(histogram);
        }
        let mut leaves = vec![root];
        while leaves.len() < self.ground.options.max_leaves as usize {
            let gain = |leaf: &Leaf| leaf.best.as_ref().map_or(0.0, |best| best.gain);
            // The first of equals, so that the choice is told by the data alone.
            let next = (0..leaves.len()).rev().max_by(|a, b| gain(&leaves[*a]).total_cmp(&gain(&leaves[*b])));
            let Some(next) = next else { break };
            let Some(split) = leaves[next].best.take() else { break };
            let last = leaves.len() + 1 >= self.ground.options.max_leaves as usize;
            let (left, right) = self.split(&mut leaves[next], &split, rows, last);
            leaves[next] = left;
            leaves.push(right);
        }
        leaves
    }

    fn may_split(&self, leaf: &Leaf) -> bool {
        let options = self.ground.options;
        let deep = options.max_depth > 0 && leaf.depth >= options.max_depth;
        let hessian = self.scan.fixed.unpack(leaf.node.total).1;
        let rows = leaf.node.rows >= 2 && leaf.node.rows >= 2 * options.min_child_rows as usize;
        !deep && rows && hessian >= 2.0 * options.min_child_weight
    }

    fn best(&self, node: &Node, histogram: &Histogram) -> Option<Split> {
        if self.columns.len() < 2 * COLUMNS {
            return self.scan.best(node, histogram, self.columns);
        }
        // The parts do not depend on the number of threads, so neither does which of nearly equal splits is taken.
        let parts: Vec<&[usize]> = self.columns.chunks(COLUMNS).collect();
        let found = pieces::map(self.parallel, parts.len(), |part| self.scan.best(node, histogram, parts[part]));
        // The first of equals.
        found.into_iter().flatten().reduce(|best, next| if next.gain > best.gain { next } else { best })
    }

    /// The sums of all bins over some rows.
    fn histogram(&mut self, rows: &[u32]) -> Histogram {
        let bundles = self.ground.bundles;
        let count = bundles.widths.len();
        let pieces = (rows.len() * count / PIECE).clamp(1, self.parallel.threads());
        if pieces == 1 {
            let mut histogram = self.pool.pop().unwrap_or_else(|| bundles.empty());
            clear(&mut histogram, &bundles.widths);
            accumulate(&mut histogram, &bundles.codes, rows, self.packed);
            return histogram;
        }
        let parts: Vec<&[u32]> = rows.chunks(rows.len().div_ceil(pieces)).collect();
        let mut parts = pieces::map(self.parallel, parts.len(), |part| {
            let mut histogram = bundles.empty();
            accumulate(&mut histogram, &bundles.codes, parts[part], self.packed);
            histogram
        })
        .into_iter();
        let mut histogram = parts.next().unwrap_or_else(|| bundles.empty());
        for part in parts {
            combine(&mut histogram, &part, &bundles.widths, u64::wrapping_add);
            self.pool.push(part);
        }
        histogram
    }

    fn split(&mut self, leaf: &mut Leaf, split: &Split, rows: &mut [u32], last: bool) -> (Leaf, Leaf) {
        let column = &self.ground.bins.columns[split.column];
        let range = leaf.rows.clone();
        let lefts = partition(&mut rows[range.clone()], &column.codes, &split.left, &mut self.scratch);
        let middle = range.start + lefts;
        let [left_bounds, right_bounds] = self.bounds(leaf, split);
        let place = self.nodes.len();
        let child = |place, rows: std::ops::Range<usize>, total, bounds| {
            let node = Node { total, rows: rows.len(), bounds };
            Leaf { place, rows, depth: leaf.depth + 1, node, histogram: None, best: None }
        };
        let mut left = child(place, range.start..middle, split.left_sum, left_bounds);
        let right_sum = leaf.node.total.wrapping_sub(split.left_sum);
        let mut right = child(place + 1, middle..range.end, right_sum, right_bounds);
        let missing_left = match column.missing_code() {
            Some(code) if split.missing_seen => holds(&split.left, code as u8) == 1,
            // Where no missing value was seen the larger child is the better guess.
            _ => left.node.rows >= right.node.rows,
        };
        self.nodes[leaf.place] = structure::Node::Split {
            column: split.column as u32,
            test: column.test(&split.left),
            missing_left,
            left: place as u32,
            right: place as u32 + 1,
        };
        self.nodes.extend([structure::Node::Leaf { value: 0 }, structure::Node::Leaf { value: 0 }]);
        self.gains.push((split.column, split.gain));
        if let Some(parent) = leaf.histogram.take() {
            if last {
                self.pool.push(parent);
            } else {
                self.look_at_children(&mut left, &mut right, parent, rows);
            }
        }
        (left, right)
    }

    /// Finds the best splits of two children, one histogram made and the other left over from their parent's.
    fn look_at_children(&mut self, left: &mut Leaf, right: &mut Leaf, mut parent: Histogram, rows: &[u32]) {
        let (small, large) = if left.node.rows <= right.node.rows { (left, right) } else { (right, left) };
        let (small_may, large_may) = (self.may_split(small), self.may_split(large));
        if small_may || large_may {
            let histogram = self.histogram(&rows[small.rows.clone()]);
            if large_may {
                combine(&mut parent, &histogram, &self.ground.bundles.widths, u64::wrapping_sub);
                large.best = self.best(&large.node, &parent);
            }
            if small_may {
                small.best = self.best(&small.node, &histogram);
            }
            self.keep(small, histogram);
            self.keep(large, parent);
        } else {
            self.pool.push(parent);
        }
    }

    /// A histogram is kept as long as its leaf may be split.
    fn keep(&mut self, leaf: &mut Leaf, histogram: Histogram) {
        if leaf.best.is_some() {
            leaf.histogram = Some(histogram);
        } else {
            self.pool.push(histogram);
        }
    }

    /// What the children's values must be within: a split of a monotone column puts a wall between them.
    fn bounds(&self, leaf: &Leaf, split: &Split) -> [[f64; 2]; 2] {
        let bounds = leaf.node.bounds;
        let direction = self.ground.options.monotone.get(split.column).copied().unwrap_or_default();
        if direction == Direction::Any {
            return [bounds, bounds];
        }
        let left = self.value(split.left_sum, bounds);
        let right = self.value(leaf.node.total.wrapping_sub(split.left_sum), bounds);
        let wall = left / 2.0 + right / 2.0;
        let (low, high) = ([bounds[0], wall], [wall, bounds[1]]);
        if direction == Direction::Up { [low, high] } else { [high, low] }
    }

    fn value(&self, sum: u64, bounds: [f64; 2]) -> f64 {
        let (gradient, hessian) = self.scan.fixed.unpack(sum);
        let options = self.ground.options;
        if hessian + options.l2 > 0.0 { leaf_value(gradient, hessian, options.l1, options.l2, bounds) } else { 0.0 }
    }

    fn finish(mut self, rows: &[u32], leaves: Vec<Leaf>) -> Grown {
        let mut values = Vec::with_capacity(leaves.len());
        let mut cover = vec![0.0; self.nodes.len()];
        let mut ranges = Vec::with_capacity(leaves.len());
        for leaf in leaves {
            let value = self.value(leaf.node.total, leaf.node.bounds) * self.ground.options.learning_rate;
            self.nodes[leaf.place] = structure::Node::Leaf { value: values.len() as u32 };
            values.push(value);
            cover[leaf.place] = match self.ground.weights {
                Some(weights) => rows[leaf.rows.clone()].iter().map(|row| weights[*row as usize]).sum(),
                None => leaf.rows.len() as f64,
            };
            ranges.push((leaf.rows, value));
        }
        structure::sum_cover(&self.nodes, &mut cover);
        Grown { tree: Tree { outputs: 1, nodes: self.nodes, values, cover }, leaves: ranges, gains: self.gains }
    }
}

/// Adds rows to a histogram. A code is below 256, the length of each part, so no place needs a check.
fn accumulate(histogram: &mut [[u64; 256]], codes: &[u8], rows: &[u32], packed: &[u64]) {
    let count = histogram.len();
    for row in rows {
        let row = *row as usize;
        let sum = packed[row];
        for (bins, code) in histogram.iter_mut().zip(&codes[row * count..][..count]) {
            let bin = &mut bins[usize::from(*code)];
            *bin = bin.wrapping_add(sum);
        }
    }
}

fn clear(histogram: &mut [[u64; 256]], widths: &[usize]) {
    histogram.iter_mut().zip(widths).for_each(|(bins, width)| bins[..*width].fill(0));
}

/// Adds or takes away what another histogram has.
fn combine(histogram: &mut [[u64; 256]], other: &[[u64; 256]], widths: &[usize], with: impl Fn(u64, u64) -> u64) {
    for ((bins, other), width) in histogram.iter_mut().zip(other).zip(widths) {
        bins[..*width].iter_mut().zip(other).for_each(|(bin, other)| *bin = with(*bin, *other));
    }
}
