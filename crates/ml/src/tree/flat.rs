//! Trees compiled for serving: the sums of what they answer, in as little time as memory allows.
//!
//! Not for learning or explaining; those work on [`Tree`]. Invariant: the sums are those of [`Tree::answer`] added up in
//! the order of the trees, to the last bit.
//!
//! How it is fast (compare Asadi, Lin, de Vries: Runtime optimizations for tree-based machine learning models, 2014):
//!
//! - A node takes 8 bytes. Siblings stand together, so going down is an addition without a branch to predict. A leaf leads
//!   to itself, so that several walks can go in step and hide one another's waiting for memory.
//! - A row is first turned into views: for each way that some node looks at some column, one number. Missing values are
//!   dealt with there and not in the nodes; columns that no node looks at cost nothing.
//! - Equal leaves share their numbers, and where the same two leaves hang on many splits of a tree, their nodes.

use std::array;
use std::collections::BTreeMap;
use std::hint::select_unpredictable;

use fearless_simd::Level;

use super::bytes::ByteTrees;
use super::look::{Look, NOTHING, View, codes, ordered, rank, views};
use super::{Node, Test, Tree};
use crate::{Matrix, MlError};

/// How many walks go in step.
const LANES: usize = 8;
/// Up to this length of the longest path all walks take as many steps.
const SHORT: u32 = 8;
/// How many rows a batch takes through a tree before the next tree.
const BLOCK: usize = 128;
/// From so many equal pairs of leaves in a tree on one stands for all.
const MANY: usize = 8;
/// A node that is filled in later.
const BLANK: FlatNode = FlatNode { key: 0, step: 0 };

/// Trees ready to answer.
#[derive(Debug, Clone)]
pub struct FlatTrees {
    base: Vec<f64>,
    tree_outputs: usize,
    roots: Vec<u32>,
    nodes: Vec<FlatNode>,
    values: Vec<f64>,
    /// The sets of categories that do not fit into a node: for each, as many words as its column needs. Bit 0 is the missing
    /// value, bit `code + 1` a category, and the last bit, which is never set, all others. The first word is for nodes
    /// without such a set.
    sets: Vec<u32>,
    /// View 0 is [`NOTHING`]; these are the others: numbers, then categories whose sets fit into a node, then the rest.
    views: Vec<View>,
    first_category: u32,
    first_large: u32,
    /// The length of the longest path if that is short; otherwise 0.
    sure_steps: u32,
    /// Whether all paths together have fewer steps than there are views: then a batch looks at a column when a node asks.
    few_steps: bool,
    width: Width,
    /// The same trees for large batches, if those are answered faster by bytes.
    bytes: Option<Box<ByteTrees>>,
}

/// 8 bytes: where to look, what to compare with, where to go.
#[derive(Debug, Clone, Copy)]
struct FlatNode {
    /// The threshold, as [`ordered`] has it; for a category, its set or the place of that; for a leaf, the place of its
    /// numbers.
    key: u32,
    /// The view in the low bits, and above them the distance to the child for yes; the child for no stands behind it. Both
    /// are 0 at a leaf.
    step: u32,
}

/// How many bits a view takes in a node. Fixed widths let the compiler drop the checks of bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Width {
    Narrow,
    Middle,
    Wide,
}

impl Width {
    fn bits(self) -> u32 {
        match self {
            Self::Narrow => 6,
            Self::Middle => 10,
            Self::Wide => 13,
        }
    }

    /// The least width for so many views.
    fn of(views: usize) -> Option<Self> {
        [Self::Narrow, Self::Middle, Self::Wide].into_iter().find(|width| views <= 1 << width.bits())
    }
}

/// Trees without categories.
const NO_SETS: u8 = 0;
/// All sets of categories fit into nodes.
const SMALL_SETS: u8 = 1;
/// Some do not.
const LARGE_SETS: u8 = 2;

