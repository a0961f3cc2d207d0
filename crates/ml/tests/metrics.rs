//! Metrics against scikit-learn, and what scikit-learn does not have against its definition.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rapport_ml::{
    Context,
    metrics::{
        Answers, BinaryEvaluation, Binning, BootstrapOptions, Confusion, Costs, MulticlassEvaluation, Order,
        RankingEvaluation, RegressionEvaluation, Sweep, bootstrap, calibration_error, ndcg, reliability, wilson,
    },
};
use serde_json::Value;

fn fixture(name: &str) -> Value {
    let text = include_str!("fixtures/sklearn/metrics.json");
    serde_json::from_str::<Value>(text).expect("the fixture is JSON")[name].clone()
}

fn numbers(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).expect("the fixture holds numbers")
}

fn agree(figures: &BTreeMap<String, f64>, expected: &Value) {
    for (name, expected) in expected.as_object().expect("the fixture has figures") {
        let (got, expected) = (figures[name], expected.as_f64().expect("a figure"));
        assert!((got - expected).abs() < 1e-6, "{name}: {got}, expected {expected}");
    }
}

#[test]
fn binary_figures_are_those_of_scikit_learn() {
    let data = fixture("binary");
    let (predicted, actual, weights) =
        (numbers(&data["predicted"]), numbers(&data["actual"]), numbers(&data["weights"]));
    // A threshold of 0.25: not acting costs three times as much as acting for nothing.
    let costs = Costs { false_positive: 1.0, false_negative: 3.0 };
    let answers = Answers::new(&predicted, &actual);
    let plain = BinaryEvaluation::of(&answers, costs).unwrap();
    agree(&plain.figures, &data["plain"]);
    assert_eq!(plain.confusion.threshold, 0.25);
    agree(&BinaryEvaluation::of(&answers.weighted(&weights), costs).unwrap().figures, &data["weighted"]);
}

#[test]
fn figures_of_classes_are_those_of_scikit_learn() {
    let data = fixture("multiclass");
    let (predicted, actual, weights) =
        (numbers(&data["predicted"]), numbers(&data["actual"]), numbers(&data["weights"]));
    let answers = Answers::new(&predicted, &actual);
    for (answers, name) in [(answers, "plain"), (answers.weighted(&weights), "weighted")] {
        let evaluation = MulticlassEvaluation::of(&answers, 3).unwrap();
        agree(&evaluation.figures, &data[name]);
        for (got, expected) in evaluation.confusion.iter().zip(data[format!("{name}_confusion")].as_array().unwrap()) {
            assert!(got.iter().zip(numbers(expected)).all(|(got, expected)| (got - expected).abs() < 1e-9));
        }
    }
}

#[test]
fn figures_of_numbers_are_those_of_scikit_learn() {
    let data = fixture("regression");
    let (predicted, actual, weights) =
        (numbers(&data["predicted"]), numbers(&data["actual"]), numbers(&data["weights"]));
    let answers = Answers::new(&predicted, &actual);
    agree(&RegressionEvaluation::of(&answers).unwrap().figures, &data["plain"]);
    agree(&RegressionEvaluation::of(&answers.weighted(&weights)).unwrap().figures, &data["weighted"]);
    let with_zero = RegressionEvaluation::of(&Answers::new(&[1.0, 2.0], &[0.0, 2.0])).unwrap();
    assert!(!with_zero.figures.contains_key("mape"), "a relative error of 0 is not defined");
    let weighted = Answers::new(&[1.0, 2.0, 9.0], &[0.0; 3]).weighted(&[1.0, 1.0, 5.0]);
    assert_eq!(RegressionEvaluation::of(&weighted).unwrap().figures["median_error"], 9.0);
}

