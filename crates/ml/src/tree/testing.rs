//! Random trees and rows for property tests: all kinds of tests, missing values, equal columns on one path.

use proptest::prelude::*;

use super::{Node, Test, Tree};

/// How many columns the rows have: 0 to 2 are numbers, 3 and 4 categories.
pub(crate) const COLUMNS: usize = 5;

/// A row: few different values, so that they meet thresholds.
pub(crate) fn row() -> impl Strategy<Value = Vec<f64>> {
    let number = prop_oneof![
        6 => (-3_i32..=3).prop_map(|half| f64::from(half) / 2.0),
        1 => Just(f64::NAN),
        1 => prop_oneof![Just(f64::INFINITY), Just(f64::NEG_INFINITY), Just(-0.0), Just(1.0 + 1e-12)],
    ];
    let category = prop_oneof![6 => (0_u32..70).prop_map(f64::from), 1 => Just(f64::NAN), 1 => Just(1e12)];
    (prop::collection::vec(number, 3), prop::collection::vec(category, 2))
        .prop_map(|(numbers, codes)| [numbers, codes].concat())
}

/// A tree with up to `splits` splits and `outputs` numbers in a leaf. Covers are those of random weights of the leaves,
/// some of them 0.
pub(crate) fn tree(outputs: u32, splits: usize) -> impl Strategy<Value = Tree> {
    let column_and_test = prop_oneof![
        (0_u32..3, prop_oneof![9 => (-3_i32..=3).prop_map(|half| half as f32 / 2.0), 1 => Just(f32::INFINITY)])
            .prop_map(|(column, threshold)| (column, Test::AtMost(threshold))),
        prop::collection::vec(any::<u32>(), 0..3).prop_map(|words| (3, Test::In(words.into()))),
        // Few enough for the nodes of flat trees.
        (0_u32..1 << 30).prop_map(|word| (4, Test::In(Box::new([word])))),
    ];
    let split = (column_and_test, any::<bool>(), any::<prop::sample::Index>());
    (
        prop::collection::vec(split, 0..=splits),
        prop::collection::vec((-4_i32..=4, 0_u32..4), (splits + 1) * outputs as usize),
    )
        .prop_map(move |(splits, leaves)| {
            let mut nodes = vec![Node::Leaf { value: 0 }];
            for ((column, test), missing_left, which) in splits {
                let open: Vec<usize> = (0..nodes.len()).filter(|at| matches!(nodes[*at], Node::Leaf { .. })).collect();
                let (left, right) = (nodes.len() as u32, nodes.len() as u32 + 1);
                nodes[open[which.index(open.len())]] = Node::Split { column, test, missing_left, left, right };
                nodes.extend([Node::Leaf { value: 0 }, Node::Leaf { value: 0 }]);
            }
            let mut values = Vec::new();
            let mut cover = vec![0.0; nodes.len()];
            let mut leaves = leaves.chunks(outputs as usize);
            for at in (0..nodes.len()).rev() {
                match &mut nodes[at] {
                    Node::Leaf { value } => {
                        let numbers = leaves.next().expect("a leaf more than splits");
                        *value = values.len() as u32;
                        values.extend(numbers.iter().map(|(value, _)| f64::from(*value) * 0.3));
                        cover[at] = f64::from(numbers[0].1);
                    }
                    Node::Split { left, right, .. } => cover[at] = cover[*left as usize] + cover[*right as usize],
                }
            }
            Tree { outputs, nodes, values, cover }
        })
}
