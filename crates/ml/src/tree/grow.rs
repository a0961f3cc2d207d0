//! Growing a single tree by how mixed its nodes are, for decision trees and forests.
//!
//! Unlike boosting, nodes look at few columns each and go down to few rows. So histograms are made column by column, and a
//! small node visits only the bins that its rows are in.

use super::bins::{Bins, CodeSet, Column, Form, MAX_BINS, codes_below, holds, insert};
use super::measure::{Classes, Impurity, Measure, Moments};
use super::partition::partition_both;
use super::structure::{Node, Tree, sum_cover};
use crate::{Context, Examples, MlError, Random, Task};

/// Nodes of fewer rows note which bins these are in; for larger ones all bins are looked at.
const SMALL: usize = 512;

/// When a node is not split.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// The most splits on the way to a leaf; 0 for no limit.
    pub(super) max_depth: u32,
    /// The least weight of a leaf.
    pub(super) min_leaf: f64,
    /// By how much a split must gain, as a share of the weight of all rows.
    pub(super) min_gain: f64,
    /// How many columns a split is chosen from.
    pub(super) columns: usize,
}

/// A tree and how much of the impurity splits of each column took.
#[derive(Debug)]
pub(super) struct Grown {
    pub(super) tree: Tree,
    pub(super) gain: Vec<f64>,
}

/// What trees are grown on.
#[derive(Debug)]
pub(super) struct Ground<'a> {
    bins: Bins,
    examples: &'a Examples<'a>,
    limits: Limits,
    impurity: Impurity,
    mean: f64,
}

/// A node that waits for its turn.
struct Open {
    place: usize,
    rows: std::ops::Range<usize>,
    depth: u32,
}

#[derive(Clone)]
struct Split {
    column: usize,
    /// What the children score together.
    score: f64,
    left: CodeSet,
    missing_seen: bool,
}

/// Places that are used again for each node.
struct Scratch {
    /// Sums for each code and lane; all 0 between nodes.
    histogram: Vec<u64>,
    /// The codes that the rows of a node have, and their sums, lane by lane.
    codes: Vec<u8>,
    sums: Vec<u64>,
    left: Vec<u64>,
    right: Vec<u64>,
    all: Vec<u64>,
    columns: Vec<usize>,
    rows: Vec<u32>,
    parts: Vec<u64>,
}

struct Grower<'a, M> {
    ground: &'a Ground<'a>,
    measure: M,
    /// How much each row counts in this tree.
    weight: &'a (dyn Fn(usize) -> f64 + 'a),
    scratch: Scratch,
    random: Random,
    tree: Tree,
    gain: Vec<f64>,
    least_gain: f64,
}

impl<'a> Ground<'a> {
    /// Refuses what trees cannot be grown on.
    pub(super) fn new(
        examples: &'a Examples<'a>,
        limits: Limits,
        impurity: Impurity,
        max_bins: u32,
        context: &Context<'_>,
    ) -> Result<Self, MlError> {
        examples.check()?;
        limits.check()?;
        if !(2..=MAX_BINS as u32).contains(&max_bins) {
            return Err(MlError::Options(format!("max_bins is {max_bins}; it must be from 2 to 255")));
        }
        if examples.task == Task::Ranking {
            return Err(MlError::Options("a ranking needs gradient boosting".to_owned()));
        }
        let [sum, weight] = (0..examples.target.len()).fold([0.0; 2], |[sum, weight], row| {
            [sum + examples.weight(row) * examples.target[row], weight + examples.weight(row)]
        });
        if weight <= 0.0 {
            return Err(MlError::Shape("all rows have weight 0".to_owned()));
        }
        // Sums of numbers far from 0 would lose their differences; classes are told apart by 0 and 1 as they are.
        let mean = if examples.task == Task::Regression { sum / weight } else { 0.0 };
        let bins = Bins::new(examples, max_bins as usize, context)?;
        Ok(Self { bins, examples, limits, impurity, mean })
    }

