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
//! Limits: paths of 256 splits and 128 different columns.

use super::{Node, Test, Tree};
use crate::MlError;

/// The longest path; a walk uses the stack for each step.
const MAX_DEPTH: usize = 256;
/// The most different columns on a path, one bit each.
const MAX_COLUMNS: usize = 128;
/// How many points Gauss's rule may have, so that each walk has products of a fixed size.
const RULES: [usize; 8] = [2, 3, 4, 6, 8, 12, 16, 64];

/// Trees ready to explain the sums of their answers.
#[derive(Debug, Clone)]
pub struct TreeExplainer {
    scale: f64,
    tree_outputs: usize,
    /// For each output what is expected of a row of which nothing is known.
    expected: Vec<f64>,
    roots: Vec<Root>,
    places: Vec<Place>,
    values: Vec<f64>,
    rules: [Rule; RULES.len()],
}

#[derive(Debug, Clone, Copy)]
struct Root {
    at: u32,
    /// Which of [`RULES`] is enough for its paths.
    rule: usize,
}

/// A node; the left child stands behind its parent.
#[derive(Debug, Clone)]
struct Place {
    /// The part of the training rows that the splits by the parent's column let through from the root to here.
    share: f64,
    /// The same before the parent's split; 1 if it is the first by its column.
    share_before: f64,
    /// The number of the parent's column among those on the path.
    bit: u8,
    kind: PlaceKind,
}

#[derive(Debug, Clone)]
enum PlaceKind {
    Split { column: u32, missing_left: bool, test: Test, right: u32 },
    Leaf { value: u32 },
}

/// Gauss's rule for the integral from 0 to 1.
#[derive(Debug, Clone, Default)]
struct Rule {
    points: Vec<f64>,
    weights: Vec<f64>,
}

