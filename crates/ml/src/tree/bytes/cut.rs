//! How trees are cut into pieces of at most three levels.

use super::super::{Node, Tree};
use super::lines::{Index, NEVER, Question};

/// The most levels of a piece.
pub(super) const LEVELS: usize = 3;
/// The most ways through a piece.
pub(super) const WAYS: usize = 1 << LEVELS;
/// The most leaves of a tree, so that their places are bytes.
pub(super) const LEAVES: usize = 256;

/// The questions of a piece: the root's, then those of each level from left to right.
pub(super) type Questions = [Question; WAYS - 1];

/// A piece whose ways all end at leaves.
#[derive(Debug, Clone)]
pub(super) struct Lower {
    pub(super) questions: Questions,
    /// The place of the leaf at the end of the leftmost way; those of the others follow.
    pub(super) first: u8,
}

/// A piece that chooses between places of leaves.
#[derive(Debug, Clone)]
pub(super) struct Upper {
    pub(super) questions: Questions,
    pub(super) levels: usize,
    /// Where each way ends: below [`Pieces::constants`] at the leaf of this place, beyond that at the place that a piece
    /// chose before.
    pub(super) ways: [u16; WAYS],
}

/// How many pieces a tree has.
#[derive(Debug, Clone)]
pub(super) struct Counts {
    /// Of three levels, of two, of one.
    pub(super) lower: [usize; LEVELS],
    pub(super) upper: usize,
    /// Where the numbers of its leaves begin.
    pub(super) leaves: usize,
}

/// The pieces of all trees in the order in which they are answered: for each tree the lower ones of three levels, of two and
/// of one, then the upper ones, the root's last.
#[derive(Debug, Clone, Default)]
pub(super) struct Pieces {
    pub(super) trees: Vec<Counts>,
    pub(super) lower: Vec<Lower>,
    pub(super) upper: Vec<Upper>,
    /// The numbers of all leaves, tree by tree and by their places, and so many more that a byte is always a place.
    pub(super) leaves: Vec<f64>,
    /// The most leaves of a tree that hang on upper pieces. Theirs are the first places, so that few constants serve all.
    pub(super) constants: usize,
    /// The most pieces of a tree.
    pub(super) most: usize,
}

impl Pieces {
    /// Cuts trees of one output; none if one of them has too many leaves.
    pub(super) fn new<'a>(trees: impl Iterator<Item = &'a Tree>, index: &Index<'_>) -> Option<Self> {
        let mut pieces = Self::default();
        for tree in trees {
            // A tree of so many nodes has more leaves.
            if tree.nodes.len() >= 2 * LEAVES {
                return None;
            }
            pieces.add(Cut::new(tree, index))?;
        }
        pieces.leaves.extend([0.0; LEAVES]);
        for way in pieces.upper.iter_mut().flat_map(|upper| &mut upper.ways) {
            // Until here as if there were a constant for each place.
            *way = way.checked_sub(LEAVES as u16).map_or(*way, |piece| pieces.constants as u16 + piece);
        }
        Some(pieces)
    }

    fn add(&mut self, cut: Cut<'_>) -> Option<()> {
        let shallow = cut.shallow.len();
        if shallow + cut.deep.len() > LEAVES {
            return None;
        }
        let lower = cut.lower.each_ref().map(Vec::len);
        let number = |end: &End| match *end {
            End::Leaf(place) => place,
            End::Lower { kind, index } => LEAVES + lower[..kind].iter().sum::<usize>() + index,
            End::Upper(index) => LEAVES + lower.iter().sum::<usize>() + index,
        };
        let upper = cut.upper.iter().map(|(questions, levels, ends)| Upper {
            questions: *questions,
            levels: *levels,
            ways: ends.each_ref().map(|end| number(end) as u16),
        });
        self.upper.extend(upper);
        self.lower.extend(cut.lower.into_iter().flatten().map(|(questions, first)| {
            let first = (shallow + first) as u8;
            Lower { questions, first }
        }));
        self.constants = self.constants.max(shallow);
        self.most = self.most.max(lower.iter().sum::<usize>() + cut.upper.len());
        self.trees.push(Counts { lower, upper: cut.upper.len(), leaves: self.leaves.len() });
        self.leaves.extend(cut.shallow.into_iter().chain(cut.deep));
        Some(())
    }
}

