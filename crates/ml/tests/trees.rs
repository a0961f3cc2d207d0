//! Single trees and forests: small cases with known answers, comparison with trying everything, properties.

use proptest::prelude::prop;
use rapport_ml::tree::{ColumnsPerSplit, DecisionTree, Forest, ForestOptions, Impurity, Node, Test, TreeOptions};
use rapport_ml::{Context, Examples, Kind, Matrix, MlError, Predict, Random, Task};

mod threads;
use threads::{Threads, patient};

const NUMBER: Kind = Kind::Number;

fn matrix(columns: usize, values: &[f64]) -> Matrix {
    Matrix::from_values(columns, values.to_vec()).expect("a matrix")
}

fn tree(examples: &Examples<'_>, options: &TreeOptions) -> DecisionTree {
    DecisionTree::fit(examples, options, &Context::serial()).expect("fits")
}

fn answer(model: &impl Predict, row: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; model.outputs()];
    model.predict(row, &mut out);
    out
}

#[test]
fn the_obvious_split_is_found() {
    let rows = matrix(2, &[5.0, 1.0, 6.0, 2.0, 5.0, 3.0, 6.0, 4.0]);
    let found = tree(&Examples::new(&rows, &[NUMBER; 2], Task::Binary, &[0.0, 0.0, 1.0, 1.0]), &TreeOptions::default());
    let root = Node::Split { column: 1, test: Test::AtMost(2.5), missing_left: true, left: 1, right: 2 };
    assert_eq!(found.tree.nodes, [root, Node::Leaf { value: 0 }, Node::Leaf { value: 1 }]);
    assert_eq!(found.tree.values, [0.0, 1.0]);
    assert_eq!(found.tree.cover, [4.0, 2.0, 2.0]);
    // Four rows with a Gini impurity of a half.
    assert_eq!(found.gain, [0.0, 2.0]);
}

/// How mixed some rows are, times their weight, by the book.
fn mixed(targets: &[f64], classes: u32, entropy: bool) -> f64 {
    let n = targets.len() as f64;
    if classes == 0 {
        let mean = targets.iter().sum::<f64>() / n;
        return targets.iter().map(|t| (t - mean).powi(2)).sum();
    }
    (0..classes)
        .map(|class| targets.iter().filter(|t| **t == f64::from(class)).count() as f64 / n)
        .map(|p| n * if entropy { if p > 0.0 { -p * p.ln() } else { 0.0 } } else { p * (1.0 - p) })
        .sum()
}

proptest::proptest! {
    #[test]
    fn no_split_is_better_than_the_one_found(
        cells in prop::collection::vec(0..8_u8, 3 * 30),
        answers in prop::collection::vec(0..3_u8, 30),
        kind in 0..3_u32,
        entropy in prop::bool::ANY,
    ) {
        let values: Vec<f64> = cells.iter().map(|cell| f64::from(*cell)).collect();
        let rows = matrix(3, &values);
        let (task, classes) = [(Task::Regression, 0), (Task::Binary, 2), (Task::Multiclass { classes: 3 }, 3)][kind as usize];
        let target: Vec<f64> = answers.iter().map(|a| f64::from(if classes == 2 { *a % 2 } else { *a })).collect();
        let impurity = if entropy { Impurity::Entropy } else { Impurity::Gini };
        let options = TreeOptions { max_depth: 1, impurity, ..TreeOptions::default() };
        let found = tree(&Examples::new(&rows, &[NUMBER; 3], task, &target), &options);
        let after = |goes_left: &dyn Fn(usize) -> bool| {
            let (left, right): (Vec<usize>, Vec<usize>) = (0..30).partition(|row| goes_left(*row));
            let of = |rows: &[usize]| mixed(&rows.iter().map(|row| target[*row]).collect::<Vec<_>>(), classes, entropy);
            if left.is_empty() || right.is_empty() { of(&[left, right].concat()) } else { of(&left) + of(&right) }
        };
        let thresholds = (0..3).flat_map(|column| (0..8).map(move |end| (column, f64::from(end))));
        let least = thresholds
            .map(|(column, end)| after(&|row| rows.row(row)[column] <= end))
            .fold(f64::INFINITY, f64::min);
        let ours = after(&|row| found.tree.nodes[0].next(rows.row(row)).unwrap_or(1) == 1);
        assert!(ours <= least + 1e-6, "{ours} where {least} was possible");
        let gain = mixed(&target, classes, entropy) - ours;
        assert!((found.gain.iter().sum::<f64>() - gain).abs() < 1e-5, "{:?} is not {gain}", found.gain);
    }

    #[test]
    fn a_weight_is_a_repeated_row(
        cells in prop::collection::vec(0..6_u8, 2 * 20),
        answers in prop::collection::vec(0..4_u8, 20),
        repeats in prop::collection::vec(0..4_u8, 20),
        classes in 2..5_u32,
    ) {
        // Values that no row has weight for would still have a bin, so the first row of each is kept.
        let repeats: Vec<u8> = repeats.iter().map(|count| (*count).max(1)).collect();
        let values: Vec<f64> = cells.iter().map(|cell| f64::from(*cell)).collect();
        let task = if classes == 2 { Task::Binary } else { Task::Multiclass { classes } };
        let target: Vec<f64> = answers.iter().map(|a| f64::from(u32::from(*a) % classes)).collect();
        let weights: Vec<f64> = repeats.iter().map(|count| f64::from(*count)).collect();
        let rows = matrix(2, &values);
        let weighted = Examples { weights: Some(&weights), ..Examples::new(&rows, &[NUMBER; 2], task, &target) };
        let places: Vec<usize> = (0..20).flat_map(|row| std::iter::repeat_n(row, repeats[row].into())).collect();
        let (many, answers) = (rows.select(&places), places.iter().map(|row| target[*row]).collect::<Vec<_>>());
        let options = TreeOptions { min_leaf: 3.0, ..TreeOptions::default() };
        let one = tree(&weighted, &options);
        let other = tree(&Examples::new(&many, &[NUMBER; 2], task, &answers), &options);
        assert_eq!(one.tree.cover, other.tree.cover);
        for row in 0..20 {
            for (a, b) in answer(&one, rows.row(row)).iter().zip(answer(&other, rows.row(row))) {
                assert!((a - b).abs() < 1e-12, "{a} {b}");
            }
        }
    }
}

