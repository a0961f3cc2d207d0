//! Gradient boosting: every task, what constraints and validation promise, and that threads change nothing.

use rapport_ml::tree::{Boosting, BoostingOptions, Direction, Loss, Node};
use rapport_ml::{Context, Examples, Kind, Matrix, MlError, Predict, Random, Task};

mod threads;
use threads::{Threads, patient};

const NUMBER: Kind = Kind::Number;

fn fit(examples: &Examples<'_>, options: &BoostingOptions) -> Boosting {
    Boosting::fit(examples, None, options, &Context::serial()).expect("fits")
}

fn answers(model: &Boosting, rows: &Matrix) -> Vec<f64> {
    let mut out = vec![0.0; rows.rows() * model.outputs()];
    model.predict_rows(rows, &mut out);
    out
}

/// Rows of uniform numbers, and a target made of each with a random number.
fn drawn(seed: u64, rows: usize, columns: usize, target: impl Fn(&[f64], &mut Random) -> f64) -> (Matrix, Vec<f64>) {
    let mut random = Random::new(seed, 0);
    let (mut matrix, mut targets) = (Matrix::new(columns), Vec::new());
    for _ in 0..rows {
        let row: Vec<f64> = (0..columns).map(|_| random.uniform()).collect();
        targets.push(target(&row, &mut random));
        matrix.push(&row).expect("the columns");
    }
    (matrix, targets)
}

fn options(rounds: u32) -> BoostingOptions {
    BoostingOptions { rounds, ..BoostingOptions::default() }
}

#[test]
fn the_first_tree_is_the_one_by_hand() {
    let rows = Matrix::from_values(1, vec![1.0, 2.0, 3.0, 4.0]).expect("a matrix");
    let examples = Examples::new(&rows, &[NUMBER], Task::Regression, &[0.0, 0.0, 6.0, 6.0]);
    let model = fit(&examples, &BoostingOptions { min_child_rows: 1, max_leaves: 2, learning_rate: 0.5, ..options(1) });
    assert_eq!(model.base, [3.0]);
    // Gradients of 3 on two rows, a penalty of 1: ±6 / (2 + 1), of which half counts.
    assert_eq!(model.trees[0].values, [-1.0, 1.0]);
    assert_eq!(model.trees[0].cover, [4.0, 2.0, 2.0]);
    assert!((model.gain[0] - 24.0).abs() < 1e-6, "36 / 3 on both sides: {:?}", model.gain);
    assert_eq!(answers(&model, &rows), [2.0, 2.0, 4.0, 4.0]);
    let penalised = BoostingOptions { min_child_rows: 1, max_leaves: 2, learning_rate: 1.0, l1: 3.0, ..options(1) };
    assert_eq!(fit(&examples, &penalised).trees[0].values, [-1.0, 1.0], "(6 - 3) / 3");
}

#[test]
fn probabilities_are_learnt() {
    let truth = |row: &[f64]| 1.0 / (1.0 + (-4.0 * (row[0] - 0.5) - 3.0 * (row[1] * 6.0).sin()).exp());
    let (rows, target) = drawn(1, 4000, 4, |row, random| f64::from(u8::from(random.uniform() < truth(row))));
    let model = fit(&Examples::new(&rows, &[NUMBER; 4], Task::Binary, &target), &options(40));
    let (fresh, _) = drawn(2, 1000, 4, |_, _| 0.0);
    let told = answers(&model, &fresh);
    let error = (0..1000).map(|row| (told[row] - truth(fresh.row(row))).abs()).sum::<f64>() / 1000.0;
    assert!(error < 0.06, "{error}");
    assert!(model.gain[0] + model.gain[1] > 5.0 * (model.gain[2] + model.gain[3]), "{:?}", model.gain);
}

