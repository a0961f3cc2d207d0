//! What each column brings to the answer of trees: exact Shapley values.
//!
//! They are the path-dependent ones of Lundberg et al. (From local explanations to global understanding with explainable AI
//! for trees, 2020): a column that is not known goes both ways, by the weight of the training rows that went each way. They
//! tell what the trees do, not what would happen in the world if the column changed; columns that go together share.
//!
//! The Shapley value is an integral (Owen: Multilinear extensions of games, 1972): each other column is known with
//! probability `u`, `u` from 0 to 1. Along a path with `d` columns that is a polynomial of degree below `d`, which Gauss's
//! rule sums without error from `d / 2` points. So one walk over a tree that carries that many products is enough, as in
//! Yu et al. (Linear TreeShap, 2022), and all factors are positive, so nothing cancels in deep trees.
//!
//! How it is fast: the walk is two loops over the splits, level by level, without recursion and without a branch that depends on
//! the row. The first takes down by which chance a row comes to each place, the second takes up what is expected below. The
//! chances of two siblings add up to that of their parent, so a split needs one chance and one difference for both. Where
//! numbers go does not depend on the row either, so that reading them need not wait.
//!
//! Limits: paths of 256 splits and 128 different columns.

use std::sync::LazyLock;

use super::{Node, Test, Tree};
use crate::MlError;

/// The longest path.
const MAX_DEPTH: usize = 256;
/// The most different columns on a path; the largest rule is exact for them.
const MAX_COLUMNS: usize = 128;
/// How many points Gauss's rule may have, so that each walk has products of a fixed size.
const RULES: [usize; 8] = [2, 3, 4, 6, 8, 12, 16, 64];
/// The same, found once: the large one takes longer than compiling a small forest.
static READY_RULES: LazyLock<[Rule; RULES.len()]> = LazyLock::new(|| RULES.map(Rule::new));

/// In the way of a row at a split: it goes left.
const LEFT: u8 = 1;
/// In the way of a row at a split: the splits above by the same column, if there are any, send it here.
const FOLLOWS: u8 = 2;
/// The chances of a split to which the splits above by the same column do not send the row.
const ASIDE: u32 = 0;
/// The chances of a split whose column no split above has.
const FIRST: u32 = 1;

/// Trees ready to explain the sums of their answers.
#[derive(Debug, Clone)]
pub struct TreeExplainer {
    scale: f64,
    tree_outputs: usize,
    /// For each output what is expected of a row of which nothing is known.
    expected: Vec<f64>,
    trees: Vec<Walk>,
    splits: Vec<Split>,
    /// The numbers of the leaves, leaf by leaf.
    leaves: Vec<f64>,
    /// See [`Split::chances`].
    chances: Vec<f64>,
    rules: &'static [Rule; RULES.len()],
}

/// Where the parts of one tree begin.
#[derive(Debug, Clone, Copy)]
struct Walk {
    first_split: usize,
    splits: usize,
    first_leaf: usize,
    first_chance: usize,
    /// Which of [`RULES`] is enough for its paths.
    rule: usize,
}

/// A split. The places of a tree are its splits, each before those below it, and then its leaves.
#[derive(Debug, Clone)]
struct Split {
    test: Test,
    column: u32,
    missing_left: bool,
    /// The places of its children.
    left: u32,
    right: u32,
    /// The nearest split above by the same column, counted from 1, times 2, and 1 if this one is on its left; 0 if there is
    /// none.
    above: u32,
    /// Which chances of the tree count here if the splits above by the same column send the row here. They let through `before`
    /// of the training rows and send the row here with the chance `u + (1 - u) before`; what counts is, for each point `u`,
    /// first `(1 - u) before` over that, then `before` over its square.
    chances: u32,
    /// The part of the training rows here that go left.
    left_part: f64,
}

/// Gauss's rule for the integral from 0 to 1.
#[derive(Debug, Clone, Default)]
struct Rule {
    points: Vec<f64>,
    weights: Vec<f64>,
}

/// Memory that explaining needs, used again for the next row. It grows to about 1.5 times `points` numbers for each place of
/// the largest tree.
#[derive(Debug, Default)]
pub struct ShapScratch {
    numbers: Vec<f64>,
    /// One stands before the first split: nothing above sends a row elsewhere.
    turns: Vec<Turn>,
}