#[test]
fn a_row_without_weight_is_not_there() {
    let rows = matrix(1, &[1.0, 2.0, 3.0, 4.0]);
    let examples = Examples::new(&rows, &[NUMBER], Task::Binary, &[0.0, 1.0, 1.0, 0.0]);
    let found = tree(&Examples { weights: Some(&[1.0, 1.0, 1.0, 0.0]), ..examples }, &TreeOptions::default());
    assert_eq!(answer(&found, &[9.0]), [1.0]);
    assert_eq!(found.tree.cover[0], 3.0);
}

#[test]
fn missing_values_go_where_they_belong() {
    let nan = f64::NAN;
    let rows = matrix(1, &[1.0, 2.0, 3.0, nan, nan]);
    let fit =
        |target: &[f64]| tree(&Examples::new(&rows, &[NUMBER], Task::Regression, target), &TreeOptions::default());
    let with_small = fit(&[1.0, 5.0, 5.0, 1.0, 1.0]);
    assert_eq!(
        [answer(&with_small, &[nan]), answer(&with_small, &[1.2]), answer(&with_small, &[3.0])],
        [[1.0], [1.0], [5.0]]
    );
    let with_large = fit(&[5.0, 5.0, 1.0, 1.0, 1.0]);
    assert_eq!(
        [answer(&with_large, &[nan]), answer(&with_large, &[2.0]), answer(&with_large, &[3.0])],
        [[1.0], [5.0], [1.0]]
    );
    let alone = fit(&[1.0, 1.0, 1.0, 7.0, 7.0]);
    assert_eq!([answer(&alone, &[nan]), answer(&alone, &[1e9]), answer(&alone, &[-1e9])], [[7.0], [1.0], [1.0]]);
    let all_there = matrix(1, &[1.0, 2.0, 3.0]);
    let unseen =
        tree(&Examples::new(&all_there, &[NUMBER], Task::Regression, &[0.0, 4.0, 4.0]), &TreeOptions::default());
    assert_eq!(answer(&unseen, &[nan]), [4.0], "the larger child");
}