#[test]
fn classes_are_told_apart() {
    let class = |row: &[f64]| f64::from(u8::from(row[0] > 0.5)) + f64::from(u8::from(row[0] > 0.5 && row[1] > 0.3));
    let (rows, target) = drawn(3, 1200, 3, |row, _| class(row));
    let task = Task::Multiclass { classes: 3 };
    let model = fit(&Examples::new(&rows, &[NUMBER; 3], task, &target), &options(20));
    assert_eq!((model.trees.len(), model.rounds()), (60, 20));
    let (fresh, truth) = drawn(4, 500, 3, |row, _| class(row));
    let told = answers(&model, &fresh);
    let right = told.chunks_exact(3).zip(&truth).filter(|(p, t)| p[**t as usize] > 0.5).count();
    assert!(right > 480, "{right} of 500");
    assert!(told.chunks_exact(3).all(|p| (p.iter().sum::<f64>() - 1.0).abs() < 1e-12));
}

#[test]
fn counts_are_expected_through_a_logarithm() {
    let mean = |row: &[f64]| (2.0 * row[0]).exp();
    let poisson = |mean: f64, random: &mut Random| {
        let (mut count, mut left) = (0.0, (-mean).exp());
        loop {
            left /= random.uniform().max(1e-12);
            if left >= 1.0 {
                return count;
            }
            count += 1.0;
        }
    };
    let (rows, target) = drawn(5, 4000, 2, |row, random| poisson(mean(row), random));
    let counts = BoostingOptions { loss: Loss::Poisson, ..options(40) };
    let model = fit(&Examples::new(&rows, &[NUMBER; 2], Task::Regression, &target), &counts);
    let told = answers(&model, &rows);
    let error = (0..4000).map(|row| (told[row] - mean(rows.row(row))).abs()).sum::<f64>() / 4000.0;
    assert!(error < 0.4 && told.iter().all(|t| *t > 0.0), "{error}");
    let below = vec![-1.0; 4000];
    let negative = Examples::new(&rows, &[NUMBER; 2], Task::Regression, &below);
    assert!(matches!(Boosting::fit(&negative, None, &counts, &Context::serial()), Err(MlError::Shape(_))));
}

#[test]
fn quantiles_lie_where_they_say() {
    // Uniform from 0 to a width that grows with the first column: the quantile of a level is that share of the width.
    let width = |row: &[f64]| 1.0 + 4.0 * row[0];
    let (rows, target) = drawn(21, 4000, 2, |row, random| width(row) * random.uniform());
    let (fresh, truth) = drawn(22, 4000, 2, |row, random| width(row) * random.uniform());
    let examples = Examples::new(&rows, &[NUMBER; 2], Task::Regression, &target);
    for level in [0.1, 0.5, 0.9] {
        let options = BoostingOptions { loss: Loss::Quantile { level }, max_leaves: 8, ..options(60) };
        let model = fit(&examples, &options);
        let told = answers(&model, &fresh);
        let covered = told.iter().zip(&truth).filter(|(told, truth)| truth <= told).count() as f64 / 4000.0;
        assert!((covered - level).abs() < 0.03, "{covered} at {level}");
        let off = |row: usize| (told[row] - level * width(fresh.row(row))).abs();
        let error = (0..4000).map(off).sum::<f64>() / 4000.0;
        assert!(error < 0.15, "{error} at {level}");
        let twice = vec![2.0; 4000];
        let weighted = fit(&Examples { weights: Some(&twice), ..examples }, &options);
        assert_eq!(weighted.base, model.base, "weights that are all equal are none");
    }
    for level in [0.0, 1.0, f64::NAN] {
        let options = BoostingOptions { loss: Loss::Quantile { level }, ..options(1) };
        let refused = Boosting::fit(&examples, None, &options, &Context::serial());
        assert!(matches!(refused, Err(MlError::Options(what)) if what.contains("level")), "{level}");
    }
    let options =
        BoostingOptions { loss: Loss::Quantile { level: 0.5 }, monotone: vec![Direction::Up; 2], ..options(1) };
    assert!(matches!(Boosting::fit(&examples, None, &options, &Context::serial()), Err(MlError::Options(_))));
}

