//! The structure of a fitted tree.

use serde::{Deserialize, Serialize};

/// Which values of a column go left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Test {
    /// Numbers up to this one. Trees look at numbers as `f32`, in learning as in serving.
    AtMost(f32),
    /// The categories whose bit is set: bit `code % 32` of word `code / 32`. Codes beyond the words go right.
    In(Box<[u32]>),
}

/// A place in a tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Node {
    /// A question about a column; the answer is the child to go to.
    Split {
        /// The column.
        column: u32,
        /// What goes left.
        test: Test,
        /// Whether a missing value (NaN) goes left.
        missing_left: bool,
        /// The left child; larger than this node's own place.
        left: u32,
        /// The right child; larger than this node's own place.
        right: u32,
    },
    /// The end of a path.
    Leaf {
        /// Where its `outputs` numbers begin in [`Tree::values`].
        value: u32,
    },
}

/// A fitted tree: node 0 is the root, children stand behind their parents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tree {
    /// How many numbers a leaf has.
    pub outputs: u32,
    /// All nodes.
    pub nodes: Vec<Node>,
    /// The numbers of the leaves.
    pub values: Vec<f64>,
    /// The weight of the training rows that came through each node; what SHAP values are weighted by.
    pub cover: Vec<f64>,
}

impl Node {
    /// The child that a row goes to; none at a leaf.
    pub fn next(&self, row: &[f64]) -> Option<u32> {
        let Self::Split { column, test, missing_left, left, right } = self else { return None };
        let value = row[*column as usize];
        let goes_left = if value.is_nan() { *missing_left } else { test.holds(value) };
        Some(if goes_left { *left } else { *right })
    }
}

impl Test {
    /// Whether a value that is there goes left.
    pub fn holds(&self, value: f64) -> bool {
        match self {
            Self::AtMost(threshold) => value as f32 <= *threshold,
            Self::In(words) => {
                // A negative code saturates to 0 and a fraction is cut off; codes are whole numbers from 0 by contract.
                let code = value as u32;
                words.get((code / 32) as usize).is_some_and(|word| word >> (code % 32) & 1 == 1)
            }
        }
    }
}

impl Tree {
    /// The place of the leaf that a row ends at.
    pub fn leaf(&self, row: &[f64]) -> usize {
        let mut at = 0;
        while let Some(next) = self.nodes[at].next(row) {
            at = next as usize;
        }
        at
    }

    /// The numbers of the leaf that a row ends at.
    pub fn answer(&self, row: &[f64]) -> &[f64] {
        match &self.nodes[self.leaf(row)] {
            Node::Leaf { value } => &self.values[*value as usize..][..self.outputs as usize],
            Node::Split { .. } => unreachable!("a path ends at a leaf"),
        }
    }
}

/// Gives every split the cover of its children, where leaves have theirs already.
pub(super) fn sum_cover(nodes: &[Node], cover: &mut [f64]) {
    for (place, node) in nodes.iter().enumerate().rev() {
        if let Node::Split { left, right, .. } = node {
            cover[place] = cover[*left as usize] + cover[*right as usize];
        }
    }
}
