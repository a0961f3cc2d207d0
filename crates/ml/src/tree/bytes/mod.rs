//! Trees as comparisons of bytes: how large batches are answered.
//!
//! Not for single rows, nor for trees with more than 256 leaves or several numbers in a leaf; [`super::FlatTrees`] walks
//! those. Invariant: the sums are those of walking, to the last bit, whatever instructions the processor has.
//!
//! How it is fast: a column's number becomes its rank among the thresholds that the trees have for that column, which is a
//! byte. Then all nodes of a tree are asked, from the leaves up: each chooses between what its children chose, for 64 rows by
//! three or four instructions and without a branch to predict (compare Ye et al.: RapidScorer, 2018, which asks all nodes of
//! bytes as well, and Lucchese et al.: QuickScorer, 2015). Where a row ends is a byte too, the place of its leaf.
//! Subtrees of three levels are chosen from within registers.

#![expect(clippy::inline_always, reason = "only what is inlined is compiled for the instructions that were found")]

mod cut;
mod lines;

use fearless_simd::{Level, Select, Simd, SimdBase, dispatch, i8x64, mask8x64, u8x64};

use self::cut::{Counts, LEAVES, LEVELS, Lower, Pieces, Questions, Upper, WAYS};
use self::lines::{Line, ROWS, Sources};
use super::Tree;
use crate::Matrix;

/// How many rows a vector holds.
const LANES: usize = 64;
/// So many trees are added to the sums at a time.
const GROUP: usize = 4;

/// Trees that are asked by bytes.
#[derive(Debug, Clone)]
pub(super) struct ByteTrees {
    sources: Sources,
    /// Those of the trees of the first output, then of the second, and so on.
    pieces: Pieces,
    outputs: usize,
}

/// For each row the place of a leaf.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Places([u8; ROWS]);

impl Places {
    const BLANK: Self = Self([0; ROWS]);
}

impl ByteTrees {
    /// Compiles trees that [`Tree::check`] found whole, whose leaves have one number each and which take turns over the
    /// outputs. None if they are not for this, or if all trees are nothing but leaves.
    pub(super) fn new(trees: &[Tree], outputs: usize) -> Option<Self> {
        if trees.iter().any(|tree| tree.outputs != 1) {
            return None;
        }
        let (sources, index) = Sources::new(trees)?;
        let by_output = (0..outputs).flat_map(|output| trees.iter().skip(output).step_by(outputs));
        let pieces = Pieces::new(by_output, &index)?;
        (sources.len() > 0).then_some(Self { sources, pieces, outputs })
    }

    /// Roughly how long it takes to answer one row of many, in tenths of a nanosecond.
    pub(super) fn cost(&self) -> usize {
        let pieces = self.pieces.lower.len() + self.pieces.upper.len();
        45 * self.sources.len() + pieces + 3 * self.pieces.trees.len()
    }

    /// Writes the sums of as many rows as make whole blocks into `out`, row by row; returns how many.
    pub(super) fn sums(&self, level: Level, rows: &Matrix, base: &[f64], out: &mut [f64]) -> usize {
        let whole = rows.rows() / ROWS * ROWS;
        if whole > 0 {
            let (rows, out) = (&rows.values()[..whole * rows.columns()], &mut out[..whole * self.outputs]);
            dispatch!(level, simd => self.blocks(simd, rows, base, out));
        }
        whole
    }

    #[inline(always)]
    fn blocks<S: Simd>(&self, simd: S, rows: &[f64], base: &[f64], out: &mut [f64]) {
        let columns = rows.len() * self.outputs / out.len();
        let mut lines = vec![Line::BLANK; self.sources.len()];
        let mut chosen = vec![Places::BLANK; self.pieces.constants + self.pieces.most];
        for (place, constant) in chosen[..self.pieces.constants].iter_mut().enumerate() {
            constant.0.fill(place as u8);
        }
        for (rows, out) in rows.chunks_exact(ROWS * columns).zip(out.chunks_exact_mut(ROWS * self.outputs)) {
            self.sources.fill(simd, rows, columns, &mut lines);
            self.block(simd, &lines, &mut chosen, base, out);
        }
    }