#[test]
fn a_leaf_of_a_quantile_is_that_of_its_rows() {
    let rows = Matrix::from_values(1, vec![1.0, 1.0, 1.0, 2.0, 2.0, 2.0]).expect("a matrix");
    let target = [0.0, 1.0, 9.0, 10.0, 12.0, 30.0];
    let median = BoostingOptions {
        loss: Loss::Quantile { level: 0.5 },
        min_child_rows: 1,
        max_leaves: 2,
        learning_rate: 0.5,
        ..options(1)
    };
    let examples = Examples::new(&rows, &[NUMBER], Task::Regression, &target);
    let model = fit(&examples, &median);
    assert_eq!(model.base, [9.0], "the smallest of the numbers that half do not exceed");
    // The medians of 1 - 9 and 12 - 9, of which half counts.
    assert_eq!(model.trees[0].values, [-4.0, 1.5]);
    let weights = [5.0, 1.0, 1.0, 1.0, 1.0, 9.0];
    let weighted = fit(&Examples { weights: Some(&weights), ..examples }, &median);
    assert_eq!((weighted.base, weighted.trees[0].values.clone()), (vec![12.0], vec![-6.0, 9.0]));
}

#[test]
fn better_rows_come_first_in_their_group() {
    let grade = |row: &[f64]| (row[0] * 2.0 + row[1]).floor();
    let (rows, target) = drawn(6, 1000, 3, |row, _| grade(row));
    let groups: Vec<u32> = (0..1000).map(|row| row / 10).collect();
    let examples = Examples { groups: Some(&groups), ..Examples::new(&rows, &[NUMBER; 3], Task::Ranking, &target) };
    let model = Boosting::fit(&examples, Some(&examples), &options(30), &Context::serial()).expect("fits");
    let (first, last) = (model.validation[0], model.validation[model.rounds() - 1]);
    assert!(last < 0.02 && last < first, "1 - NDCG from {first} to {last}");
    let told = answers(&model, &rows);
    let pairs = (0..1000).flat_map(|a| (a / 10 * 10..a).map(move |b| (a, b))).filter(|(a, b)| target[*a] != target[*b]);
    let right = |(a, b): &(usize, usize)| (told[*a] > told[*b]) == (target[*a] > target[*b]);
    assert!(pairs.clone().filter(right).count() * 100 > pairs.count() * 93);
    let apart: Vec<u32> = (0..1000).map(|row| row % 10).collect();
    let wrong = Examples { groups: Some(&apart), ..examples };
    assert!(matches!(Boosting::fit(&wrong, None, &options(1), &Context::serial()), Err(MlError::Shape(_))));
}

#[test]
fn a_monotone_column_is_so_everywhere() {
    // Waves around a slope, so that a free model goes down somewhere.
    let (rows, target) =
        drawn(7, 2000, 3, |row, random| row[0] + (row[0] * 20.0).sin() * 0.3 - row[1] + row[2] * random.uniform());
    let examples = Examples::new(&rows, &[NUMBER; 3], Task::Regression, &target);
    let falls = |model: &Boosting, column: usize| {
        let (others, _) = drawn(8, 40, 3, |_, _| 0.0);
        (0..40).any(|other| {
            let line = (0..=100).map(|step| {
                let mut row = others.row(other).to_vec();
                row[column] = f64::from(step) / 100.0;
                let mut out = [0.0];
                model.predict(&row, &mut out);
                out[0]
            });
            line.collect::<Vec<_>>().windows(2).any(|pair| pair[1] < pair[0] - 1e-12)
        })
    };
    assert!(falls(&fit(&examples, &options(30)), 0), "a free model follows the waves");
    let up = BoostingOptions { monotone: vec![Direction::Up, Direction::Down, Direction::Any], ..options(30) };
    let model = fit(&examples, &up);
    assert!(!falls(&model, 0) && falls(&model, 1));
    let down = BoostingOptions { monotone: vec![Direction::Down, Direction::Up, Direction::Any], ..options(30) };
    let other = fit(&examples, &down);
    assert!(!falls(&other, 1), "what is never allowed to fall does not");
    let error = answers(&model, &rows).iter().zip(&target).map(|(a, t)| (a - t).powi(2)).sum::<f64>() / 2000.0;
    assert!(error < 0.09, "it still learns: {error}");
}