/// Runs a method with the constants that fit the trees: the number of views, and which sets there are.
macro_rules! with_constants {
    ($self:ident . $method:ident ( $($argument:expr),* )) => {
        match ($self.width, $self.kind_of_sets()) {
            (Width::Narrow, NO_SETS) => $self.$method::<64, NO_SETS>($($argument),*),
            (Width::Narrow, SMALL_SETS) => $self.$method::<64, SMALL_SETS>($($argument),*),
            (Width::Narrow, _) => $self.$method::<64, LARGE_SETS>($($argument),*),
            (Width::Middle, NO_SETS) => $self.$method::<1024, NO_SETS>($($argument),*),
            (Width::Middle, _) => $self.$method::<1024, LARGE_SETS>($($argument),*),
            (Width::Wide, NO_SETS) => $self.$method::<8192, NO_SETS>($($argument),*),
            (Width::Wide, _) => $self.$method::<8192, LARGE_SETS>($($argument),*),
        }
    };
}

impl FlatTrees {
    /// Compiles trees. `base` is what each sum begins with, a number for each output. Trees have a number for each output,
    /// or one number each: then they take turns over the outputs.
    ///
    /// # Errors
    ///
    /// [`MlError::Shape`] if a tree is damaged, trees and outputs do not fit together, or there is more than 8-byte nodes
    /// can tell apart: 8,191 ways to look at columns, 2²⁶ nodes in a tree over up to 63 of them (2¹⁹ over the most).
    pub fn new(trees: &[Tree], base: &[f64]) -> Result<Self, MlError> {
        let tree_outputs = trees.first().map_or(1, |tree| tree.outputs as usize);
        if tree_outputs != base.len() && (tree_outputs != 1 || base.is_empty()) {
            return Err(MlError::Shape(format!("trees with {tree_outputs} outputs do not add up to {}", base.len())));
        }
        for tree in trees {
            tree.check()?;
            if tree.outputs as usize != tree_outputs {
                return Err(MlError::Shape("the trees do not all have as many outputs".to_owned()));
            }
        }
        let views = views(trees);
        let too_many =
            || MlError::Shape(format!("the trees look at columns in {} ways; 8191 are possible", views.len()));
        let width = Width::of(views.len() + 1).ok_or_else(too_many)?;
        let up_to = |rank| views.partition_point(|view| view.look.rank() < rank) as u32 + 1;
        let mut flat = Self {
            base: base.to_vec(),
            tree_outputs,
            roots: Vec::with_capacity(trees.len()),
            nodes: Vec::with_capacity(trees.iter().map(|tree| tree.nodes.len() + 1).sum()),
            values: Vec::new(),
            sets: vec![0],
            first_category: up_to(2),
            first_large: up_to(3),
            views,
            sure_steps: 0,
            few_steps: false,
            width,
            bytes: None,
        };
        let mut known = Known::default();
        for (view, number) in flat.views.iter().zip(1..) {
            known.views.insert((view.look.rank().min(2), view.column), number);
        }
        let (mut longest, mut steps) = (0, 0);
        for tree in trees {
            let path = flat.add(tree, &mut known)?;
            longest = longest.max(path);
            steps += path as usize;
        }
        flat.few_steps = steps < flat.views.len();
        // In tenths of a nanosecond, as the other.
        let walking = 11 * steps + if flat.few_steps { 0 } else { 10 * flat.views.len() };
        flat.bytes = ByteTrees::new(trees, base.len()).filter(|bytes| bytes.cost() < walking).map(Box::new);
        flat.sure_steps = if longest <= SHORT { longest } else { 0 };
        Ok(flat)
    }

    /// How many sums there are.
    pub fn outputs(&self) -> usize {
        self.base.len()
    }

    /// Writes the sums for a row into `out`, which has [`Self::outputs`] places. Allocates nothing.
    pub fn sums(&self, row: &[f64], out: &mut [f64]) {
        with_constants!(self.sums_of(row, out));
    }

    /// Writes the sums for all rows into `out`, row by row. A tree takes many rows while it is in the nearest memory.
    pub fn sums_of_rows(&self, rows: &Matrix, out: &mut [f64]) {
        if let Some(bytes) = &self.bytes {
            let done = bytes.sums(Level::new(), rows, &self.base, out);
            let rest = out.chunks_exact_mut(self.outputs()).enumerate().skip(done);
            rest.for_each(|(row, out)| self.sums(rows.row(row), out));
        } else if self.few_steps {
            with_constants!(self.sums_as_asked(rows, out));
        } else {
            with_constants!(self.sums_of_blocks(rows, out));
        }
    }