/// What is expected of a tree's `output` for a row of which nothing is known: the mean of its leaves by cover.
pub fn expected(tree: &Tree, output: usize) -> f64 {
    let mut reach = vec![0.0; tree.nodes.len()];
    reach[0] = 1.0;
    let mut sum = 0.0;
    for (at, node) in tree.nodes.iter().enumerate() {
        match node {
            Node::Leaf { value } => sum += reach[at] * tree.values[*value as usize + output],
            Node::Split { left, right, .. } => {
                let [to_left, to_right] = shares(tree, *left, *right);
                reach[*left as usize] = reach[at] * to_left;
                reach[*right as usize] = reach[at] * to_right;
            }
        }
    }
    sum
}

/// The parts of the training rows that went to the children of a node; halves if there were none.
fn shares(tree: &Tree, left: u32, right: u32) -> [f64; 2] {
    let (left, right) = (tree.cover[left as usize], tree.cover[right as usize]);
    let all = left + right;
    if all > 0.0 { [left / all, right / all] } else { [0.5, 0.5] }
}

impl TreeExplainer {
    /// Prepares to explain `base + scale * sum of the trees`. `base` has a number for each output; trees have as many, or
    /// one each: then they take turns over the outputs.
    ///
    /// # Errors
    ///
    /// [`MlError::Shape`] if a tree is damaged or deeper than the limits of this file, or trees and outputs do not fit.
    pub fn new(trees: &[Tree], base: &[f64], scale: f64) -> Result<Self, MlError> {
        let tree_outputs = trees.first().map_or(1, |tree| tree.outputs as usize);
        if tree_outputs != base.len() && (tree_outputs != 1 || base.is_empty()) {
            return Err(MlError::Shape(format!("trees with {tree_outputs} outputs do not add up to {}", base.len())));
        }
        let mut explainer = Self {
            scale,
            tree_outputs,
            expected: base.to_vec(),
            trees: Vec::with_capacity(trees.len()),
            splits: Vec::with_capacity(trees.iter().map(|tree| tree.nodes.len() / 2).sum()),
            leaves: Vec::with_capacity(trees.iter().map(|tree| tree.values.len()).sum()),
            chances: Vec::new(),
            rules: &READY_RULES,
        };
        for (index, tree) in trees.iter().enumerate() {
            tree.check()?;
            if tree.outputs as usize != tree_outputs {
                return Err(MlError::Shape("the trees do not all have as many outputs".to_owned()));
            }
            for output in 0..tree_outputs {
                let sum = if tree_outputs == 1 { index % base.len() } else { output };
                explainer.expected[sum] += scale * expected(tree, output);
            }
            explainer.add(tree)?;
        }
        Ok(explainer)
    }

    /// Writes what each column brings to a sum into `out`, which has a place for each column. Returns what is expected of a
    /// row of which nothing is known; that and all parts together are the sum. Allocates nothing once `scratch` has grown.
    pub fn contributions(&self, row: &[f64], output: usize, scratch: &mut ShapScratch, out: &mut [f64]) -> f64 {
        out.fill(0.0);
        let turns = self.tree_outputs == 1;
        let (first, step) = if turns { (output, self.expected.len()) } else { (0, 1) };
        let output_of_tree = if turns { 0 } else { output };
        for tree in self.trees.iter().skip(first).step_by(step) {
            match tree.rule {
                0 => self.explain::<{ RULES[0] }>(tree, row, output_of_tree, scratch, out),
                1 => self.explain::<{ RULES[1] }>(tree, row, output_of_tree, scratch, out),
                2 => self.explain::<{ RULES[2] }>(tree, row, output_of_tree, scratch, out),
                3 => self.explain::<{ RULES[3] }>(tree, row, output_of_tree, scratch, out),
                4 => self.explain::<{ RULES[4] }>(tree, row, output_of_tree, scratch, out),
                5 => self.explain::<{ RULES[5] }>(tree, row, output_of_tree, scratch, out),
                6 => self.explain::<{ RULES[6] }>(tree, row, output_of_tree, scratch, out),
                _ => self.explain::<{ RULES[7] }>(tree, row, output_of_tree, scratch, out),
            }
        }
        out.iter_mut().for_each(|part| *part *= self.scale);
        self.expected[output]
    }