    #[inline(always)]
    fn block<S: Simd>(&self, simd: S, lines: &[Line], chosen: &mut [Places], base: &[f64], out: &mut [f64]) {
        let (mut trees, mut lower, mut upper) = (&*self.pieces.trees, &*self.pieces.lower, &*self.pieces.upper);
        for (output, base) in base.iter().enumerate() {
            let mut sums = [*base; ROWS];
            let count = (self.pieces.trees.len() + self.outputs - 1 - output) / self.outputs;
            let own;
            (own, trees) = trees.split_at(count);
            for group in own.chunks(GROUP) {
                let mut ends = [Places::BLANK; GROUP];
                for (tree, ends) in group.iter().zip(&mut ends) {
                    let (mine, others) = lower.split_at(tree.lower.iter().sum());
                    let (mine_above, others_above) = upper.split_at(tree.upper);
                    (lower, upper) = (others, others_above);
                    *ends = self.choose(simd, lines, tree, mine, mine_above, chosen);
                }
                match <&[Counts; GROUP]>::try_from(group) {
                    Ok(group) => self.add(group, &ends, &mut sums),
                    Err(_) => group.iter().zip(&ends).for_each(|(tree, ends)| {
                        self.add(std::array::from_ref(tree), std::array::from_ref(ends), &mut sums);
                    }),
                }
            }
            for (out, sum) in out.iter_mut().skip(output).step_by(self.outputs).zip(sums) {
                *out = sum;
            }
        }
    }

    /// The places of the leaves of a tree where the rows end.
    #[inline(always)]
    fn choose<S: Simd>(
        &self,
        simd: S,
        lines: &[Line],
        tree: &Counts,
        lower: &[Lower],
        upper: &[Upper],
        chosen: &mut [Places],
    ) -> Places {
        let (constants, mut number) = (self.pieces.constants, self.pieces.constants);
        let (of_three, rest) = lower.split_at(tree.lower[0]);
        let (of_two, of_one) = rest.split_at(tree.lower[1]);
        for piece in of_three {
            piece.choose::<S, 3>(simd, lines, &mut chosen[number]);
            number += 1;
        }
        for piece in of_two {
            piece.choose::<S, 2>(simd, lines, &mut chosen[number]);
            number += 1;
        }
        for piece in of_one {
            piece.choose::<S, 1>(simd, lines, &mut chosen[number]);
            number += 1;
        }
        for piece in upper {
            let (before, own) = chosen.split_at_mut(number);
            match piece.levels {
                1 => piece.choose::<S, 1>(simd, lines, before, &mut own[0]),
                2 => piece.choose::<S, 2>(simd, lines, before, &mut own[0]),
                _ => piece.choose::<S, LEVELS>(simd, lines, before, &mut own[0]),
            }
            number += 1;
        }
        debug_assert!(number > constants, "a tree has a piece");
        chosen[number - 1]
    }

    /// Adds what trees say in their order. Not for wide instructions: of look-ups they make gathers, which take longer than
    /// loads one by one.
    #[inline(never)]
    fn add<const N: usize>(&self, trees: &[Counts; N], ends: &[Places; N], sums: &mut [f64; ROWS]) {
        let leaves: [&[f64; LEAVES]; N] = trees
            .each_ref()
            .map(|tree| self.pieces.leaves[tree.leaves..].first_chunk().expect("there are leaves for all places"));
        for (row, sum) in sums.iter_mut().enumerate() {
            for (leaves, ends) in leaves.iter().zip(ends) {
                *sum += leaves[usize::from(ends.0[row])];
            }
        }
    }
}

