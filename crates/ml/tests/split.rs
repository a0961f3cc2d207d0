//! What splits promise: no row on both sides, no customer on both sides, no future in the training rows.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rapport_ml::split::{Split, SplitBy, cross_validation, hold_out};

fn apart(split: &Split) {
    let train: BTreeSet<_> = split.train.iter().collect();
    assert!(split.test.iter().all(|place| !train.contains(place)));
    assert!(split.train.is_sorted() && split.test.is_sorted());
}

#[test]
fn a_plain_split_takes_its_share_and_follows_the_seed() {
    let split = hold_out(100, SplitBy::Plain, 0.25, 1).unwrap();
    apart(&split);
    assert_eq!((split.train.len(), split.test.len()), (75, 25));
    assert_eq!(split, hold_out(100, SplitBy::Plain, 0.25, 1).unwrap());
    assert_ne!(split, hold_out(100, SplitBy::Plain, 0.25, 2).unwrap());
}

#[test]
fn a_stratified_split_keeps_the_shares_of_classes() {
    let classes: Vec<f64> = (0..200).map(|row| f64::from(u8::from(row % 20 == 0))).collect();
    let split = hold_out(200, SplitBy::Stratified(&classes), 0.2, 3).unwrap();
    apart(&split);
    assert_eq!(split.test.iter().filter(|place| classes[**place] == 1.0).count(), 2);
    assert_eq!(split.test.len(), 40);
}

#[test]
fn a_gap_keeps_labels_from_looking_into_the_test() {
    let at: Vec<i64> = (0..100).rev().collect();
    let split = hold_out(100, SplitBy::Time { at: &at, gap: 7 }, 0.2, 0).unwrap();
    apart(&split);
    let first = split.test.iter().map(|place| at[*place]).min().unwrap();
    assert_eq!((first, split.test.len()), (80, 20));
    assert_eq!(split.train.iter().map(|place| at[*place]).max(), Some(72), "72 + 7 is still before 80");
    // Rows of one moment are never divided.
    let at = [1, 1, 2, 2, 2, 2, 3];
    let split = hold_out(7, SplitBy::Time { at: &at, gap: 0 }, 0.3, 0).unwrap();
    assert_eq!((split.train, split.test), (vec![0, 1], vec![2, 3, 4, 5, 6]));
}

#[test]
fn forward_chaining_learns_only_from_before() {
    let at: Vec<i64> = (0..60).map(|row| (row * 37) % 60).collect();
    let folds = cross_validation(60, SplitBy::Time { at: &at, gap: 2 }, 5, 0).unwrap();
    assert_eq!(folds.len(), 5);
    for (fold, split) in folds.iter().enumerate() {
        apart(split);
        assert_eq!(split.test.len(), 6);
        let first = split.test.iter().map(|place| at[*place]).min().unwrap();
        assert_eq!(first, 30 + 6 * fold as i64, "the newer half is tested on");
        assert!(split.train.iter().all(|place| at[*place] + 2 < first));
        assert_eq!(split.train.len() as i64, first - 2);
    }
}

#[test]
fn blocks_within_one_moment_are_one_fold() {
    // Snapshots of eight months.
    let at: Vec<i64> = (0..800).map(|row| row / 100).collect();
    let folds = cross_validation(800, SplitBy::Time { at: &at, gap: 0 }, 5, 0).unwrap();
    let months = |places: &[usize]| places.iter().map(|place| at[*place]).collect::<BTreeSet<_>>();
    let tested: Vec<BTreeSet<i64>> = folds.iter().map(|split| months(&split.test)).collect();
    assert_eq!(tested, [4, 5, 6, 7].map(|month| BTreeSet::from([month])));
}

#[test]
fn too_little_is_told_with_what_to_do() {
    let told = |result: Result<Vec<Split>, _>| match result {
        Ok(folds) => panic!("{folds:?}"),
        Err(rapport_ml::MlError::Shape(told)) => told,
        Err(other) => panic!("{other}"),
    };
    assert!(told(cross_validation(3, SplitBy::Plain, 5, 0)).contains("take fewer folds or more rows"));
    assert!(told(cross_validation(4, SplitBy::Groups(&[1, 1, 2, 2]), 3, 0)).contains("more customers"));
    let classes = [0.0, 0.0, 0.0, 1.0];
    assert!(told(cross_validation(4, SplitBy::Stratified(&classes), 2, 0)).contains("class 1 has 1 rows"));
    assert!(told(cross_validation(4, SplitBy::Time { at: &[1, 1, 1, 1], gap: 0 }, 2, 0)).contains("longer time"));
    assert!(told(cross_validation(4, SplitBy::Plain, 1, 0)).contains("at least 2"));
    let told = |share, by: SplitBy<'_>| hold_out(4, by, share, 0).unwrap_err().to_string();
    assert!(told(1.5, SplitBy::Plain).contains("between 0 and 1"));
    assert!(told(0.2, SplitBy::Groups(&[1, 1, 1, 1])).contains("more customers"));
    assert!(told(0.2, SplitBy::Groups(&[1])).contains("4 rows, but 1 entries"));
    assert!(told(0.2, SplitBy::Time { at: &[1, 2, 3, 4], gap: -1 }).contains("negative"));
}

proptest! {
    #[test]
    fn folds_are_a_partition(groups in prop::collection::vec(0_u32..12, 12..80), folds in 2_usize..5, seed: u64) {
        let distinct: BTreeSet<u32> = groups.iter().copied().collect();
        prop_assume!(distinct.len() >= folds);
        let n = groups.len();
        let classes: Vec<f64> = (0..n).map(|row| f64::from(u8::from(row % 3 == 0))).collect();
        prop_assume!(n / 3 >= folds);
        for by in [SplitBy::Plain, SplitBy::Stratified(&classes), SplitBy::Groups(&groups)] {
            let mut tested = vec![0; n];
            let splits = cross_validation(n, by, folds, seed).unwrap();
            for split in &splits {
                apart(split);
                prop_assert_eq!(split.train.len() + split.test.len(), n);
                split.test.iter().for_each(|place| tested[*place] += 1);
                if let SplitBy::Groups(groups) = by {
                    let train: BTreeSet<u32> = split.train.iter().map(|place| groups[*place]).collect();
                    prop_assert!(split.test.iter().all(|place| !train.contains(&groups[*place])));
                } else {
                    prop_assert!(split.test.len() - n / folds <= 1);
                }
                if let SplitBy::Stratified(classes) = by {
                    let positives = split.test.iter().filter(|place| classes[**place] == 1.0).count();
                    prop_assert!(positives - n.div_ceil(3) / folds <= 1);
                }
            }
            prop_assert!(tested.iter().all(|times| *times == 1));
        }
    }

    #[test]
    fn a_customer_is_on_one_side(groups in prop::collection::vec(0_u32..30, 40..120), seed: u64) {
        let split = hold_out(groups.len(), SplitBy::Groups(&groups), 0.3, seed).unwrap();
        apart(&split);
        let train: BTreeSet<u32> = split.train.iter().map(|place| groups[*place]).collect();
        prop_assert!(split.test.iter().all(|place| !train.contains(&groups[*place])));
        prop_assert_eq!(split.train.len() + split.test.len(), groups.len());
    }
}