    fn sums_of<const VIEWS: usize, const SETS: u8>(&self, row: &[f64], out: &mut [f64]) {
        let mut seen = [NOTHING; VIEWS];
        self.look(row, &mut seen);
        if let ([sum], [base]) = (&mut *out, &*self.base) {
            // In a register.
            let mut total = *base;
            self.each_leaf::<VIEWS, SETS>(&seen, |_, leaf| total += self.values[leaf as usize]);
            *sum = total;
        } else {
            out.copy_from_slice(&self.base);
            self.each_leaf::<VIEWS, SETS>(&seen, |tree, leaf| self.add_leaf(tree, leaf, out));
        }
    }

    #[inline]
    fn each_leaf<const VIEWS: usize, const SETS: u8>(&self, seen: &[u32; VIEWS], mut then: impl FnMut(usize, u32)) {
        let (groups, rest) = self.roots.as_chunks::<LANES>();
        let mut tree = 0;
        for roots in groups {
            for leaf in self.walk::<VIEWS, SETS, LANES>(*roots, |_, view| seen[view]) {
                then(tree, leaf);
                tree += 1;
            }
        }
        // The rest goes in step as well.
        let (fours, ones) = rest.as_chunks::<{ LANES / 2 }>();
        for roots in fours {
            for leaf in self.walk::<VIEWS, SETS, { LANES / 2 }>(*roots, |_, view| seen[view]) {
                then(tree, leaf);
                tree += 1;
            }
        }
        for root in ones {
            let [leaf] = self.walk::<VIEWS, SETS, 1>([*root], |_, view| seen[view]);
            then(tree, leaf);
            tree += 1;
        }
    }

    fn sums_of_blocks<const VIEWS: usize, const SETS: u8>(&self, rows: &Matrix, out: &mut [f64]) {
        let outputs = self.outputs();
        let mut seen = vec![[NOTHING; VIEWS]; BLOCK.min(rows.rows())];
        for (block, out) in out.chunks_mut(BLOCK * outputs).enumerate() {
            out.chunks_exact_mut(outputs).for_each(|out| out.copy_from_slice(&self.base));
            let seen = &mut seen[..out.len() / outputs];
            seen.iter_mut().enumerate().for_each(|(at, seen)| self.look(rows.row(block * BLOCK + at), seen));
            let (groups, rest) = seen.as_chunks::<LANES>();
            for (tree, root) in self.roots.iter().enumerate() {
                let mut outs = out.chunks_exact_mut(outputs);
                for group in groups {
                    let leaves = self.walk::<VIEWS, SETS, LANES>([*root; LANES], |lane, view| group[lane][view]);
                    leaves.into_iter().zip(&mut outs).for_each(|(leaf, out)| self.add_leaf(tree, leaf, out));
                }
                for (seen, out) in rest.iter().zip(outs) {
                    let [leaf] = self.walk::<VIEWS, SETS, 1>([*root], |_, view| seen[view]);
                    self.add_leaf(tree, leaf, out);
                }
            }
        }
    }

    /// As [`Self::sums_of_blocks`], without views made before.
    fn sums_as_asked<const VIEWS: usize, const SETS: u8>(&self, rows: &Matrix, out: &mut [f64]) {
        let outputs = self.outputs();
        out.chunks_exact_mut(outputs).for_each(|out| out.copy_from_slice(&self.base));
        for (tree, root) in self.roots.iter().enumerate() {
            let mut first = 0;
            for out in out.chunks_mut(LANES * outputs) {
                // The last group may be of fewer rows; its other lanes walk with its first one.
                let group: [&[f64]; LANES] =
                    array::from_fn(|lane| rows.row(if lane * outputs < out.len() { first + lane } else { first }));
                let leaves =
                    self.walk::<VIEWS, SETS, LANES>([*root; LANES], |lane, view| self.asked(view, group[lane]));
                out.chunks_exact_mut(outputs).zip(leaves).for_each(|(out, leaf)| self.add_leaf(tree, leaf, out));
                first += LANES;
            }
        }
    }

    /// What a view shows of a row.
    #[inline]
    fn asked(&self, number: usize, row: &[f64]) -> u32 {
        let view = self.views[number.saturating_sub(1)];
        select_unpredictable(number == 0, NOTHING, view.look.at(row[view.column as usize]))
    }