#[test]
fn figures_of_orders_are_those_of_scikit_learn() {
    let data = fixture("ranking");
    let groups: Vec<u32> = serde_json::from_value(data["groups"].clone()).unwrap();
    let (predicted, actual) = (numbers(&data["predicted"]), numbers(&data["actual"]));
    let evaluation = RankingEvaluation::of(&Answers::new(&predicted, &actual), &groups, 5).unwrap();
    agree(&evaluation.figures, &data["figures"]);
    assert_eq!(evaluation.groups, 11, "a group without relevant rows has no order");
    assert_eq!(ndcg(&[3.0, 2.0, 1.0], &[2.0, 1.0, 0.0], 3), 1.0);
}

#[test]
fn curves_are_thin_and_keep_their_area() {
    let n = 20_000;
    let actual: Vec<f64> = (0..n).map(|row| f64::from(u8::from((row * 7919) % 13 < 4))).collect();
    let score = |row: usize| ((row * 104_729) % 10_007) as f64 / 10_007.0 + actual[row] * 0.4;
    let scores: Vec<f64> = (0..n).map(score).collect();
    let sweep = Sweep::of(&scores, &actual);
    let roc = sweep.roc();
    assert!(roc.len() <= 200);
    let area: f64 = roc.windows(2).map(|pair| (pair[1].x - pair[0].x) * f64::midpoint(pair[0].y, pair[1].y)).sum();
    assert!((area - sweep.auc()).abs() < 1e-3, "{area} against {}", sweep.auc());
    assert_eq!((roc[0].x, roc[0].y, roc[0].threshold), (0.0, 0.0, None));
    let last = roc.last().unwrap();
    assert_eq!((last.x, last.y), (1.0, 1.0));
    let precision_recall = sweep.precision_recall();
    assert!(precision_recall.len() <= 200);
    assert_eq!(precision_recall.last().unwrap().x, 1.0);
    assert!(roc.windows(2).all(|pair| pair[0].x <= pair[1].x && pair[0].y <= pair[1].y));
}

#[test]
fn deciles_hold_a_tenth_each_and_all_positives_together() {
    let predicted: Vec<f64> = (0..25).map(|row| f64::from(row) / 25.0).collect();
    let actual: Vec<f64> = (0..25).map(|row| f64::from(u8::from(row >= 20))).collect();
    let evaluation = BinaryEvaluation::of(&Answers::new(&predicted, &actual), Costs::default()).unwrap();
    assert!(evaluation.deciles.iter().all(|decile| (decile.weight - 2.5).abs() < 1e-12));
    // The five best are the five positives: two tenths of the rows, five times the base rate.
    assert!((evaluation.deciles[0].lift - 5.0).abs() < 1e-12);
    assert!((evaluation.deciles[1].gain - 1.0).abs() < 1e-12);
    assert_eq!(evaluation.deciles[2].rate, 0.0);
}

#[test]
fn ties_make_every_decile_equal() {
    let actual: Vec<f64> = (0..40).map(|row| f64::from(u8::from(row < 10))).collect();
    let evaluation = BinaryEvaluation::of(&Answers::new(&[0.25; 40], &actual), Costs::default()).unwrap();
    assert!(evaluation.deciles.iter().all(|decile| (decile.lift - 1.0).abs() < 1e-12), "one score ranks nothing");
    assert_eq!(evaluation.figures["auc"], 0.5);
    assert_eq!(evaluation.calibration.len(), 1);
}

#[test]
fn calibration_bins_and_their_intervals() {
    // Newcombe 1998, table I: 81 of 263 and 0 of 20, Wilson without continuity correction.
    let (low, high) = wilson(81.0 / 263.0, 263.0);
    assert!((low - 0.2553).abs() < 5e-5 && (high - 0.3662).abs() < 5e-5, "{low} {high}");
    let (low, high) = wilson(0.0, 20.0);
    assert!(low == 0.0 && (high - 0.1611).abs() < 5e-5);
    let (predicted, actual) = ([0.05, 0.07, 0.95, 0.93], [0.0, 1.0, 1.0, 1.0]);
    let answers = Answers::new(&predicted, &actual);
    let bins = reliability(&answers, Binning::EqualWidth, 10);
    assert_eq!(bins.iter().map(|bin| bin.rows).collect::<Vec<_>>(), [2, 2]);
    assert!((calibration_error(&bins) - (0.5 * 0.44 + 0.5 * 0.06)).abs() < 1e-12);
    let bins = reliability(&answers, Binning::EqualCount, 4);
    assert_eq!(bins.iter().map(|bin| bin.observed).collect::<Vec<_>>(), [0.0, 1.0, 1.0, 1.0]);
}

