//! Tables of cases with values that are known independently, and properties.

use proptest::prelude::{any, prop};
use rapport_ml::{Artifact, Evaluation, FitOptions, Matrix, MlError, Predictor, auc, auc_interval, fit, table};

fn matrix(rows: &[&[f64]]) -> Matrix {
    let mut matrix = Matrix::new(rows[0].len());
    for row in rows {
        matrix.push(row).expect("rows of one width");
    }
    matrix
}

/// 20,000 rows whose log-odds are `1 + 2 a - b`, drawn by a fixed generator.
fn drawn() -> (Matrix, Vec<bool>) {
    let mut state = 7_u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let (mut rows, mut labels) = (Matrix::new(2), Vec::new());
    for _ in 0..20_000 {
        let (a, b) = (uniform() * 2.0 - 1.0, uniform() * 2.0 - 1.0);
        rows.push(&[a, b]).expect("two numbers");
        labels.push(uniform() < 1.0 / (1.0 + (-(1.0 + 2.0 * a - b)).exp()));
    }
    (rows, labels)
}

#[test]
fn known_weights_are_found_again() {
    let (rows, labels) = drawn();
    let model = fit(&["a", "b"], &rows, &labels, FitOptions { ridge: 1e-6 }).expect("fits");
    let weight = |place: usize| model.inputs[place].weight / model.inputs[place].deviation;
    assert!((weight(0) - 2.0).abs() < 0.12, "{model:?}");
    assert!((weight(1) + 1.0).abs() < 0.12, "{model:?}");
    let predictor = Predictor::new(&model);
    let at_zero = predictor.predict(&[0.0, 0.0]);
    assert!((at_zero - 0.731).abs() < 0.02, "{at_zero}");
    let mean = (0..rows.rows()).map(|row| predictor.predict(rows.row(row))).sum::<f64>() / labels.len() as f64;
    let share = labels.iter().filter(|label| **label).count() as f64 / labels.len() as f64;
    assert!((mean - share).abs() < 1e-6, "the likelihood equations hold: {mean} against {share}");
}

#[test]
fn the_same_rows_give_the_same_bytes_and_an_artifact_survives_json() {
    let (rows, labels) = drawn();
    let fit = || fit(&["a", "b"], &rows, &labels, FitOptions::default()).expect("fits");
    let (one, other) = (fit(), fit());
    assert_eq!(one.to_json(), other.to_json());
    assert_eq!(Artifact::from_json(&one.to_json()), Ok(one));
}

#[test]
fn contributions_add_up_to_the_log_odds() {
    let (rows, labels) = drawn();
    let model = fit(&["a", "b"], &rows, &labels, FitOptions::default()).expect("fits");
    let predictor = Predictor::new(&model);
    let mut parts = Vec::new();
    predictor.contributions(&[0.3, f64::NAN], &mut parts);
    let log_odds = model.intercept + parts.iter().sum::<f64>();
    let probability = predictor.predict(&[0.3, f64::NAN]);
    assert!((probability - 1.0 / (1.0 + (-log_odds).exp())).abs() < 1e-12);
}

#[test]
fn a_column_that_separates_or_never_changes_does_no_harm() {
    let rows: Vec<Vec<f64>> = (0..40).map(|n| vec![f64::from(n), 5.0, f64::NAN]).collect();
    let rows: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
    let labels: Vec<bool> = (0..40).map(|n| n >= 20).collect();
    let model =
        fit(&["separates", "constant", "absent"], &matrix(&rows), &labels, FitOptions::default()).expect("fits");
    assert!(model.inputs[0].weight > 0.5 && model.inputs[0].weight.is_finite());
    assert_eq!((model.inputs[1].weight, model.inputs[2].weight), (0.0, 0.0));
    assert!(Predictor::new(&model).predict(&[1e300, 0.0, 1.0]) > 0.99);
}

#[test]
fn a_missing_value_has_a_weight_of_its_own() {
    let rows: Vec<Vec<f64>> = (0..400).map(|n| vec![if n % 2 == 0 { f64::NAN } else { f64::from(n % 7) }]).collect();
    let rows: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
    let labels: Vec<bool> = (0..400).map(|n| n % 2 == 0 && n % 10 != 0 || n % 2 == 1 && n % 11 == 0).collect();
    let model = fit(&["x"], &matrix(&rows), &labels, FitOptions::default()).expect("fits");
    let predictor = Predictor::new(&model);
    assert!(predictor.predict(&[f64::NAN]) > 0.7 && predictor.predict(&[3.0]) < 0.3, "{model:?}");
}

#[test]
fn what_cannot_be_learnt_from_is_refused() {
    let rows = matrix(&[&[1.0], &[2.0]]);
    let few = fit(&["x"], &rows, &[true, false], FitOptions::default());
    assert!(matches!(few, Err(MlError::TooFew { rows: 2, positives: 1, .. })));
    assert!(matches!(fit(&["x"], &rows, &[true], FitOptions::default()), Err(MlError::Shape(_))));
    assert!(matches!(Artifact::from_json(b"{\"format\": 9}"), Err(MlError::Format(9))));
    assert!(matches!(Artifact::from_json(b"[]"), Err(MlError::Artifact(_))));
}