    /// Fills in the views of a row.
    fn look<const VIEWS: usize>(&self, row: &[f64], seen: &mut [u32; VIEWS]) {
        for (view, seen) in self.views.iter().zip(&mut seen[1..]) {
            *seen = view.look.at(row[view.column as usize]);
        }
    }

    /// Walks from nodes to leaves, each for a row of its own; returns the places of the leaves' numbers.
    #[inline]
    fn walk<const VIEWS: usize, const SETS: u8, const N: usize>(
        &self,
        mut at: [u32; N],
        seen: impl Fn(usize, usize) -> u32,
    ) -> [u32; N] {
        let steps = |at: &mut [u32; N]| {
            let mut moved = 0;
            for (lane, at) in at.iter_mut().enumerate() {
                let step = self.step_from::<VIEWS, SETS>(*at, |view| seen(lane, view));
                moved |= step;
                *at += step;
            }
            moved != 0
        };
        // Where all paths are short, asking whether all walks have ended costs more than steps in vain.
        for _ in 0..self.sure_steps {
            steps(&mut at);
        }
        if self.sure_steps == 0 {
            while steps(&mut at) {}
        }
        at.map(|leaf| self.nodes[leaf as usize].key)
    }

    /// How far on a node sends a row; 0 from a leaf.
    #[inline]
    fn step_from<const VIEWS: usize, const SETS: u8>(&self, at: u32, seen: impl Fn(usize) -> u32) -> u32 {
        let node = self.nodes[at as usize];
        let view = node.step as usize % VIEWS;
        let value = seen(view);
        let mut no = u32::from(node.key < value);
        if SETS != NO_SETS {
            let category = view as u32 >= self.first_category;
            let mut word = node.key;
            if SETS == LARGE_SETS {
                let large = view as u32 >= self.first_large;
                let stored = self.sets[select_unpredictable(large, node.key.wrapping_add(value / 32), 0) as usize];
                word = select_unpredictable(large, stored, word);
            }
            no = select_unpredictable(category, !(word >> (value % 32)) & 1, no);
        }
        (node.step >> VIEWS.trailing_zeros()) + no
    }

    fn kind_of_sets(&self) -> u8 {
        let end = self.views.len() as u32 + 1;
        match (self.first_category < end, self.first_large < end) {
            (false, _) => NO_SETS,
            (true, false) => SMALL_SETS,
            (true, true) => LARGE_SETS,
        }
    }

    fn add_leaf(&self, tree: usize, leaf: u32, out: &mut [f64]) {
        if out.len() == self.tree_outputs {
            let values = &self.values[leaf as usize..][..out.len()];
            out.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        } else {
            out[tree % out.len()] += self.values[leaf as usize];
        }
    }