#[test]
fn the_best_round_is_kept() {
    let noisy = |row: &[f64], random: &mut Random| f64::from(u8::from(row[0] + random.uniform() > 1.0));
    let (rows, target) = drawn(9, 400, 8, noisy);
    let (other, truth) = drawn(10, 400, 8, noisy);
    let examples = Examples::new(&rows, &[NUMBER; 8], Task::Binary, &target);
    let validation = Examples::new(&other, &[NUMBER; 8], Task::Binary, &truth);
    let some = BoostingOptions { patience: 7, ..options(200) };
    let model = Boosting::fit(&examples, Some(&validation), &some, &Context::serial()).expect("fits");
    let least = model.validation.iter().copied().fold(f64::INFINITY, f64::min);
    assert_eq!(model.validation[model.rounds() - 1], least);
    assert_eq!(model.validation.len(), model.rounds() + 7, "patience ends");
    // All rounds kept, and read off where the best was.
    let all = Boosting::fit_all_rounds(&examples, &validation, &some, &Context::serial()).expect("fits");
    assert_eq!((all.rounds(), &all.validation), (model.validation.len(), &model.validation));
    let (mut best, mut after) = (vec![0.0; other.rows()], vec![0.0; other.rows()]);
    model.predict_rows(&other, &mut best);
    all.predict_rows_after(model.rounds(), &other, &mut after);
    assert_eq!(after, best);
    all.predict_rows(&other, &mut after);
    assert_ne!(after, best);
    let loss = |p: &f64, t: &f64| -(if *t == 1.0 { *p } else { 1.0 - *p }).ln();
    let told = answers(&model, &other);
    let served = told.iter().zip(&truth).map(|(p, t)| loss(p, t)).sum::<f64>() / 400.0;
    assert!((served - least).abs() < 1e-12, "{served} is served where {least} was measured");
    let rounds = model.rounds() as u32;
    assert_eq!(fit(&examples, &BoostingOptions { rounds, ..some }).trees, model.trees);
}

#[test]
fn a_weight_is_a_repeated_row() {
    let (rows, target) = drawn(11, 200, 3, |row, _| (row[0] * 8.0).floor() + row[1]);
    let weights: Vec<f64> = (0..200).map(|row| f64::from(1 + row % 3)).collect();
    let places: Vec<usize> = (0..200).flat_map(|row| std::iter::repeat_n(row, 1 + row % 3)).collect();
    let (many, repeated) = (rows.select(&places), places.iter().map(|row| target[*row]).collect::<Vec<_>>());
    let weighted =
        Examples { weights: Some(&weights), ..Examples::new(&rows, &[NUMBER; 3], Task::Regression, &target) };
    // Counts of rows differ, sums of weights do not.
    let options = BoostingOptions { min_child_rows: 0, min_child_weight: 6.0, ..options(10) };
    let one = answers(&fit(&weighted, &options), &rows);
    let other = answers(&fit(&Examples::new(&many, &[NUMBER; 3], Task::Regression, &repeated), &options), &rows);
    assert!(one.iter().zip(&other).all(|(a, b)| (a - b).abs() < 1e-5), "{one:?} {other:?}");
}

#[test]
fn categories_and_missing_values_need_one_question() {
    let rows =
        Matrix::from_values(1, (0..400).map(|row| if row % 8 == 7 { f64::NAN } else { f64::from(row % 8) }).collect());
    let rows = rows.expect("a matrix");
    let high = |code: i32| f64::from(u8::from([1, 4, 6, 7].contains(&code)));
    let target: Vec<f64> = (0..400).map(|row| high(row % 8)).collect();
    let one = BoostingOptions { max_leaves: 2, learning_rate: 1.0, l2: 0.0, ..options(1) };
    let examples = Examples::new(&rows, &[Kind::Category { count: 8 }], Task::Regression, &target);
    let model = fit(&examples, &one);
    assert_eq!(model.trees[0].nodes.len(), 3);
    assert!(answers(&model, &rows).iter().zip(&target).all(|(a, t)| (a - t).abs() < 1e-6));
    // As a number the missing values alone can be told from the others.
    let alone: Vec<f64> = (0..400).map(|row| f64::from(u8::from(row % 8 == 7))).collect();
    let model = fit(&Examples::new(&rows, &[NUMBER], Task::Regression, &alone), &one);
    assert!(answers(&model, &rows).iter().zip(&alone).all(|(a, t)| (a - t).abs() < 1e-6));
}