impl Lower {
    #[inline(always)]
    fn choose<S: Simd, const LEVELS: usize>(&self, simd: S, lines: &[Line], out: &mut Places) {
        let asked = asked(&self.questions, lines);
        for (part, out) in out.0.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
            let ask = Ask { simd, asked, questions: &self.questions, part };
            let chosen = ask.choose::<LEVELS>(|way| u8x64::splat(simd, way as u8));
            (chosen + self.first).store_slice(out);
        }
    }
}

impl Upper {
    #[inline(always)]
    fn choose<S: Simd, const LEVELS: usize>(&self, simd: S, lines: &[Line], chosen: &[Places], out: &mut Places) {
        let asked = asked(&self.questions, lines);
        let places = self.ways.map(|way| &chosen[usize::from(way)].0);
        for (part, out) in out.0.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
            let ask = Ask { simd, asked, questions: &self.questions, part };
            let place = |way: usize| &places[way][part * LANES..][..LANES];
            ask.choose::<LEVELS>(|way| u8x64::from_slice(simd, place(way))).store_slice(out);
        }
    }
}

/// The line of each question.
#[inline(always)]
fn asked<'a>(questions: &Questions, lines: &'a [Line]) -> [&'a [i8; ROWS]; WAYS - 1] {
    questions.map(|question| &lines[usize::from(question.line)].0)
}

/// The questions of a piece, asked of the rows of one vector.
struct Ask<'a, S: Simd> {
    simd: S,
    asked: [&'a [i8; ROWS]; WAYS - 1],
    questions: &'a Questions,
    part: usize,
}

