//! How trees look at columns: what a node's question compares, as a whole number for each value of a column.

use std::collections::BTreeMap;
use std::hint::select_unpredictable;

use super::{Node, Test, Tree};

/// Less than any number or equal to it, so that the answer is yes.
pub(super) const NOTHING: u32 = 0;

/// A way in which some node looks at some column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct View {
    pub(super) look: Look,
    pub(super) column: u32,
}

/// What a view shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// The number; a missing one is more than any threshold.
    MissingRight,
    /// The number; a missing one is less than any threshold.
    MissingLeft,
    /// The bit in a set of categories; `others` is that of the codes beyond.
    Category { others: u32 },
}

impl Look {
    /// What it shows of a value.
    #[inline]
    pub(super) fn at(self, value: f64) -> u32 {
        match self {
            Self::MissingLeft => select_unpredictable(value.is_nan(), NOTHING, ordered(value as f32)),
            Self::MissingRight => select_unpredictable(value.is_nan(), u32::MAX, ordered(value as f32)),
            Self::Category { .. } if value.is_nan() => 0,
            Self::Category { others } => (value as u32).saturating_add(1).min(others),
        }
    }

    /// The order of views.
    pub(super) fn rank(self) -> u8 {
        match self {
            Self::MissingRight => 0,
            Self::MissingLeft => 1,
            Self::Category { others } if others < 32 => 2,
            Self::Category { .. } => 3,
        }
    }
}

/// Maps numbers to whole numbers in the same order; the least and the greatest stay free. Zeros of both signs are one.
#[inline]
pub(super) fn ordered(number: f32) -> u32 {
    let bits = (number + 0.0).to_bits();
    if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
}

/// The rank of the view that a split takes; 2 for all categories.
pub(super) fn rank(test: &Test, missing_left: bool) -> u8 {
    match test {
        Test::AtMost(_) => u8::from(missing_left),
        Test::In(_) => 2,
    }
}

/// The categories of a set.
pub(super) fn codes(words: &[u32]) -> impl DoubleEndedIterator<Item = usize> {
    (0..words.len() * 32).filter(|code| words[code / 32] >> (code % 32) & 1 == 1)
}

/// All ways in which trees look at columns, by rank and column.
pub(super) fn views(trees: &[Tree]) -> Vec<View> {
    let mut counts = BTreeMap::new();
    for node in trees.iter().flat_map(|tree| &tree.nodes) {
        let Node::Split { column, test, missing_left, .. } = node else { continue };
        let count: &mut usize = counts.entry((rank(test, *missing_left), *column)).or_default();
        if let Test::In(words) = test {
            *count = codes(words).next_back().map_or(0, |code| code + 1).max(*count);
        }
    }
    let view = |((rank, column), count)| {
        let look = match rank {
            0 => Look::MissingRight,
            1 => Look::MissingLeft,
            _ => Look::Category { others: count as u32 + 1 },
        };
        View { look, column }
    };
    let mut views: Vec<View> = counts.into_iter().map(view).collect();
    views.sort_by_key(|view| (view.look.rank(), view.column));
    views
}