#[test]
fn threads_change_nothing_but_the_seed_does() {
    let sum = |row: &[f64], random: &mut Random| (row[0] + row[1] * row[2] + random.uniform()).round().clamp(0.0, 2.0);
    // Many rows to make histograms in pieces, many columns to look for splits in pieces, classes for trees side by side.
    for (rows, columns, task) in
        [(30_000, 20, Task::Regression), (500, 150, Task::Regression), (1_000, 5, Task::Multiclass { classes: 3 })]
    {
        let (rows, target) = drawn(12, rows, columns, sum);
        let kinds = vec![NUMBER; columns];
        let examples = Examples::new(&rows, &kinds, task, &target);
        let some = |seed| BoostingOptions { row_share: 0.9, column_share: 0.9, seed, ..options(3) };
        let on = |options, context: &Context<'_>| Boosting::fit(&examples, None, &options, context).expect("fits");
        let one = on(some(1), &Context::serial());
        assert_eq!(one, on(some(1), &patient(&Threads(4))));
        assert_ne!(one.trees, on(some(2), &Context::serial()).trees);
    }
}

#[test]
fn limits_hold() {
    let (rows, target) = drawn(13, 1000, 4, |row, random| row[0] + row[1] * row[2] + random.uniform());
    let examples = Examples::new(&rows, &[NUMBER; 4], Task::Regression, &target);
    let some = BoostingOptions { max_leaves: 12, max_depth: 0, min_child_rows: 30, ..options(5) };
    for tree in fit(&examples, &some).trees {
        let leaves = tree.nodes.iter().zip(&tree.cover).filter(|(node, _)| matches!(node, Node::Leaf { .. }));
        assert!(leaves.clone().count() == 12 && leaves.clone().all(|(_, rows)| *rows >= 30.0));
    }
    let shallow = BoostingOptions { max_depth: 2, ..options(3) };
    assert!(fit(&examples, &shallow).trees.iter().all(|tree| tree.nodes.len() <= 7));
    assert_eq!(fit(&examples, &BoostingOptions { min_gain: 1e9, ..options(3) }).trees, []);
}

#[test]
fn mistakes_are_told() {
    let (rows, target) = drawn(14, 10, 2, |row, _| row[0].round());
    let examples = Examples::new(&rows, &[NUMBER, Kind::Category { count: 3 }], Task::Binary, &target);
    let refused = |options: BoostingOptions| {
        let told = Boosting::fit(&examples, None, &options, &Context::serial());
        assert!(matches!(told, Err(MlError::Options(_))), "{options:?}: {told:?}");
    };
    let base = BoostingOptions::default;
    refused(BoostingOptions { rounds: 0, ..base() });
    refused(BoostingOptions { learning_rate: 0.0, ..base() });
    refused(BoostingOptions { max_leaves: 1, ..base() });
    refused(BoostingOptions { max_bins: 1, ..base() });
    refused(BoostingOptions { patience: 0, ..base() });
    refused(BoostingOptions { l2: -1.0, ..base() });
    refused(BoostingOptions { row_share: 1.5, ..base() });
    refused(BoostingOptions { monotone: vec![Direction::Up], ..base() });
    refused(BoostingOptions { monotone: vec![Direction::Any, Direction::Up], ..base() });
    let three = Examples { task: Task::Multiclass { classes: 3 }, kinds: &[NUMBER; 2], ..examples };
    let monotone = BoostingOptions { monotone: vec![Direction::Up; 2], ..base() };
    assert!(matches!(Boosting::fit(&three, None, &monotone, &Context::serial()), Err(MlError::Options(_))));
    let stopped = Context { stopped: &|| true, ..Context::serial() };
    let numbers = Examples { kinds: &[NUMBER; 2], ..examples };
    assert_eq!(Boosting::fit(&numbers, None, &base(), &stopped), Err(MlError::Stopped));
    assert!(serde_json::from_str::<BoostingOptions>(r#"{"round": 3}"#).is_err(), "a misspelt option is told");
}