impl<S: Simd> Ask<'_, S> {
    /// Which rows go right.
    #[inline(always)]
    fn right(&self, question: usize) -> mask8x64<S> {
        let line = &self.asked[question][self.part * LANES..][..LANES];
        i8x64::from_slice(self.simd, line).simd_gt(self.questions[question].key)
    }

    /// What stands at the ends of the ways that the rows go.
    #[inline(always)]
    fn choose<const LEVELS: usize>(&self, ends: impl Fn(usize) -> u8x64<S>) -> u8x64<S> {
        match LEVELS {
            1 => self.of_two(0, &ends, 0),
            2 => self.of_four(0, &ends, 0),
            _ => self.of_eight(&ends),
        }
    }

    #[inline(always)]
    fn of_two(&self, question: usize, ends: &impl Fn(usize) -> u8x64<S>, way: usize) -> u8x64<S> {
        self.right(question).select(ends(way + 1), ends(way))
    }

    #[inline(always)]
    fn of_four(&self, question: usize, ends: &impl Fn(usize) -> u8x64<S>, way: usize) -> u8x64<S> {
        let left = self.of_two(2 * question + 1, ends, way);
        self.right(question).select(self.of_two(2 * question + 2, ends, way + 2), left)
    }

    #[inline(always)]
    fn of_eight(&self, ends: &impl Fn(usize) -> u8x64<S>) -> u8x64<S> {
        let left = self.of_four(1, ends, 0);
        self.right(0).select(self.of_four(2, ends, 4), left)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;
    use crate::levels::levels;
    use crate::tree::testing::{COLUMNS, row, tree};
    use crate::tree::{Node, Test};

    /// What the promise says, word for word, for the rows that make whole blocks.
    fn check(trees: &[Tree], base: &[f64], rows: &Matrix) {
        let bytes = ByteTrees::new(trees, base.len()).expect("trees for bytes");
        for level in levels() {
            let mut out = vec![f64::NAN; rows.rows() * base.len()];
            let done = bytes.sums(level, rows, base, &mut out);
            assert_eq!(done, rows.rows() / ROWS * ROWS);
            for (row, sums) in out.chunks(base.len()).enumerate().take(done) {
                let mut expected = base.to_vec();
                for (number, tree) in trees.iter().enumerate() {
                    expected[number % base.len()] += tree.answer(rows.row(row))[0];
                }
                let bits = |sums: &[f64]| sums.iter().map(|sum| sum.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(sums), bits(&expected), "row {row} at {level:?}");
            }
            assert!(out[done * base.len()..].iter().all(|untouched| untouched.is_nan()));
        }
    }

    /// Enough of them for some blocks and a rest.
    fn many(rows: &[Vec<f64>], columns: usize) -> Matrix {
        let values: Vec<f64> = rows.iter().cycle().take(2 * ROWS + 5).flatten().copied().collect();
        Matrix::from_values(columns, values).unwrap()
    }

    proptest! {
        #[test]
        fn sums_are_those_of_walking_with_any_instructions(
            trees in prop::collection::vec(tree(1, 40), 1..12),
            rows in prop::collection::vec(row(), 1..150),
            outputs in 1_usize..4,
        ) {
            let base: Vec<f64> = (0..outputs).map(|output| output as f64 - 0.3).collect();
            prop_assume!(trees.iter().any(|tree| tree.nodes.len() > 1));
            check(&trees, &base, &many(&rows, COLUMNS));
        }
    }

    /// A tree with a split for each threshold. In a chain each splits the newest leaf; else the oldest, level after level.
    fn shaped(thresholds: &[f32], chain: bool) -> Tree {
        let mut nodes = vec![Node::Leaf { value: 0 }];
        let mut open = VecDeque::from([0]);
        for threshold in thresholds {
            let (left, right) = (nodes.len() as u32, nodes.len() as u32 + 1);
            let split = if chain { open.pop_back() } else { open.pop_front() };
            let (test, missing_left) = (Test::AtMost(*threshold), left.is_multiple_of(3));
            nodes[split.unwrap() as usize] = Node::Split { column: 0, test, missing_left, left, right };
            nodes.extend([left, right].map(|value| Node::Leaf { value }));
            open.extend([left, right]);
        }
        let values = (0..nodes.len()).map(|value| 1.0 / (1.0 + value as f64)).collect();
        Tree { outputs: 1, cover: vec![1.0; nodes.len()], nodes, values }
    }

    #[test]
    fn trees_of_all_shapes_up_to_256_leaves_are_answered() {
        let mut random = crate::Random::new(3, 0);
        let mut thresholds = |count: usize| -> Vec<f32> { (0..count).map(|_| random.below(300) as f32).collect() };
        // More thresholds than a line takes.
        let mut trees: Vec<Tree> = (1..=40).map(|splits| shaped(&thresholds(splits), splits % 2 == 0)).collect();
        trees.extend([127, 255].map(|splits| shaped(&thresholds(splits), false)));
        trees.push(shaped(&thresholds(60), true));
        assert!(ByteTrees::new(&trees, 1).unwrap().sources.len() > 2, "each side of a missing value has one line");
        let values = (-1..302).flat_map(|at| [f64::from(at), f64::from(at) + 0.5]).chain([f64::NAN, f64::INFINITY]);
        let rows: Vec<Vec<f64>> = values.map(|value| vec![value]).collect();
        let rows = Matrix::from_values(1, rows.concat()).unwrap();
        check(&trees, &[0.125], &rows);
        assert!(ByteTrees::new(&[shaped(&thresholds(256), false)], 1).is_none());
    }

    #[test]
    fn what_is_not_for_bytes_is_left_to_walking() {
        let leaf = |outputs| Tree {
            outputs,
            nodes: vec![Node::Leaf { value: 0 }],
            values: vec![1.0; outputs as usize],
            cover: vec![1.0],
        };
        assert!(ByteTrees::new(&[leaf(1)], 1).is_none(), "nothing is asked");
        assert!(ByteTrees::new(&[leaf(2)], 2).is_none(), "a leaf has two numbers");
        assert!(ByteTrees::new(&[], 1).is_none());
    }
}