#[test]
fn areas_are_those_of_counting_pairs() {
    for (scores, labels, expected) in [
        (&[0.1, 0.4, 0.35, 0.8][..], &[false, false, true, true][..], 0.75),
        (&[0.5, 0.5, 0.5, 0.5], &[false, true, false, true], 0.5),
        (&[3.0, 2.0, 1.0], &[true, true, false], 1.0),
        (&[f64::NAN, 0.2, 0.1], &[true, false, false], 0.0),
    ] {
        assert!((auc(scores, labels) - expected).abs() < 1e-12, "{scores:?}");
    }
    assert!(auc(&[0.1, 0.2], &[true, true]).is_nan());
    let (low, high) = auc_interval(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true]);
    assert!(low < 0.75 && high > 0.75 && low >= 0.0 && high <= 1.0, "{low} {high}");
}

#[test]
fn figures_of_an_evaluation_are_those_by_hand() {
    let evaluation = Evaluation::of(&[0.9, 0.1, 0.8, 0.3], &[true, false, false, true]);
    assert!((evaluation.base_rate - 0.5).abs() < 1e-12);
    assert!((evaluation.base_log_loss - std::f64::consts::LN_2).abs() < 1e-12);
    let by_hand = -(0.9_f64.ln() + 0.9_f64.ln() + 0.2_f64.ln() + 0.3_f64.ln()) / 4.0;
    assert!((evaluation.log_loss - by_hand).abs() < 1e-12);
    assert!((evaluation.brier - (0.01 + 0.01 + 0.64 + 0.49) / 4.0).abs() < 1e-12);
    assert!((evaluation.ece - (0.1 + 0.1 + 0.8 + 0.7) / 4.0).abs() < 1e-12);
}

fn texts(rows: &[&[&str]]) -> Vec<Vec<String>> {
    rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect()
}

#[test]
fn a_table_is_cleaned_and_coded() {
    let header = texts(&[&["age", "city", "id", "same", "bought"]]).remove(0);
    let mut cells = texts(&[
        &["30", "北京", "x1", "k", "Yes"],
        &["NA", "Paris", "x2", "k", "No"],
        &["30", "北京", "x1", "k", "Yes"],
    ]);
    cells.extend(texts(&[&["41", "?", "x3", "k", "No"], &["50", "Paris", "x4", "k", ""]]));
    for n in 0..300 {
        let city = if n == 0 { "Rare" } else { "Paris" };
        cells.push(vec![n.to_string(), city.to_owned(), format!("id{n}"), "k".to_owned(), "No".to_owned()]);
    }
    let prepared = table::prepare(&header, &cells, "bought").expect("prepares");
    assert_eq!(prepared.names, ["age", "city=Paris", "city=北京", "city=(other)"]);
    assert_eq!(prepared.labels.iter().filter(|label| **label).count(), 2);
    assert_eq!((prepared.cleaning.repeated_rows, prepared.cleaning.without_target), (1, 1));
    assert_eq!(prepared.cleaning.missing["age"], 1);
    assert_eq!(prepared.cleaning.left_out.keys().collect::<Vec<_>>(), ["id", "same"]);
    assert!(prepared.rows.row(1)[0].is_nan());
    assert_eq!(prepared.rows.row(0)[1..], [0.0, 1.0, 0.0]);
    assert_eq!(prepared.rows.row(3)[1..], [0.0, 0.0, 0.0], "a missing category is none of them");
    let other_order = texts(&[&["city", "age"]]).remove(0);
    let coder = table::Coder::new(&prepared.columns, &other_order).expect("finds the columns");
    assert_eq!(coder.code(&texts(&[&["Nowhere", "7"]])[0]), [7.0, 0.0, 0.0, 1.0]);
    assert!(table::Coder::new(&prepared.columns, &header[1..]).is_err());
}

#[test]
fn targets_that_are_none_are_told() {
    let header = vec!["x".to_owned(), "y".to_owned()];
    let cells = texts(&[&["1", "a"], &["2", "b"], &["3", "c"]]);
    for (target, words) in [("z", "there is no column"), ("y", "3 different values")] {
        let error = table::prepare(&header, &cells, target).expect_err("is refused").to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn a_split_keeps_the_share_of_labels_and_loses_nothing() {
    let labels: Vec<bool> = (0..1_000).map(|n| n % 5 == 0).collect();
    let (train, test) = table::stratified_split(&labels, 0.2, 3);
    assert_eq!((train.len(), test.len()), (800, 200));
    assert_eq!(test.iter().filter(|place| labels[**place]).count(), 40);
    let mut all: Vec<usize> = train.iter().chain(&test).copied().collect();
    all.sort_unstable();
    assert_eq!(all, (0..1_000).collect::<Vec<_>>());
    assert_ne!(test, table::stratified_split(&labels, 0.2, 4).1);
}

proptest::proptest! {
    #[test]
    fn an_area_is_that_of_all_pairs(rows in prop::collection::vec((0_u8..20, any::<bool>()), 2..60)) {
        let scores: Vec<f64> = rows.iter().map(|(score, _)| f64::from(*score)).collect();
        let labels: Vec<bool> = rows.iter().map(|(_, label)| *label).collect();
        let (mut wins, mut pairs) = (0.0, 0.0);
        for (a, _) in rows.iter().filter(|(_, label)| *label) {
            for (b, _) in rows.iter().filter(|(_, label)| !*label) {
                pairs += 1.0;
                wins += match a.cmp(b) {
                    std::cmp::Ordering::Greater => 1.0,
                    std::cmp::Ordering::Equal => 0.5,
                    std::cmp::Ordering::Less => 0.0,
                };
            }
        }
        let area = auc(&scores, &labels);
        proptest::prop_assert!(area.is_nan() && pairs == 0.0 || (area - wins / pairs).abs() < 1e-9);
    }
}