    /// Grows a tree on rows that count `weight` each, which is not 0.
    pub(super) fn grow(&self, rows: Vec<u32>, weight: &dyn Fn(usize) -> f64, random: Random) -> Grown {
        let mut weighted = rows.iter().map(|row| (*row as usize, weight(*row as usize)));
        match self.examples.task {
            Task::Multiclass { classes } => {
                let measure = Classes::new(classes, self.impurity, &mut weighted);
                self.grow_by(measure, rows, weight, random)
            }
            _ => {
                let measure = Moments::new(self.examples, self.impurity, self.mean, &mut weighted);
                self.grow_by(measure, rows, weight, random)
            }
        }
    }

    fn grow_by<M: Measure>(
        &self,
        measure: M,
        mut rows: Vec<u32>,
        weight: &dyn Fn(usize) -> f64,
        random: Random,
    ) -> Grown {
        let lanes = measure.lanes();
        let mut parts: Vec<u64> =
            rows.iter().map(|row| measure.row(self.examples.target[*row as usize], weight(*row as usize))).collect();
        let columns = self.bins.columns.len();
        let scratch = Scratch {
            histogram: vec![0; 256 * lanes],
            codes: Vec::with_capacity(256),
            sums: Vec::with_capacity(256 * lanes),
            left: vec![0; lanes],
            right: vec![0; lanes],
            all: vec![0; lanes],
            columns: (0..columns).collect(),
            rows: vec![0; rows.len()],
            parts: vec![0; rows.len()],
        };
        let outputs = self.examples.task.outputs() as u32;
        let tree = Tree { outputs, nodes: vec![Node::Leaf { value: 0 }], values: Vec::new(), cover: vec![0.0] };
        let total: f64 = rows.iter().map(|row| weight(*row as usize)).sum();
        let least_gain = self.limits.min_gain * total;
        let mut grower =
            Grower { ground: self, measure, weight, scratch, random, tree, gain: vec![0.0; columns], least_gain };
        grower.grow(&mut rows, &mut parts);
        sum_cover(&grower.tree.nodes, &mut grower.tree.cover);
        Grown { tree: grower.tree, gain: grower.gain }
    }
}