#[test]
fn categories_need_one_question() {
    let codes: Vec<f64> = (0..60).map(|row| f64::from(row % 6)).collect();
    let rows = matrix(1, &codes);
    let odd = |code: f64| f64::from(u8::from(code == 1.0 || code == 3.0 || code == 4.0));
    let kinds = [Kind::Category { count: 50 }];
    let one = TreeOptions { max_depth: 1, ..TreeOptions::default() };
    let target: Vec<f64> = codes.iter().map(|code| odd(*code)).collect();
    for task in [Task::Binary, Task::Regression, Task::Multiclass { classes: 3 }] {
        let found = tree(&Examples::new(&rows, &kinds, task, &target), &one);
        assert_eq!(found.tree.nodes.len(), 3);
        for code in 0..6 {
            let answer = answer(&found, &[f64::from(code)]);
            assert_eq!(if answer.len() == 3 { answer[1] } else { answer[0] }, odd(f64::from(code)), "{task:?} {code}");
        }
        let right = found.tree.nodes[0].next(&[40.0]);
        assert_eq!(right, Some(2), "a category that was never seen goes right");
    }
}

/// 20 columns of which few matter, one a category, some values missing.
fn drawn(rows: usize, task: Task) -> (Matrix, Vec<Kind>, Vec<f64>) {
    let mut random = Random::new(3, 0);
    let (mut matrix, mut target) = (Matrix::new(20), Vec::new());
    for _ in 0..rows {
        let mut row: Vec<f64> = (0..20).map(|_| random.uniform()).collect();
        row[2] = random.below(12) as f64;
        let score =
            row[0] + (row[1] * 6.0).sin() + f64::from(u8::from(row[2] as u32 % 3 == 1)) + random.uniform() * 0.5;
        if random.uniform() < 0.1 {
            row[0] = f64::NAN;
        }
        matrix.push(&row).expect("20 numbers");
        target.push(match task {
            Task::Binary => f64::from(u8::from(score > 1.2)),
            Task::Multiclass { classes } => score.clamp(0.0, f64::from(classes - 1)).round(),
            _ => score,
        });
    }
    let mut kinds = vec![NUMBER; 20];
    kinds[2] = Kind::Category { count: 12 };
    (matrix, kinds, target)
}

const TASKS: [Task; 3] = [Task::Binary, Task::Regression, Task::Multiclass { classes: 3 }];

#[test]
fn out_of_bag_tells_what_new_rows_will() {
    for task in TASKS {
        let (rows, kinds, target) = drawn(1500, task);
        let (old, new): (Vec<usize>, Vec<usize>) = (0..1500).partition(|row| *row < 1000);
        let pick = |places: &[usize]| places.iter().map(|row| target[*row]).collect::<Vec<_>>();
        let (learn, fresh) = (rows.select(&old), rows.select(&new));
        let (known, truth) = (pick(&old), pick(&new));
        let options = ForestOptions { trees: 40, out_of_bag: true, ..ForestOptions::default() };
        let examples = Examples::new(&learn, &kinds, task, &known);
        let forest = Forest::fit(&examples, &options, &Context::serial()).expect("fits");
        let mut answers = vec![0.0; 500 * forest.outputs()];
        forest.predict_rows(&fresh, &mut answers);
        let score = if task == Task::Regression {
            let mean = truth.iter().sum::<f64>() / 500.0;
            let error: f64 = truth.iter().zip(&answers).map(|(t, a)| (t - a).powi(2)).sum();
            1.0 - error / truth.iter().map(|t| (t - mean).powi(2)).sum::<f64>()
        } else {
            let right = truth.iter().zip(answers.chunks_exact(forest.outputs())).filter(|(t, a)| match a {
                [p] => (*p > 0.5) == (**t == 1.0),
                _ => a.iter().all(|p| *p <= a[**t as usize]),
            });
            right.count() as f64 / 500.0
        };
        let out_of_bag = forest.out_of_bag.expect("asked for");
        assert!(score > 0.75 && (out_of_bag - score).abs() < 0.05, "{task:?}: {out_of_bag} told, {score} found");
        let used: f64 = forest.gain[..3].iter().sum::<f64>() / forest.gain.iter().sum::<f64>();
        assert!(used > 0.5, "three of twenty columns matter: {used}");
        if task != Task::Regression {
            let sums = answers.chunks_exact(forest.outputs()).map(|a| a.iter().sum::<f64>());
            assert!(sums.clone().all(|sum| if forest.outputs() == 3 { (sum - 1.0).abs() < 1e-9 } else { sum <= 1.0 }));
        }
    }
}

#[test]
fn a_forest_does_not_depend_on_threads_but_on_its_seed() {
    for task in TASKS {
        let (rows, kinds, target) = drawn(600, task);
        let examples = Examples::new(&rows, &kinds, task, &target);
        let fit = |seed, context: &Context<'_>| {
            let options = ForestOptions { trees: 12, out_of_bag: true, seed, ..ForestOptions::default() };
            Forest::fit(&examples, &options, context).expect("fits")
        };
        let one = fit(1, &Context::serial());
        assert_eq!(one, fit(1, &patient(&Threads(4))));
        assert_ne!(one.trees, fit(2, &Context::serial()).trees);
    }
}