    /// Adds a tree; returns the length of its longest path.
    fn add<'a>(&mut self, tree: &'a Tree, known: &mut Known<'a>) -> Result<u32, MlError> {
        let mut shared = self.shared_ends(tree, known);
        // Siblings stand at even places, so that no line of the cache ends between them.
        self.nodes.resize(self.nodes.len() + 1 - self.nodes.len() % 2, BLANK);
        let (mut longest, root) = (0, self.nodes.len());
        self.roots.push(root as u32);
        self.nodes.push(BLANK);
        // A node, its place and its depth. What is below the usual one of two siblings stands next to them: one trip to
        // memory brings several steps of the usual path.
        let mut waiting = vec![(0_u32, root, 0)];
        while let Some((node, place, depth)) = waiting.pop() {
            longest = longest.max(depth);
            match &tree.nodes[node as usize] {
                Node::Leaf { value } => {
                    self.nodes[place] = FlatNode { key: self.leaf_key(tree, *value, known), step: 0 };
                }
                Node::Split { column, test, missing_left, left, right } => {
                    let view = known.views[&(rank(test, *missing_left), *column)];
                    self.nodes[place].key = self.split_key(view, test, *missing_left, known);
                    if let Some(end) = self.ends(tree, *left, *right, known).and_then(|ends| shared.get_mut(&ends)) {
                        end.push((place, view));
                        longest = longest.max(depth + 1);
                        continue;
                    }
                    let children = self.nodes.len();
                    self.nodes.extend([BLANK; 2]);
                    let (yes, no) = ((*left, children, depth + 1), (*right, children + 1, depth + 1));
                    let left_is_usual = tree.cover[*left as usize] > tree.cover[*right as usize];
                    waiting.extend(if left_is_usual { [no, yes] } else { [yes, no] });
                    self.nodes[place].step = self.step(children - place, view)?;
                }
            }
        }
        for (ends, parents) in shared {
            let children = self.nodes.len();
            self.nodes.extend(ends.map(|key| FlatNode { key, step: 0 }));
            for (place, view) in parents {
                self.nodes[place].step = self.step(children - place, view)?;
            }
        }
        Ok(longest)
    }

    /// The pairs of leaves below a split that stand once for many splits of a tree, behind all its other nodes: there are few,
    /// so they are in the nearest memory. Pure leaves of a forest are such.
    fn shared_ends(&mut self, tree: &Tree, known: &mut Known<'_>) -> BTreeMap<[u32; 2], Vec<(usize, u32)>> {
        let mut counts: BTreeMap<[u32; 2], usize> = BTreeMap::new();
        // Where places of a tree are too far from one another for a node to tell, siblings must stay close.
        if tree.nodes.len() < 1 << (31 - self.width.bits()) {
            for node in &tree.nodes {
                if let Node::Split { left, right, .. } = node
                    && let Some(ends) = self.ends(tree, *left, *right, known)
                {
                    *counts.entry(ends).or_default() += 1;
                }
            }
        }
        counts.into_iter().filter(|(_, count)| *count >= MANY).map(|(ends, _)| (ends, Vec::new())).collect()
    }

    /// The keys of two siblings if both are leaves.
    fn ends(&mut self, tree: &Tree, left: u32, right: u32, known: &mut Known<'_>) -> Option<[u32; 2]> {
        match [left, right].map(|child| &tree.nodes[child as usize]) {
            [Node::Leaf { value: left }, Node::Leaf { value: right }] => {
                Some([*left, *right].map(|value| self.leaf_key(tree, value, known)))
            }
            _ => None,
        }
    }

    /// The place of a leaf's numbers; equal leaves share it.
    fn leaf_key(&mut self, tree: &Tree, value: u32, known: &mut Known<'_>) -> u32 {
        let values = &tree.values[value as usize..][..self.tree_outputs];
        *known.leaves.entry(values.iter().map(|value| value.to_bits()).collect()).or_insert_with(|| {
            self.values.extend_from_slice(values);
            (self.values.len() - values.len()) as u32
        })
    }

    fn split_key<'a>(&mut self, view: u32, test: &'a Test, missing_left: bool, known: &mut Known<'a>) -> u32 {
        match test {
            Test::AtMost(threshold) => ordered(*threshold),
            Test::In(words) if view < self.first_large => {
                words.first().map_or(0, |word| word << 1) | u32::from(missing_left)
            }
            Test::In(words) => *known
                .sets
                .entry((view, missing_left, words))
                .or_insert_with(|| self.add_set(view, missing_left, words)),
        }
    }

    fn step(&self, distance: usize, view: u32) -> Result<u32, MlError> {
        let bits = self.width.bits();
        if distance >= 1 << (32 - bits) || self.nodes.len() > u32::MAX as usize {
            return Err(MlError::Shape(
                "a tree is too large to be served; learn it with a limit on its depth".to_owned(),
            ));
        }
        Ok((distance as u32) << bits | view)
    }

    fn add_set(&mut self, view: u32, missing_left: bool, words: &[u32]) -> u32 {
        let Look::Category { others } = self.views[view as usize - 1].look else {
            unreachable!("a view of categories")
        };
        let start = self.sets.len();
        self.sets.resize(start + others as usize / 32 + 1, 0);
        self.sets[start] = u32::from(missing_left);
        for bit in codes(words).map(|code| code + 1) {
            self.sets[start + bit / 32] |= 1 << (bit % 32);
        }
        start as u32
    }
}