    fn explain<const Q: usize>(
        &self,
        tree: &Walk,
        row: &[f64],
        output: usize,
        scratch: &mut ShapScratch,
        out: &mut [f64],
    ) {
        let rule = &self.rules[tree.rule];
        let Some(weights) = rule.weights.as_array::<Q>() else {
            unreachable!("a rule has as many points as its name says")
        };
        let splits = &self.splits[tree.first_split..][..tree.splits];
        let (chances, _) = self.chances[tree.first_chance..].as_chunks::<Q>();
        let places = 2 * splits.len() + 1;
        let wanted = (places + splits.len()) * Q;
        scratch.numbers.resize(wanted.max(scratch.numbers.len()), 0.0);
        scratch.turns.resize((splits.len() + 1).max(scratch.turns.len()), Turn::default());
        let (held, _) = scratch.numbers.as_chunks_mut::<Q>();
        let (held, steps) = held.split_at_mut(places);
        let turns = &mut scratch.turns;

        // Down: `held` is the chance of coming to a place, for each point `u`: the product over the columns of the path, each
        // known with probability `u`; times the weight of the point. A row of which the column is known goes the way that it
        // takes, a row of which it is not known goes both. `step` is the chance of the left way.
        held[0] = *weights;
        turns[0].way = FOLLOWS;
        for (at, split) in splits.iter().enumerate() {
            let value = row[split.column as usize];
            let left = if value.is_nan() { split.missing_left } else { split.test.holds(value) };
            let follows = turns[split.above as usize / 2].way == FOLLOWS | (split.above & 1) as u8;
            // Without branches, as nobody can predict them.
            let sure = f64::from(u8::from(left));
            let turn = Turn {
                part: sure - split.left_part,
                chances: split.chances * u32::from(follows) + ASIDE * u32::from(!follows),
                way: (u8::from(left) * LEFT) | (u8::from(follows) * FOLLOWS),
            };
            turns[at + 1] = turn;
            let step = chances[2 * turn.chances as usize].map(|chance| sure - turn.part * chance);
            let reach = held[at];
            let to_left = product(&reach, &step);
            held[split.left as usize] = to_left;
            held[split.right as usize] = difference(&reach, &to_left);
            steps[at] = step;
        }

        // Up: `held` becomes the mean of the leaves below a place, each by its chance from there on.
        let values = self.leaves[tree.first_leaf..].chunks_exact(self.tree_outputs);
        held[splits.len()..].iter_mut().zip(values).for_each(|(held, values)| *held = [values[output]; Q]);
        for (at, split) in splits.iter().enumerate().rev() {
            let turn = turns[at + 1];
            let right = held[split.right as usize];
            let gain = difference(&held[split.left as usize], &right);
            // What is known by this split and was not by those above it: the derivative by the column's chance, in which
            // the chance of the splits above gives way to that of this one.
            let moved = product(&product(&held[at], &gain), &chances[2 * turn.chances as usize + 1]);
            out[split.column as usize] += turn.part * moved.iter().sum::<f64>();
            let from_left = product(&steps[at], &gain);
            held[at] = std::array::from_fn(|q| right[q] + from_left[q]);
        }
    }

    fn add(&mut self, tree: &Tree) -> Result<(), MlError> {
        let (first_split, first_leaf) = (self.splits.len(), self.leaves.len());
        // The depth of each split, and the part of the training rows that the splits above by its column let through.
        let mut met = Vec::new();
        let mut leaves = 0;
        let mut most_columns = 0;
        let mut path: Vec<Step> = Vec::new();
        let mut waiting = vec![(0_u32, 0_usize, None::<Step>)];
        while let Some((node, depth, step)) = waiting.pop() {
            if let Some(step) = step {
                path.truncate(depth - 1);
                let columns = path.iter().map(|above| above.number + 1).max().unwrap_or(0);
                let above = path.iter().find(|above| above.column == step.column);
                let number = above.map_or(columns, |above| above.number);
                path.push(Step { number, ..step });
                most_columns = most_columns.max(columns.max(number + 1));
                if depth > MAX_DEPTH || most_columns > MAX_COLUMNS {
                    return Err(MlError::Shape(format!(
                        "a tree is too deep to be explained: a path may have {MAX_DEPTH} splits and {MAX_COLUMNS} columns"
                    )));
                }
            }
            let here = self.splits.len() - first_split;
            let place = match &tree.nodes[node as usize] {
                Node::Leaf { value } => {
                    self.leaves.extend_from_slice(&tree.values[*value as usize..][..self.tree_outputs]);
                    leaves += 1;
                    // Leaves stand behind the splits, of which it is not known yet how many there are.
                    LEAF | (leaves - 1)
                }
                Node::Split { column, test, missing_left, left, right } => {
                    let [left_part, right_part] = shares(tree, *left, *right);
                    let above = path.iter().rev().find(|above| above.column == *column);
                    let before = above.map_or(1.0, |above| above.share);
                    let step = Step { column: *column, share: 0.0, number: 0, split: here, left: false };
                    let to_left = Step { share: before * left_part, left: true, ..step };
                    waiting.push((*right, depth + 1, Some(Step { share: before * right_part, ..step })));
                    waiting.push((*left, depth + 1, Some(to_left)));
                    met.push((depth, before));
                    self.splits.push(Split {
                        test: test.clone(),
                        column: *column,
                        missing_left: *missing_left,
                        left: 0,
                        right: 0,
                        above: above.map_or(0, |above| 2 * (above.split as u32 + 1) + u32::from(above.left)),
                        chances: FIRST,
                        left_part,
                    });
                    here as u32
                }
            };
            if let Some(Step { split, left, .. }) = step {
                let parent = &mut self.splits[first_split + split];
                *(if left { &mut parent.left } else { &mut parent.right }) = place;
            }
        }
        let rule = RULES.iter().position(|points| 2 * points >= most_columns).unwrap_or(RULES.len() - 1);
        let splits = self.splits.len() - first_split;
        let first_chance = self.chances.len();
        self.finish(first_split, &met, rule);
        self.trees.push(Walk { first_split, splits, first_leaf, first_chance, rule });
        Ok(())
    }