#[test]
fn limits_hold() {
    let (rows, kinds, target) = drawn(1000, Task::Binary);
    let examples = Examples::new(&rows, &kinds, Task::Binary, &target);
    let options = TreeOptions { max_depth: 3, min_leaf: 50.0, ..TreeOptions::default() };
    let found = tree(&examples, &options).tree;
    let leaves = found.nodes.iter().zip(&found.cover).filter(|(node, _)| matches!(node, Node::Leaf { .. }));
    assert!(leaves.clone().count() <= 8 && leaves.clone().all(|(_, cover)| *cover >= 50.0));
    let strict = TreeOptions { min_gain: 0.05, ..TreeOptions::default() };
    let loose = TreeOptions { min_gain: 0.001, ..TreeOptions::default() };
    assert!(tree(&examples, &strict).tree.nodes.len() < tree(&examples, &loose).tree.nodes.len());
    let whole =
        ForestOptions { bootstrap: false, columns: ColumnsPerSplit::Share(1.0), trees: 2, ..ForestOptions::default() };
    let forest = Forest::fit(&examples, &whole, &Context::serial()).expect("fits");
    assert_eq!(forest.trees[0], forest.trees[1], "nothing is left to chance");
}

#[test]
fn mistakes_are_told() {
    let rows = matrix(1, &[1.0, 2.0]);
    let examples = Examples::new(&rows, &[NUMBER], Task::Binary, &[0.0, 1.0]);
    let fit = |options| DecisionTree::fit(&examples, &options, &Context::serial());
    assert!(matches!(fit(TreeOptions { min_leaf: 0.0, ..TreeOptions::default() }), Err(MlError::Options(_))));
    assert!(matches!(fit(TreeOptions { min_gain: f64::NAN, ..TreeOptions::default() }), Err(MlError::Options(_))));
    assert!(matches!(fit(TreeOptions { max_bins: 256, ..TreeOptions::default() }), Err(MlError::Options(_))));
    let forest = |options| Forest::fit(&examples, &options, &Context::serial());
    assert!(matches!(forest(ForestOptions { trees: 0, ..ForestOptions::default() }), Err(MlError::Options(_))));
    let unseen = ForestOptions { bootstrap: false, out_of_bag: true, ..ForestOptions::default() };
    assert!(matches!(forest(unseen), Err(MlError::Options(_))));
    let ranking = Examples { task: Task::Ranking, groups: Some(&[0, 0]), ..examples };
    let refused = DecisionTree::fit(&ranking, &TreeOptions::default(), &Context::serial());
    assert!(matches!(refused, Err(MlError::Options(_))));
    let weightless = Examples { weights: Some(&[0.0, 0.0]), ..examples };
    let refused = DecisionTree::fit(&weightless, &TreeOptions::default(), &Context::serial());
    assert!(matches!(refused, Err(MlError::Shape(_))));
    let stopped = Context { stopped: &|| true, ..Context::serial() };
    assert_eq!(Forest::fit(&examples, &ForestOptions::default(), &stopped), Err(MlError::Stopped));
}

#[test]
fn models_survive_json() {
    let (rows, kinds, target) = drawn(300, Task::Multiclass { classes: 3 });
    let examples = Examples::new(&rows, &kinds, Task::Multiclass { classes: 3 }, &target);
    let options = ForestOptions { trees: 3, ..ForestOptions::default() };
    let forest = Forest::fit(&examples, &options, &Context::serial()).expect("fits");
    let text = serde_json::to_string(&forest).expect("writes");
    let read: Forest = serde_json::from_str(&text).expect("reads");
    assert_eq!((&read.task, read.trees.len()), (&forest.task, 3));
    for (read, tree) in read.trees.iter().zip(&forest.trees) {
        assert_eq!((&read.nodes, &read.cover), (&tree.nodes, &tree.cover));
        // The reader of JSON in use may be off by the last bit.
        assert!(read.values.iter().zip(&tree.values).all(|(a, b)| (a - b).abs() < 1e-15));
    }
    let partial: ForestOptions = serde_json::from_str(r#"{"trees": 3, "columns": {"share": 0.5}}"#).expect("reads");
    assert_eq!(partial, ForestOptions { trees: 3, columns: ColumnsPerSplit::Share(0.5), ..ForestOptions::default() });
}