#[test]
fn the_threshold_of_the_costs_is_the_cheapest_for_calibrated_probabilities() {
    // Of the rows with probability p out of 100, p are positive: calibrated by construction.
    let rows = (1..100).flat_map(|p| (0..100).map(move |row| (f64::from(p) / 100.0, f64::from(u8::from(row < p)))));
    let (predicted, actual): (Vec<f64>, Vec<f64>) = rows.unzip();
    let answers = Answers::new(&predicted, &actual);
    let costs = Costs { false_positive: 2.0, false_negative: 7.0 };
    let cost = |threshold: f64| Confusion::at(&answers, threshold).cost(costs);
    let chosen = cost(costs.threshold());
    assert!((1..100).all(|t| chosen <= cost(f64::from(t) / 100.0) + 1e-12));
    assert!(cost(0.5) > chosen);
}

/// The 95 % interval of the area under the curve by its structural components, every positive against every negative (DeLong,
/// DeLong, Clarke-Pearson, 1988).
fn delong(scores: &[f64], actual: &[f64]) -> (f64, f64) {
    let of = |wanted: f64| -> Vec<f64> {
        scores.iter().zip(actual).filter(|(_, actual)| **actual == wanted).map(|(score, _)| *score).collect()
    };
    let (positive, negative) = (of(1.0), of(0.0));
    let wins = |p: f64, n: f64| if p > n { 1.0 } else { f64::from(u8::from(p == n)) / 2.0 };
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let above: Vec<f64> =
        positive.iter().map(|p| mean(&negative.iter().map(|n| wins(*p, *n)).collect::<Vec<_>>())).collect();
    let below: Vec<f64> =
        negative.iter().map(|n| mean(&positive.iter().map(|p| wins(*p, *n)).collect::<Vec<_>>())).collect();
    let part = |values: &[f64]| {
        let centre = mean(values);
        let squares: f64 = values.iter().map(|value| (value - centre).powi(2)).sum();
        squares / (values.len() as f64 - 1.0) / values.len() as f64
    };
    let deviation = (part(&above) + part(&below)).sqrt();
    (mean(&above) - 1.96 * deviation, mean(&above) + 1.96 * deviation)
}

#[test]
fn the_bootstrap_agrees_with_delong_and_respects_groups() {
    let data = fixture("binary");
    let (predicted, actual) = (numbers(&data["predicted"]), numbers(&data["actual"]));
    let order = Order::new(&predicted);
    let metric = |weights: &[f64]| order.sweep(&actual, Some(weights)).auc();
    let options = BootstrapOptions { replicates: 2000, level: 0.95, seed: 4 };
    let context = Context::serial();
    let interval = bootstrap(actual.len(), None, None, &options, metric, &context).unwrap();
    let (low, high) = delong(&predicted, &actual);
    assert!((interval.low - low).abs() < 0.01 && (interval.high - high).abs() < 0.01, "{interval:?}, {low} {high}");
    assert_eq!(interval, bootstrap(actual.len(), None, None, &options, metric, &context).unwrap());
    // Every row ten times, as ten visits of one customer: nothing is learnt by repeating, and the interval must know.
    let mean = |weights: &[f64]| {
        let sum: f64 = weights.iter().zip(actual.iter().cycle()).map(|(weight, actual)| weight * actual).sum();
        sum / weights.iter().sum::<f64>()
    };
    let n = actual.len();
    let groups: Vec<u32> = (0..10 * n).map(|row| (row % n) as u32).collect();
    let width = |rows: usize, groups: Option<&[u32]>| {
        let interval = bootstrap(rows, None, groups, &options, mean, &context).unwrap();
        interval.high - interval.low
    };
    let (once, grouped, ignored) = (width(n, None), width(10 * n, Some(&groups)), width(10 * n, None));
    assert!((grouped / once - 1.0).abs() < 0.1, "{grouped} {once}");
    assert!(ignored < 0.45 * grouped, "{ignored} {grouped}");
}