/// What one walk carries besides its products.
struct Walk<'a, const Q: usize> {
    points: &'a [f64; Q],
    row: &'a [f64],
    output: usize,
    out: &'a mut [f64],
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
            roots: Vec::with_capacity(trees.len()),
            places: Vec::with_capacity(trees.iter().map(|tree| tree.nodes.len()).sum()),
            values: Vec::new(),
            rules: RULES.map(Rule::new),
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
    /// row of which nothing is known; that and all parts together are the sum. Allocates nothing.
    pub fn contributions(&self, row: &[f64], output: usize, out: &mut [f64]) -> f64 {
        out.fill(0.0);
        let turns = self.tree_outputs == 1;
        let (first, step) = if turns { (output, self.expected.len()) } else { (0, 1) };
        let output_of_tree = if turns { 0 } else { output };
        for root in self.roots.iter().skip(first).step_by(step) {
            let at = root.at as usize;
            let rule = &self.rules[root.rule];
            match root.rule {
                0 => self.explain::<{ RULES[0] }>(at, rule, row, output_of_tree, out),
                1 => self.explain::<{ RULES[1] }>(at, rule, row, output_of_tree, out),
                2 => self.explain::<{ RULES[2] }>(at, rule, row, output_of_tree, out),
                3 => self.explain::<{ RULES[3] }>(at, rule, row, output_of_tree, out),
                4 => self.explain::<{ RULES[4] }>(at, rule, row, output_of_tree, out),
                5 => self.explain::<{ RULES[5] }>(at, rule, row, output_of_tree, out),
                6 => self.explain::<{ RULES[6] }>(at, rule, row, output_of_tree, out),
                _ => self.explain::<{ RULES[7] }>(at, rule, row, output_of_tree, out),
            }
        }
        out.iter_mut().for_each(|part| *part *= self.scale);
        self.expected[output]
    }

    fn explain<const Q: usize>(&self, root: usize, rule: &Rule, row: &[f64], output: usize, out: &mut [f64]) {
        let (Some(points), Some(weights)) = (rule.points.as_array(), rule.weights.as_array()) else {
            unreachable!("a rule has as many points as its name says")
        };
        self.visit::<Q>(root, weights, u128::MAX, &mut Walk { points, row, output, out });
    }

    /// Goes through all paths from a place on. `reach` is, for each point `u`, the product over the columns of the path
    /// so far: the chance that the row comes here if each column is known with probability `u`. `follows` has the bits of
    /// the columns by which the row itself comes here. Returns the mean of the leaves, each by its chance from here on.
    fn visit<const Q: usize>(&self, at: usize, reach: &[f64; Q], follows: u128, walk: &mut Walk<'_, Q>) -> [f64; Q] {
        let (column, left, right) = match &self.places[at].kind {
            PlaceKind::Leaf { value } => return [self.values[*value as usize + walk.output]; Q],
            PlaceKind::Split { column, missing_left, test, right } => {
                let value = walk.row[*column as usize];
                let left = if value.is_nan() { *missing_left } else { test.holds(value) };
                (*column as usize, left, *right as usize)
            }
        };
        let mut mean = [0.0; Q];
        for (child, taken) in [(at + 1, left), (right, !left)] {
            let place = &self.places[child];
            let bit = 1 << place.bit;
            let followed = follows & bit != 0;
            let follows = if taken { follows } else { follows & !bit };
            let now = f64::from(u8::from(followed && taken));
            if now + place.share == 0.0 {
                // No row comes here, known or not.
                continue;
            }
            let chances = walk.points.map(|u| chance(u, now, place.share));
            if place.share_before == 1.0 && followed {
                let below = self.visit(child, &product(reach, &chances), follows, walk);
                walk.out[column] += (now - place.share) * product(reach, &below).iter().sum::<f64>();
                add(&mut mean, &product(&chances, &below));
            } else {
                // A split above by this column: its chance gives way to the new one, and what it was credited for the
                // leaves below is taken back.
                let before = f64::from(u8::from(followed));
                let without = walk.points.map(|u| 1.0 / chance(u, before, place.share_before));
                let step = product(&chances, &without);
                let below = self.visit(child, &product(reach, &step), follows, walk);
                let others = product(&product(reach, &without), &below);
                let credit = (now - place.share) * others.iter().sum::<f64>();
                let debit = (before - place.share_before) * product(&others, &step).iter().sum::<f64>();
                walk.out[column] += credit - debit;
                add(&mut mean, &product(&step, &below));
            }
        }
        mean
    }

    fn add(&mut self, tree: &Tree) -> Result<(), MlError> {
        let root = Root { at: self.places.len() as u32, rule: 0 };
        let first_value = self.values.len() as u32;
        self.values.extend_from_slice(&tree.values);
        let mut most_columns = 0;
        // The splits above: their column, its bit and share so far.
        let mut path: Vec<(u32, u8, f64)> = Vec::new();
        // A node, its depth, the column and share of the split that leads to it, and the parent whose right child it is.
        let mut waiting = vec![(0_u32, 0_usize, None::<(u32, f64)>, None::<usize>)];
        while let Some((node, depth, split, parent)) = waiting.pop() {
            let here = self.places.len();
            if let Some(parent) = parent
                && let PlaceKind::Split { right, .. } = &mut self.places[parent].kind
            {
                *right = here as u32;
            }
            let (mut share, mut share_before, mut bit) = (1.0, 1.0, 0);
            if let Some((column, part)) = split {
                path.truncate(depth - 1);
                let columns = path.iter().map(|(_, bit, _)| usize::from(*bit) + 1).max().unwrap_or(0);
                let above = path.iter().rev().find(|above| above.0 == column);
                (bit, share_before) = above.map_or((columns as u8, 1.0), |(_, bit, share)| (*bit, *share));
                share = share_before * part;
                path.push((column, bit, share));
                most_columns = most_columns.max(columns.max(usize::from(bit) + 1));
                if depth > MAX_DEPTH || most_columns > MAX_COLUMNS {
                    return Err(MlError::Shape(format!(
                        "a tree is too deep to be explained: a path may have {MAX_DEPTH} splits and {MAX_COLUMNS} columns"
                    )));
                }
            }
            let kind = match &tree.nodes[node as usize] {
                Node::Leaf { value } => PlaceKind::Leaf { value: first_value + value },
                Node::Split { column, test, missing_left, left, right } => {
                    let [to_left, to_right] = shares(tree, *left, *right);
                    waiting.push((*right, depth + 1, Some((*column, to_right)), Some(here)));
                    waiting.push((*left, depth + 1, Some((*column, to_left)), None));
                    PlaceKind::Split { column: *column, missing_left: *missing_left, test: test.clone(), right: 0 }
                }
            };
            self.places.push(Place { share, share_before, bit, kind });
        }
        let rule = RULES.iter().position(|points| 2 * points >= most_columns).unwrap_or(RULES.len() - 1);
        self.roots.push(Root { rule, ..root });
        Ok(())
    }
}

fn product<const Q: usize>(a: &[f64; Q], b: &[f64; Q]) -> [f64; Q] {
    std::array::from_fn(|q| a[q] * b[q])
}

fn add<const Q: usize>(sum: &mut [f64; Q], summand: &[f64; Q]) {
    sum.iter_mut().zip(summand).for_each(|(sum, summand)| *sum += summand);
}

/// The chance that a column lets a row through if it is known with probability `u`; `now` is 1 if the row itself goes on.
fn chance(u: f64, now: f64, share: f64) -> f64 {
    u * now + (1.0 - u) * share
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

    proptest! {
        #[test]
        fn parts_are_shapley_values(
            trees in prop::collection::vec(tree(2, 24), 1..4),
            row in row(),
            output in 0_usize..2,
        ) {
            let (base, scale) = ([0.25, -3.0], 0.5);
            let explainer = TreeExplainer::new(&trees, &base, scale).unwrap();
            let mut parts = [f64::NAN; COLUMNS];
            let start = explainer.contributions(&row, output, &mut parts);
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
                prop_assert_eq!(all.contributions(&row, output, &mut parts), own.contributions(&row, 0, &mut own_parts));
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
            let start = explainer.contributions(&row, 0, &mut parts);
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