    /// Gives the splits from a place on what needs to know all of them: their order, the places of leaves, and the chances.
    fn finish(&mut self, first_split: usize, met: &[(usize, f64)], rule: usize) {
        // Level by level: neighbours do not wait for one another's numbers.
        let mut order: Vec<usize> = (0..met.len()).collect();
        order.sort_by_key(|at| met[*at].0);
        let mut place = vec![0; order.len()];
        order.iter().zip(0_u32..).for_each(|(at, to)| place[*at] = to);
        let splits: Vec<Split> = order.iter().map(|at| self.splits[first_split + at].clone()).collect();
        self.splits.truncate(first_split);
        self.splits.extend(splits);
        let splits = &mut self.splits[first_split..];
        let count = splits.len() as u32;
        let points = &self.rules[rule].points;
        // ASIDE: a row of which nothing is known here goes both ways by their parts, and the column brings nothing.
        self.chances.extend(points.iter().map(|_| 1.0));
        self.chances.extend(points.iter().map(|_| 0.0));
        // FIRST.
        self.chances.extend(points.iter().map(|u| 1.0 - u));
        self.chances.extend(points.iter().map(|_| 1.0));
        let mut known = FIRST;
        for (split, at) in splits.iter_mut().zip(&order) {
            for child in [&mut split.left, &mut split.right] {
                *child = if *child & LEAF != 0 { count + (*child & !LEAF) } else { place[*child as usize] };
            }
            if split.above != 0 {
                split.above = 2 * (place[split.above as usize / 2 - 1] + 1) + split.above % 2;
                known += 1;
                split.chances = known;
                let before = met[*at].1;
                let chance = |u: f64| u + (1.0 - u) * before;
                self.chances.extend(points.iter().map(|u| (1.0 - u) * before / chance(*u)));
                self.chances.extend(points.iter().map(|u| before / chance(*u).powi(2)));
            }
        }
    }
}

/// Marks a leaf while a tree is added; no tree has so many nodes.
const LEAF: u32 = 1 << 31;

/// A split on a path, while a tree is added.
#[derive(Debug, Clone, Copy)]
struct Step {
    column: u32,
    /// The part of the training rows that the splits by this column let through, up to this one.
    share: f64,
    /// The number of the column among those of the path.
    number: usize,
    split: usize,
    left: bool,
}

/// What a row makes of a split.
#[derive(Debug, Default, Clone, Copy)]
struct Turn {
    /// The part of the training rows that took the other way, negative if that is the left one.
    part: f64,
    /// [`Split::chances`], or [`ASIDE`].
    chances: u32,
    /// [`LEFT`] and [`FOLLOWS`].
    way: u8,
}

#[inline]
fn product<const Q: usize>(one: &[f64; Q], other: &[f64; Q]) -> [f64; Q] {
    std::array::from_fn(|q| one[q] * other[q])
}

#[inline]
fn difference<const Q: usize>(one: &[f64; Q], other: &[f64; Q]) -> [f64; Q] {
    std::array::from_fn(|q| one[q] - other[q])
}