/// What is there already, while trees are compiled.
#[derive(Default)]
struct Known<'a> {
    /// Views by their rank, in which categories are one, and column.
    views: BTreeMap<(u8, u32), u32>,
    leaves: BTreeMap<Vec<u64>, u32>,
    sets: BTreeMap<(u32, bool, &'a [u32]), u32>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tree::testing::{COLUMNS, row, tree};

    /// Leaves only sets that a kind of flat trees may have.
    fn limit_sets(tree: &mut Tree, kind: u8) {
        for node in &mut tree.nodes {
            if let Node::Split { test: test @ Test::In(_), .. } = node {
                match (kind, &mut *test) {
                    (NO_SETS, _) => *test = Test::AtMost(20.0),
                    (SMALL_SETS, Test::In(words)) => *words = words.iter().take(1).map(|word| word >> 2).collect(),
                    _ => {}
                }
            }
        }
    }

    /// What the promise says, word for word.
    fn by_walking(trees: &[Tree], base: &[f64], row: &[f64]) -> Vec<u64> {
        let mut sums = base.to_vec();
        for (index, tree) in trees.iter().enumerate() {
            let answer = tree.answer(row);
            if answer.len() == sums.len() {
                sums.iter_mut().zip(answer).for_each(|(sum, value)| *sum += value);
            } else {
                let output = index % sums.len();
                sums[output] += answer[0];
            }
        }
        sums.into_iter().map(f64::to_bits).collect()
    }

    proptest! {
        #[test]
        fn sums_are_those_of_walking(
            mut trees in prop::collection::vec(tree(1, 40), 0..12),
            kind in NO_SETS..=LARGE_SETS,
            rows in prop::collection::vec(row(), 1..150),
            outputs in 1_usize..4,
        ) {
            trees.iter_mut().for_each(|tree| limit_sets(tree, kind));
            let base: Vec<f64> = (0..outputs).map(|output| output as f64 - 0.3).collect();
            let flat = FlatTrees::new(&trees, &base).unwrap();
            prop_assert!(flat.kind_of_sets() <= kind);
            let matrix = Matrix::from_values(COLUMNS, rows.concat()).unwrap();
            let mut batch = vec![0.0; rows.len() * outputs];
            flat.sums_of_rows(&matrix, &mut batch);
            for (row, batch) in rows.iter().zip(batch.chunks(outputs)) {
                let mut out = vec![0.0; outputs];
                flat.sums(row, &mut out);
                let expected = by_walking(&trees, &base, row);
                prop_assert_eq!(out.iter().map(|sum| sum.to_bits()).collect::<Vec<_>>(), &expected[..]);
                prop_assert_eq!(batch.iter().map(|sum| sum.to_bits()).collect::<Vec<_>>(), &expected[..]);
            }
        }

        #[test]
        fn leaves_may_have_many_numbers(
            trees in prop::collection::vec(tree(3, 40), 1..12),
            rows in prop::collection::vec(row(), 1..20),
        ) {
            let base = [0.5, -1.0, 0.0];
            let flat = FlatTrees::new(&trees, &base).unwrap();
            for row in rows {
                let mut out = [0.0; 3];
                flat.sums(&row, &mut out);
                prop_assert_eq!(out.map(f64::to_bits).to_vec(), by_walking(&trees, &base, &row));
            }
        }
    }

    #[test]
    fn wide_rows_take_wider_views() {
        let stump = |column: u32| Tree {
            outputs: 1,
            nodes: vec![
                Node::Split {
                    column,
                    test: Test::AtMost(0.5),
                    missing_left: column.is_multiple_of(2),
                    left: 1,
                    right: 2,
                },
                Node::Leaf { value: 0 },
                Node::Leaf { value: 1 },
            ],
            values: vec![f64::from(column), -1.0],
            cover: vec![2.0, 1.0, 1.0],
        };
        for columns in [63, 64, 1023, 1024, 8_191] {
            let trees: Vec<Tree> = (0..columns).map(stump).collect();
            let flat = FlatTrees::new(&trees, &[0.0]).unwrap();
            let row: Vec<f64> = (0..columns).map(|column| [0.0, 1.0, f64::NAN][column as usize % 3]).collect();
            let mut out = [0.0];
            flat.sums(&row, &mut out);
            assert_eq!(vec![out[0].to_bits()], by_walking(&trees, &[0.0], &row), "{columns} columns");
        }
        let trees: Vec<Tree> = (0..8_192).map(stump).collect();
        assert!(FlatTrees::new(&trees, &[0.0]).unwrap_err().to_string().contains("8192 ways"));
    }

    #[test]
    fn equal_pairs_of_leaves_stand_once() {
        let mut random = crate::Random::new(9, 0);
        let mut number = |below: usize| random.below(below) as u32;
        // 511 splits level after level over 512 leaves, of which there are two kinds: four kinds of pairs.
        let mut split = |at: u32| Node::Split {
            column: at % 3,
            test: Test::AtMost(number(100) as f32),
            missing_left: at.is_multiple_of(2),
            left: 2 * at + 1,
            right: 2 * at + 2,
        };
        let mut nodes: Vec<Node> = (0..511).map(&mut split).collect();
        nodes.extend((0..512).map(|_| Node::Leaf { value: number(2) }));
        let trees = [Tree { outputs: 1, cover: vec![1.0; nodes.len()], nodes, values: vec![0.25, 1.0] }];
        let flat = FlatTrees::new(&trees, &[0.0]).unwrap();
        assert_eq!(flat.nodes.len(), 2 + 2 * 255 + 2 * 4, "a blank, the root, 255 pairs above the leaves, four below");
        for _ in 0..500 {
            let row = [number(100), number(100), number(100)].map(|n| if n == 7 { f64::NAN } else { f64::from(n) });
            let mut out = [0.0];
            flat.sums(&row, &mut out);
            assert_eq!(vec![out[0].to_bits()], by_walking(&trees, &[0.0], &row), "{row:?}");
        }
    }

    #[test]
    fn a_batch_for_few_steps_looks_when_asked() {
        // Seven splits on seven columns, three on each way.
        let split = |column: u32| Node::Split {
            column,
            test: if column == 4 { Test::In([5].into()) } else { Test::AtMost(column as f32 - 3.0) },
            missing_left: column.is_multiple_of(2),
            left: 2 * column + 1,
            right: 2 * column + 2,
        };
        let tree = Tree {
            outputs: 1,
            nodes: (0..7).map(split).chain((0..8).map(|value| Node::Leaf { value })).collect(),
            values: (0..8).map(f64::from).collect(),
            cover: vec![1.0; 15],
        };
        let trees = [tree];
        let flat = FlatTrees::new(&trees, &[0.25]).unwrap();
        assert!(flat.few_steps);
        let values = [f64::NAN, -4.0, -3.0, 0.0, 2.0, 3.5, f64::INFINITY];
        let mut random = crate::Random::new(7, 0);
        let rows: Vec<f64> = (0..70 * 7).map(|_| values[random.below(values.len())]).collect();
        let matrix = Matrix::from_values(7, rows).unwrap();
        let mut batch = vec![0.0; 70];
        flat.sums_of_rows(&matrix, &mut batch);
        let mut reached = std::collections::BTreeSet::new();
        for (row, sum) in batch.iter().enumerate() {
            assert_eq!(vec![sum.to_bits()], by_walking(&trees, &[0.25], matrix.row(row)), "row {row}");
            reached.insert(sum.to_bits());
        }
        assert_eq!(reached.len(), 8, "every leaf is reached by some row");
    }

    #[test]
    fn damaged_trees_are_refused() {
        let leaf = |value| Tree { outputs: 1, nodes: vec![Node::Leaf { value }], values: vec![1.0], cover: vec![1.0] };
        assert!(FlatTrees::new(&[leaf(0)], &[0.0]).is_ok());
        assert!(FlatTrees::new(&[leaf(1)], &[0.0]).is_err());
        assert!(FlatTrees::new(&[leaf(0)], &[]).is_err());
        let split = |left, right| Tree {
            nodes: vec![
                Node::Split { column: 0, test: Test::AtMost(0.0), missing_left: true, left, right },
                Node::Leaf { value: 0 },
                Node::Leaf { value: 0 },
            ],
            cover: vec![1.0; 3],
            ..leaf(0)
        };
        assert!(FlatTrees::new(&[split(1, 2)], &[0.0]).is_ok());
        for (left, right) in [(0, 1), (1, 1), (1, 3), (2, 2)] {
            assert!(FlatTrees::new(&[split(left, right)], &[0.0]).is_err(), "children {left} and {right}");
        }
    }
}