#[test]
fn intervals_surround_their_figures() {
    let data = fixture("binary");
    let (predicted, actual, weights) =
        (numbers(&data["predicted"]), numbers(&data["actual"]), numbers(&data["weights"]));
    let answers = Answers::new(&predicted, &actual).weighted(&weights);
    let options = BootstrapOptions { replicates: 200, ..BootstrapOptions::default() };
    let evaluation = BinaryEvaluation::of(&answers, Costs::default()).unwrap();
    let evaluation = evaluation.with_intervals(&answers, None, &options, &Context::serial()).unwrap();
    for (name, interval) in &evaluation.intervals {
        assert!((interval.estimate - evaluation.figures[name]).abs() < 1e-12, "{name}");
        assert!(interval.low < interval.estimate && interval.estimate < interval.high, "{name}: {interval:?}");
    }
    assert_eq!(evaluation.intervals.len(), 5);
    let json = serde_json::to_string(&evaluation).unwrap();
    let read: BinaryEvaluation = serde_json::from_str(&json).unwrap();
    assert_eq!((read.rows, read.deciles.len()), (evaluation.rows, 10));
}

#[test]
fn what_does_not_fit_together_is_told() {
    let told = |answers: Answers<'_>| BinaryEvaluation::of(&answers, Costs::default()).unwrap_err().to_string();
    assert!(told(Answers::new(&[0.5], &[1.0, 0.0])).contains("1 predictions for 2 rows"));
    assert!(told(Answers::new(&[f64::NAN], &[1.0])).contains("not a number"));
    assert!(told(Answers::new(&[0.5], &[2.0])).contains("1 for yes"));
    assert!(told(Answers::new(&[0.5], &[1.0]).weighted(&[-1.0])).contains("weights"));
    let one_class = BinaryEvaluation::of(&Answers::new(&[0.5, 0.6], &[1.0, 1.0]), Costs::default()).unwrap();
    assert!(!one_class.figures.contains_key("auc") && one_class.roc.is_empty());
}

proptest! {
    #[test]
    fn a_whole_weight_is_as_good_as_repeated_rows(
        rows in prop::collection::vec((0_u8..20, any::<bool>(), 0_usize..4), 2..60)
    ) {
        let predicted: Vec<f64> = rows.iter().map(|row| f64::from(row.0) / 20.0).collect();
        let actual: Vec<f64> = rows.iter().map(|row| f64::from(u8::from(row.1))).collect();
        let weights: Vec<f64> = rows.iter().map(|row| row.2 as f64).collect();
        prop_assume!(weights.iter().sum::<f64>() > 0.0);
        let repeat = |values: &[f64]| -> Vec<f64> {
            values.iter().zip(&rows).flat_map(|(value, row)| std::iter::repeat_n(*value, row.2)).collect()
        };
        let weighted = Answers::new(&predicted, &actual).weighted(&weights);
        let weighted = BinaryEvaluation::of(&weighted, Costs::default()).unwrap();
        let (predicted, actual) = (repeat(&predicted), repeat(&actual));
        let repeated = BinaryEvaluation::of(&Answers::new(&predicted, &actual), Costs::default()).unwrap();
        prop_assert_eq!(weighted.figures.len(), repeated.figures.len());
        for (name, figure) in &weighted.figures {
            prop_assert!((figure - repeated.figures[name]).abs() < 1e-9, "{}", name);
        }
    }
}