impl Rule {
    /// The rule with `n` points: the zeros of the Legendre polynomial, by Newton's method (Press et al.: Numerical Recipes,
    /// section 4.6).
    fn new(n: usize) -> Self {
        let mut rule = Self::default();
        for i in 0..n {
            let mut x = (std::f64::consts::PI * (i as f64 + 0.75) / (n as f64 + 0.5)).cos();
            let mut slope = 1.0;
            // It converges quadratically from this start; 10 steps are more than it needs.
            for _ in 0..10 {
                let (mut p, mut previous) = (1.0, 0.0);
                for k in 0..n {
                    let k = k as f64;
                    (p, previous) = (((2.0 * k + 1.0) * x * p - k * previous) / (k + 1.0), p);
                }
                slope = n as f64 * (x * p - previous) / (x * x - 1.0);
                x -= p / slope;
            }
            rule.points.push(f64::midpoint(1.0, x));
            rule.weights.push(1.0 / ((1.0 - x * x) * slope * slope));
        }
        rule
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tree::testing::{COLUMNS, row, tree};

    /// What a tree is expected to answer if the columns of `known` are known.
    fn value(tree: &Tree, at: usize, row: &[f64], known: usize, output: usize) -> f64 {
        match &tree.nodes[at] {
            Node::Leaf { value } => tree.values[*value as usize + output],
            Node::Split { column, .. } if known >> column & 1 == 1 => {
                let next = tree.nodes[at].next(row).unwrap();
                value(tree, next as usize, row, known, output)
            }
            Node::Split { left, right, .. } => {
                let parts = shares(tree, *left, *right);
                parts[0] * value(tree, *left as usize, row, known, output)
                    + parts[1] * value(tree, *right as usize, row, known, output)
            }
        }
    }

    /// The definition of the Shapley value, over all sets of columns.
    fn by_definition(tree: &Tree, row: &[f64], output: usize) -> [f64; COLUMNS] {
        let factorial = |n: usize| (1..=n).map(|k| k as f64).product::<f64>();
        std::array::from_fn(|column| {
            let without = (0..1 << COLUMNS).filter(|known| known >> column & 1 == 0);
            without
                .map(|known: usize| {
                    let size = known.count_ones() as usize;
                    let weight = factorial(size) * factorial(COLUMNS - size - 1) / factorial(COLUMNS);
                    let with = value(tree, 0, row, known | 1 << column, output);
                    weight * (with - value(tree, 0, row, known, output))
                })
                .sum()
        })
    }

    /// Leaf by leaf: a leaf is a game in which each column of its path lets the row through, surely or not at all if it is
    /// known, and with the chance of the training rows if it is not. Summed by the largest rule.
    fn leaf_by_leaf(tree: &Tree, row: &[f64], out: &mut [f64]) {
        // Node, and for each column of its path what it lets through if it is known, and if it is not.
        let rule = Rule::new(64);
        let mut waiting = vec![(0_usize, std::collections::BTreeMap::<usize, (f64, f64)>::new())];
        while let Some((at, path)) = waiting.pop() {
            match &tree.nodes[at] {
                Node::Leaf { value } => {
                    for (column, (known, unknown)) in &path {
                        let others = |u: f64| -> f64 {
                            let others = path.iter().filter(|(other, _)| *other != column);
                            others.map(|(_, (known, unknown))| u * known + (1.0 - u) * unknown).product()
                        };
                        let chance: f64 =
                            rule.points.iter().zip(&rule.weights).map(|(u, weight)| weight * others(*u)).sum();
                        out[*column] += tree.values[*value as usize] * (known - unknown) * chance;
                    }
                }
                Node::Split { column, left, right, .. } => {
                    let taken = tree.nodes[at].next(row);
                    for (child, share) in [*left, *right].into_iter().zip(shares(tree, *left, *right)) {
                        let mut path = path.clone();
                        let (known, unknown) = path.entry(*column as usize).or_insert((1.0, 1.0));
                        *known *= f64::from(u8::from(taken == Some(child)));
                        *unknown *= share;
                        waiting.push((child as usize, path));
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn long_paths_over_many_columns_are_those_of_the_leaves(
            mut tree in tree(1, 60),
            columns in 1_usize..40,
            rows in prop::collection::vec(row(), 8),
        ) {
            let row = rows.concat();
            for (at, node) in tree.nodes.iter_mut().enumerate() {
                if let Node::Split { column, .. } = node {
                    *column = (at * 7 % columns) as u32;
                }
            }
            let explainer = TreeExplainer::new(std::slice::from_ref(&tree), &[0.0], 1.0).unwrap();
            let (mut parts, mut expected) = (vec![0.0; row.len()], vec![0.0; row.len()]);
            explainer.contributions(&row, 0, &mut ShapScratch::default(), &mut parts);
            leaf_by_leaf(&tree, &row, &mut expected);
            for (part, expected) in parts.iter().zip(&expected) {
                prop_assert!((part - expected).abs() < 1e-9, "{:?} instead of {:?}", parts, expected);
            }
        }

        #[test]
        fn parts_are_shapley_values(
            trees in prop::collection::vec(tree(2, 24), 1..4),
            row in row(),
            output in 0_usize..2,
        ) {
            let (base, scale) = ([0.25, -3.0], 0.5);
            let explainer = TreeExplainer::new(&trees, &base, scale).unwrap();
            let mut parts = [f64::NAN; COLUMNS];
            let start = explainer.contributions(&row, output, &mut ShapScratch::default(), &mut parts);
            let mut sum = base[output];
            for tree in &trees {
                sum += scale * tree.answer(&row)[output];
            }
            prop_assert!((start + parts.iter().sum::<f64>() - sum).abs() < 1e-9);
            for (column, part) in parts.iter().enumerate() {
                let expected: f64 = trees.iter().map(|tree| scale * by_definition(tree, &row, output)[column]).sum();
                prop_assert!((part - expected).abs() < 1e-9, "column {} brings {}, not {}", column, part, expected);
            }
        }

        #[test]
        fn trees_take_turns(trees in prop::collection::vec(tree(1, 12), 3..7), row in row()) {
            let all = TreeExplainer::new(&trees, &[1.0, 2.0, 3.0], 1.0).unwrap();
            for output in 0..3 {
                let own: Vec<Tree> = trees.iter().skip(output).step_by(3).cloned().collect();
                let own = TreeExplainer::new(&own, &[1.0 + output as f64], 1.0).unwrap();
                let (mut parts, mut own_parts) = ([0.0; COLUMNS], [0.0; COLUMNS]);
                prop_assert_eq!(all.contributions(&row, output, &mut ShapScratch::default(), &mut parts), own.contributions(&row, 0, &mut ShapScratch::default(), &mut own_parts));
                prop_assert_eq!(parts, own_parts);
            }
        }
    }

    /// A tree that asks about a new column at each step of one long path.
    fn ladder(steps: u32, column: impl Fn(u32) -> u32) -> Tree {
        let mut nodes = Vec::new();
        for step in 0..steps {
            let (left, right) = (2 * step + 1, 2 * step + 2);
            nodes.push(Node::Split { column: column(step), test: Test::AtMost(0.5), missing_left: true, left, right });
            nodes.push(Node::Leaf { value: step });
        }
        nodes.push(Node::Leaf { value: steps });
        let cover = (0..nodes.len()).map(|at| f64::from(steps + 1) - (at as f64 / 2.0).ceil()).collect::<Vec<_>>();
        let cover = cover.iter().enumerate().map(|(at, rows)| if at % 2 == 1 { 1.0 } else { *rows }).collect();
        Tree { outputs: 1, nodes, values: (0..=steps).map(|step| f64::from(step % 7)).collect(), cover }
    }

    #[test]
    fn long_paths_add_up_and_too_long_ones_are_refused() {
        for steps in [1, 4, 5, 9, 17, 33, 100, 128] {
            let tree = ladder(steps, |step| step);
            let row: Vec<f64> = (0..steps).map(|step| f64::from(u8::from(step % 5 != 4))).collect();
            let mut parts = vec![0.0; row.len()];
            let explainer = TreeExplainer::new(std::slice::from_ref(&tree), &[0.0], 1.0).unwrap();
            let start = explainer.contributions(&row, 0, &mut ShapScratch::default(), &mut parts);
            assert!((start - expected(&tree, 0)).abs() < 1e-12);
            let sum = start + parts.iter().sum::<f64>();
            assert!((sum - tree.answer(&row)[0]).abs() < 1e-9, "{steps} steps: {sum}");
        }
        let refused = |tree: Tree| TreeExplainer::new(&[tree], &[0.0], 1.0).unwrap_err().to_string();
        assert!(refused(ladder(129, |step| step)).contains("too deep"));
        assert!(TreeExplainer::new(&[ladder(256, |_| 0)], &[0.0], 1.0).is_ok());
        assert!(refused(ladder(257, |_| 0)).contains("too deep"));
    }
}