/// Where a way through an upper piece ends.
#[derive(Clone, Copy)]
enum End {
    /// At the leaf of this place.
    Leaf(usize),
    /// At a lower piece, by its kind in [`Cut::lower`].
    Lower { kind: usize, index: usize },
    /// At an upper piece.
    Upper(usize),
}

/// A tree in pieces.
struct Cut<'a> {
    tree: &'a Tree,
    index: &'a Index<'a>,
    /// For each node how many levels are below it.
    heights: Vec<usize>,
    /// Those of three levels, of two, of one, each with the place of its first leaf in `deep`.
    lower: [Vec<(Questions, usize)>; LEVELS],
    upper: Vec<(Questions, usize, [End; WAYS])>,
    /// The numbers of the leaves on upper pieces.
    shallow: Vec<f64>,
    /// The numbers of all other leaves.
    deep: Vec<f64>,
}

impl<'a> Cut<'a> {
    fn new(tree: &'a Tree, index: &'a Index<'a>) -> Self {
        let mut heights = vec![0; tree.nodes.len()];
        for (at, node) in tree.nodes.iter().enumerate().rev() {
            if let Node::Split { left, right, .. } = node {
                heights[at] = heights[*left as usize].max(heights[*right as usize]) + 1;
            }
        }
        let (lower, upper) = (Default::default(), Vec::new());
        let mut cut = Self { tree, index, heights, lower, upper, shallow: Vec::new(), deep: Vec::new() };
        cut.piece(0);
        cut
    }

    /// Makes the piece whose root is this node, and before it all pieces below.
    fn piece(&mut self, root: u32) -> End {
        // A tree that is one leaf is a piece of one level that always goes left.
        let height = self.heights[root as usize].max(1);
        // Questions that no row answers with yes stand where the tree has none.
        let mut questions = [Question { line: 0, key: NEVER }; WAYS - 1];
        if height <= LEVELS {
            let first = self.deep.len();
            let mut numbers = [0.0; WAYS];
            self.descend(root, height, &mut questions, &mut |cut, node, way| numbers[way] = cut.leaf(node));
            self.deep.extend(&numbers[..1 << height]);
            let kind = LEVELS - height;
            self.lower[kind].push((questions, first));
            return End::Lower { kind, index: self.lower[kind].len() - 1 };
        }
        let levels = LEVELS.min(height - LEVELS);
        let mut ends = [End::Leaf(0); WAYS];
        self.descend(root, levels, &mut questions, &mut |cut, node, way| {
            ends[way] = if cut.heights[node as usize] > 0 {
                cut.piece(node)
            } else {
                cut.shallow.push(cut.leaf(node));
                End::Leaf(cut.shallow.len() - 1)
            };
        });
        self.upper.push((questions, levels, ends));
        End::Upper(self.upper.len() - 1)
    }

    /// Notes the questions of so many levels and calls `end` for each node below them, or each leaf before, with the number
    /// of the way to it.
    fn descend(
        &mut self,
        root: u32,
        levels: usize,
        questions: &mut Questions,
        end: &mut impl FnMut(&mut Self, u32, usize),
    ) {
        let mut waiting = vec![(root, 0, 0)];
        while let Some((node, level, way)) = waiting.pop() {
            match &self.tree.nodes[node as usize] {
                Node::Split { column, test, missing_left, left, right } if level < levels => {
                    questions[(1 << level) - 1 + way] = self.index.question(*column, test, *missing_left);
                    waiting.extend([(*right, level + 1, 2 * way + 1), (*left, level + 1, 2 * way)]);
                }
                // From a leaf on all ways go left.
                _ => end(self, node, way << (levels - level)),
            }
        }
    }

    fn leaf(&self, node: u32) -> f64 {
        match &self.tree.nodes[node as usize] {
            Node::Leaf { value } => self.tree.values[*value as usize],
            Node::Split { .. } => unreachable!("the end of a way through a lower piece"),
        }
    }
}