impl<M: Measure> Grower<'_, M> {
    fn grow(&mut self, rows: &mut [u32], parts: &mut [u64]) {
        let mut open = vec![Open { place: 0, rows: 0..rows.len(), depth: 0 }];
        while let Some(node) = open.pop() {
            let range = node.rows.clone();
            let Some(split) = self.best(&node, &rows[range.clone()], &parts[range.clone()]) else {
                self.leaf(node.place, &rows[range]);
                continue;
            };
            let column = &self.ground.bins.columns[split.column];
            let scratch = (&mut self.scratch.rows[..], &mut self.scratch.parts[..]);
            let lefts = partition_both(
                &mut rows[range.clone()],
                &mut parts[range.clone()],
                &column.codes,
                &split.left,
                scratch,
            );
            let middle = range.start + lefts;
            let place = self.tree.nodes.len();
            let missing_left = match column.missing_code() {
                Some(code) if split.missing_seen => holds(&split.left, code as u8) == 1,
                // Where no missing value was seen the larger child is the better guess.
                _ => lefts * 2 >= range.len(),
            };
            self.tree.nodes[node.place] = Node::Split {
                column: split.column as u32,
                test: column.test(&split.left),
                missing_left,
                left: place as u32,
                right: place as u32 + 1,
            };
            self.tree.nodes.extend([Node::Leaf { value: 0 }, Node::Leaf { value: 0 }]);
            self.tree.cover.extend([0.0, 0.0]);
            let depth = node.depth + 1;
            open.push(Open { place: place + 1, rows: middle..range.end, depth });
            open.push(Open { place, rows: range.start..middle, depth });
        }
    }

    /// Writes the answer of a leaf: shares of classes, or the mean.
    fn leaf(&mut self, place: usize, rows: &[u32]) {
        let value = self.tree.values.len();
        self.tree.values.resize(value + self.tree.outputs as usize, 0.0);
        let values = &mut self.tree.values[value..];
        let mut total = 0.0;
        for row in rows {
            let weight = (self.weight)(*row as usize);
            let target = self.ground.examples.target[*row as usize];
            match self.ground.examples.task {
                Task::Multiclass { .. } => values[target as usize] += weight,
                _ => values[0] += weight * target,
            }
            total += weight;
        }
        values.iter_mut().for_each(|value| *value /= total);
        self.tree.nodes[place] = Node::Leaf { value: value as u32 };
        self.tree.cover[place] = total;
    }

    fn best(&mut self, node: &Open, rows: &[u32], parts: &[u64]) -> Option<Split> {
        let limits = self.ground.limits;
        let measure = &self.measure;
        self.scratch.all.fill(0);
        for part in parts {
            let (lane, amount) = measure.part(*part);
            self.scratch.all[lane] = self.scratch.all[lane].wrapping_add(amount);
        }
        let deep = limits.max_depth > 0 && node.depth >= limits.max_depth;
        let target = &self.ground.examples.target;
        let first = target[*rows.first()? as usize];
        let pure = rows.iter().all(|row| target[*row as usize] == first);
        if deep || pure || measure.weight(&self.scratch.all) < 2.0 * limits.min_leaf {
            return None;
        }
        let parent = measure.score(&self.scratch.all);
        // What is gained must be more than rounding.
        let least_gain = self.least_gain.max(parent.abs() * 1e-12);
        let mut best: Option<Split> = None;
        let count = self.scratch.columns.len();
        for drawn in 0..count {
            // Columns without a split do not end the draw while nothing was found.
            if drawn >= limits.columns && best.is_some() {
                break;
            }
            if limits.columns < count {
                let other = drawn + self.random.below(count - drawn);
                self.scratch.columns.swap(drawn, other);
            }
            let index = self.scratch.columns[drawn];
            if self.ground.bins.columns[index].bins() < 2 {
                continue;
            }
            let least = best.as_ref().map_or(parent + least_gain, |best| best.score);
            self.collect(&self.ground.bins.columns[index], rows, parts);
            best = self.split(index, least).or(best);
        }
        if let Some(best) = &best {
            self.gain[best.column] += best.score - parent;
        }
        best
    }

    /// The codes of a column that the rows have, in their order, with the sums of each.
    fn collect(&mut self, column: &Column, rows: &[u32], parts: &[u64]) {
        let measure = &self.measure;
        let lanes = measure.lanes();
        let Scratch { histogram, codes, sums, .. } = &mut self.scratch;
        let histogram = &mut histogram[..256 * lanes];
        let mut seen = CodeSet::default();
        let small = rows.len() < SMALL;
        for (row, part) in rows.iter().zip(parts) {
            let code = usize::from(column.codes[*row as usize]);
            let (lane, amount) = measure.part(*part);
            let sum = &mut histogram[code * lanes + lane];
            *sum = sum.wrapping_add(amount);
            if small {
                insert(&mut seen, code);
            }
        }
        if !small {
            let sums = histogram.chunks_exact(lanes).take(column.bins()).enumerate();
            sums.filter(|(_, sums)| sums.iter().any(|sum| *sum != 0)).for_each(|(code, _)| insert(&mut seen, code));
        }
        codes.clear();
        sums.clear();
        for (word, mut bits) in seen.into_iter().enumerate() {
            while bits != 0 {
                let code = word * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                codes.push(code as u8);
                let place = &mut histogram[code * lanes..][..lanes];
                sums.extend_from_slice(place);
                place.fill(0);
            }
        }
    }

    /// The best split by the column just collected that scores more than `least`.
    fn split(&mut self, index: usize, least: f64) -> Option<Split> {
        let column = &self.ground.bins.columns[index];
        let missing_seen = column.missing_code().is_some_and(|code| self.scratch.codes.last() == Some(&(code as u8)));
        let (score, left) = match column.form {
            Form::Number { finite, .. } => self.split_numbers(column.values, finite, missing_seen, least)?,
            Form::Category { rare, .. } => self.split_categories(rare.then(|| column.values - 1), least)?,
        };
        Some(Split { column: index, score, left, missing_seen })
    }

    fn split_numbers(&mut self, bins: usize, finite: bool, missing: bool, least: f64) -> Option<(f64, CodeSet)> {
        let values = self.scratch.codes.len() - usize::from(missing);
        self.scratch.left.fill(0);
        // With missing values on the right all numbers may go left, unless an infinite one is beyond all thresholds.
        let ends = if missing && finite { values } else { values.saturating_sub(1) };
        let mut found = self.scan(ends, least).map(|(end, score)| (end, score, false));
        if missing {
            let lanes = self.measure.lanes();
            self.scratch.left.copy_from_slice(&self.scratch.sums[values * lanes..]);
            let least = found.map_or(least, |(_, score, _)| score);
            let other = self.scan(values.saturating_sub(1), least);
            found = other.map(|(end, score)| (end, score, true)).or(found);
        }
        let (end, score, missing_left) = found?;
        // Halfway between the numbers that the rows of this node have.
        let highest = if end + 1 < values {
            usize::midpoint(self.scratch.codes[end].into(), usize::from(self.scratch.codes[end + 1]) - 1)
        } else {
            bins - 1
        };
        let mut left = codes_below(highest + 1);
        if missing_left {
            insert(&mut left, bins);
        }
        Some((score, left))
    }

    /// Rare and unknown categories, which share the bin `rest`, go right.
    fn split_categories(&mut self, rest: Option<usize>, least: f64) -> Option<(f64, CodeSet)> {
        self.sort_categories(rest);
        self.scratch.left.fill(0);
        let (end, score) = self.scan(self.scratch.codes.len() - 1, least)?;
        let mut left = CodeSet::default();
        self.scratch.codes[..=end].iter().for_each(|code| insert(&mut left, usize::from(*code)));
        Some((score, left))
    }

    /// Puts categories in the order of their answers, the bin of rare ones last.
    fn sort_categories(&mut self, rest: Option<usize>) {
        let measure = &self.measure;
        let lanes = measure.lanes();
        let Scratch { codes, sums, all, .. } = &mut self.scratch;
        let mut order: Vec<(bool, f64, u8, Vec<u64>)> = codes
            .iter()
            .zip(sums.chunks_exact(lanes))
            .map(|(code, sums)| (rest == Some(usize::from(*code)), measure.order(sums, all), *code, sums.to_vec()))
            .collect();
        order.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
        for ((place, to), (.., code, from)) in codes.iter_mut().zip(sums.chunks_exact_mut(lanes)).zip(&order) {
            *place = *code;
            to.copy_from_slice(from);
        }
    }

    /// The last of the first `ends` collected codes to go left, beside what is already on the left, such that the children
    /// together score more than `least`.
    fn scan(&mut self, ends: usize, mut least: f64) -> Option<(usize, f64)> {
        let measure = &self.measure;
        let min_leaf = self.ground.limits.min_leaf;
        let lanes = measure.lanes();
        let Scratch { sums, left, right, all, .. } = &mut self.scratch;
        let mut best = None;
        for (end, sums) in sums.chunks_exact(lanes).take(ends).enumerate() {
            for (((left, right), all), sum) in left.iter_mut().zip(right.iter_mut()).zip(all.iter()).zip(sums) {
                *left = left.wrapping_add(*sum);
                *right = all.wrapping_sub(*left);
            }
            if measure.weight(left) < min_leaf || measure.weight(right) < min_leaf {
                continue;
            }
            let score = measure.score(left) + measure.score(right);
            if score > least {
                least = score;
                best = Some((end, score));
            }
        }
        best
    }
}

impl Limits {
    /// Refuses limits that make no sense.
    fn check(&self) -> Result<(), MlError> {
        let wrong = |what: String| Err(MlError::Options(what));
        let Self { min_leaf, min_gain, .. } = *self;
        if !(min_leaf.is_finite() && min_leaf > 0.0) {
            return wrong(format!("min_leaf is {min_leaf}; it must be a number above 0"));
        }
        if !(min_gain.is_finite() && min_gain >= 0.0) {
            return wrong(format!("min_gain is {min_gain}; it must be a number from 0"));
        }
        Ok(())
    }
}
