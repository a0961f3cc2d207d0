//! The linear models against scikit-learn's, at the same penalty, where the optimum is unique.

#![allow(clippy::unwrap_used, reason = "helpers of tests stop the test as the tests themselves do")]

use rapport_ml::{
    ClassWeights, Context, Examples, Explain, Ftrl, FtrlOptions, Kind, LinearOptions, LinearRegression, LinearSvm,
    LinearSvmOptions, LogisticOptions, LogisticRegression, Matrix, MlError, Parallel, Predict, Task,
};
use serde_json::Value;

struct Fixture {
    value: Value,
    rows: Matrix,
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

impl Fixture {
    fn read() -> Self {
        let value: Value = serde_json::from_str(include_str!("fixtures/sklearn/linear.json")).unwrap();
        let mut rows = Matrix::new(6);
        value["rows"].as_array().unwrap().iter().for_each(|row| rows.push(&numbers(row)).unwrap());
        Self { value, rows }
    }

    fn column(&self, name: &str) -> Vec<f64> {
        numbers(&self.value[name])
    }

    /// The expected weights and intercepts of each output.
    fn expected(&self, case: &str) -> Vec<(Vec<f64>, f64)> {
        let case = &self.value["cases"][case];
        let weights = case["coefficients"].as_array().unwrap().iter().map(numbers);
        weights.zip(numbers(&case["intercepts"])).collect()
    }
}

const KINDS: [Kind; 6] = [Kind::Number; 6];

fn near(case: &str, weights: &[f64], intercept: f64, expected: &(Vec<f64>, f64), margin: f64) {
    assert_eq!(weights.len(), expected.0.len(), "{case}");
    let pairs = weights.iter().chain([&intercept]).zip(expected.0.iter().chain([&expected.1]));
    let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(worst <= margin, "{case}: off by {worst:e}");
}

#[test]
fn linear_regression_finds_scikit_learns_optimum() {
    let fixture = Fixture::read();
    let (target, weights) = (fixture.column("numbers"), fixture.column("weights"));
    let mut examples = Examples::new(&fixture.rows, &KINDS, Task::Regression, &target);
    examples.weights = Some(&weights);
    for (case, options) in [
        ("least_squares", LinearOptions::None),
        ("ridge", LinearOptions::Ridge { alpha: 3.0 }),
        ("lasso", LinearOptions::ElasticNet { alpha: 0.1, l1_ratio: 1.0 }),
        ("elastic_net", LinearOptions::ElasticNet { alpha: 0.2, l1_ratio: 0.4 }),
    ] {
        let model = LinearRegression::fit(&examples, &options, &Context::serial()).unwrap();
        near(case, model.weights(), model.intercept(), &fixture.expected(case)[0], 1e-6);
    }
}

#[test]
fn logistic_regression_finds_scikit_learns_optimum() {
    let fixture = Fixture::read();
    let (target, weights) = (fixture.column("yes_no"), fixture.column("weights"));
    let base = LogisticOptions { tolerance: 1e-10, ..LogisticOptions::default() };
    let balanced = ClassWeights::Balanced;
    for (case, options, weights) in [
        ("logistic", LogisticOptions { c: 0.7, ..base }, Some(&weights[..])),
        ("logistic_balanced", LogisticOptions { c: 0.7, class_weights: balanced, ..base }, None),
        ("logistic_lasso", LogisticOptions { c: 0.2, l1_ratio: 1.0, ..base }, None),
        ("logistic_elastic", LogisticOptions { c: 0.2, l1_ratio: 0.5, ..base }, None),
    ] {
        let mut examples = Examples::new(&fixture.rows, &KINDS, Task::Binary, &target);
        examples.weights = weights;
        let model = LogisticRegression::fit(&examples, &options, &Context::serial()).unwrap();
        near(case, model.weights(0), model.intercept(0), &fixture.expected(case)[0], 1e-6);
    }
}

#[test]
fn multinomial_regression_finds_scikit_learns_optimum() {
    let fixture = Fixture::read();
    let target = fixture.column("classes");
    let examples = Examples::new(&fixture.rows, &KINDS, Task::Multiclass { classes: 3 }, &target);
    let base = LogisticOptions { tolerance: 1e-10, ..LogisticOptions::default() };
    for (case, options) in [
        ("multinomial", LogisticOptions { c: 0.5, ..base }),
        ("multinomial_lasso", LogisticOptions { c: 0.3, l1_ratio: 1.0, ..base }),
    ] {
        let model = LogisticRegression::fit(&examples, &options, &Context::serial()).unwrap();
        let expected = fixture.expected(case);
        // Intercepts may differ by one number for all classes.
        let mean = expected.iter().map(|class| class.1).sum::<f64>() / 3.0;
        for (output, (weights, intercept)) in expected.into_iter().enumerate() {
            near(case, model.weights(output), model.intercept(output), &(weights, intercept - mean), 1e-6);
        }
    }
}

#[test]
fn wide_sparse_rows_find_scikit_learns_optimum() {
    let fixture = Fixture::read();
    let columns = fixture.value["wide_columns"].as_u64().unwrap() as usize;
    let mut rows = Matrix::new(columns);
    for ones in fixture.value["wide_rows"].as_array().unwrap() {
        let mut row = vec![0.0; columns];
        numbers(ones).iter().for_each(|place| row[*place as usize] = 1.0);
        rows.push(&row).unwrap();
    }
    let (kinds, target) = (vec![Kind::Number; columns], fixture.column("wide_yes_no"));
    let examples = Examples::new(&rows, &kinds, Task::Binary, &target);
    let options = LogisticOptions { tolerance: 1e-10, ..LogisticOptions::default() };
    let model = LogisticRegression::fit(&examples, &options, &Context::serial()).unwrap();
    near("wide", model.weights(0), model.intercept(0), &fixture.expected("wide_logistic")[0], 1e-6);
}

#[test]
fn linear_svm_finds_scikit_learns_optimum() {
    let fixture = Fixture::read();
    let weights = fixture.column("weights");
    let options =
        LinearSvmOptions { c: 0.5, epsilon: 0.2, penalise_intercept: true, tolerance: 1e-11, ..Default::default() };
    for (case, task, target, weights) in [
        ("linear_svm", Task::Binary, fixture.column("yes_no"), Some(&weights[..])),
        ("linear_svm_classes", Task::Multiclass { classes: 3 }, fixture.column("classes"), None),
        ("linear_svr", Task::Regression, fixture.column("numbers"), None),
    ] {
        let mut examples = Examples::new(&fixture.rows, &KINDS, task, &target);
        examples.weights = weights;
        let model = LinearSvm::fit(&examples, &options, &Context::serial()).unwrap();
        for (output, expected) in fixture.expected(case).iter().enumerate() {
            near(case, model.weights(output), model.intercept(output), expected, 1e-6);
        }
    }
}

/// Runs the pieces backwards: what depends on their order or number shows.
struct Backwards;

impl Parallel for Backwards {
    fn threads(&self) -> usize {
        4
    }

    fn run(&self, pieces: usize, work: &(dyn Fn(usize) + Sync)) {
        (0..pieces).rev().for_each(work);
    }
}

/// Rows enough for several blocks and for the start on a sample.
fn many(columns: usize) -> (Matrix, Vec<f64>) {
    let mut random = rapport_ml::Random::new(5, 0);
    let (mut rows, mut target) = (Matrix::new(columns), Vec::new());
    for _ in 0..20_000 {
        let row: Vec<f64> = (0..columns).map(|_| random.uniform() * 2.0 - 1.0).collect();
        let margin = row[0] * 2.0 - row[1];
        target.push(f64::from(random.uniform() < 1.0 / (1.0 + f64::exp(-margin))));
        rows.push(&row).unwrap();
    }
    (rows, target)
}

#[test]
fn the_order_of_the_work_changes_nothing() {
    let (rows, target) = many(4);
    let examples = Examples::new(&rows, &KINDS[..4], Task::Binary, &target);
    let backwards = Context { parallel: &Backwards, stopped: &|| false };
    let options = LogisticOptions::default();
    let one = LogisticRegression::fit(&examples, &options, &Context::serial()).unwrap();
    assert_eq!(one, LogisticRegression::fit(&examples, &options, &backwards).unwrap());
    assert!((one.weights(0)[0] - 2.0).abs() < 0.15 && (one.weights(0)[1] + 1.0).abs() < 0.15);
    let exact = LogisticOptions { tolerance: 1e-12, ..options };
    let exact = LogisticRegression::fit(&examples, &exact, &Context::serial()).unwrap();
    near("start on a sample", one.weights(0), one.intercept(0), &(exact.weights(0).to_vec(), exact.intercept(0)), 1e-4);
}

#[test]
fn contributions_add_up_to_the_margin_and_survive_json() {
    let fixture = Fixture::read();
    let target = fixture.column("yes_no");
    let examples = Examples::new(&fixture.rows, &KINDS, Task::Binary, &target);
    let model = LogisticRegression::fit(&examples, &LogisticOptions::default(), &Context::serial()).unwrap();
    let (mut parts, mut answer) = ([0.0; 6], [0.0]);
    let row = [0.5, f64::NAN, -1.0, 2.0, 0.0, 1.0];
    let margin = model.contributions(&row, 0, &mut parts) + parts.iter().sum::<f64>();
    model.predict(&row, &mut answer);
    assert!((answer[0] - 1.0 / (1.0 + (-margin).exp())).abs() < 1e-12);
    let svm = LinearSvm::fit(&examples, &LinearSvmOptions::default(), &Context::serial()).unwrap();
    let margin = svm.contributions(&row, 0, &mut parts) + parts.iter().sum::<f64>();
    let mut other = [0.0];
    svm.predict(&row, &mut other);
    assert!((other[0] - 1.0 / (1.0 + (-margin).exp())).abs() < 1e-12);
    let mut filled = [0.0];
    model.predict(&[0.5, 0.0, -1.0, 2.0, 0.0, 1.0], &mut filled);
    assert_eq!(filled, answer);
    let text = serde_json::to_string(&model).unwrap();
    let again: LogisticRegression = serde_json::from_str(&text).unwrap();
    again.predict(&row, &mut filled);
    assert!((filled[0] - answer[0]).abs() < 1e-14);
}

#[test]
fn a_column_that_separates_is_no_harm() {
    let rows = Matrix::from_values(1, (0..40).map(|row| f64::from(row) - 19.5).collect()).unwrap();
    let target: Vec<f64> = (0..40).map(|row| f64::from(row >= 20)).collect();
    let examples = Examples::new(&rows, &KINDS[..1], Task::Binary, &target);
    let options = LogisticOptions { c: 1e6, ..LogisticOptions::default() };
    let model = LogisticRegression::fit(&examples, &options, &Context::serial()).unwrap();
    assert!(model.weights(0)[0].is_finite() && model.weights(0)[0] > 1.0);
    let svm = LinearSvm::fit(&examples, &LinearSvmOptions::default(), &Context::serial()).unwrap();
    let (mut low, mut high) = ([0.0], [0.0]);
    svm.predict(&[-19.5], &mut low);
    svm.predict(&[19.5], &mut high);
    assert!(low[0] < 0.1 && high[0] > 0.9 && high[0] < 1.0, "{low:?} {high:?}");
}

#[test]
fn mistakes_are_sentences() {
    let rows = Matrix::from_values(1, vec![1.0, 2.0]).unwrap();
    let same = [1.0, 1.0];
    let examples = Examples::new(&rows, &KINDS[..1], Task::Binary, &same);
    let fit = |options| LogisticRegression::fit(&examples, &options, &Context::serial());
    let says = |result: Result<LogisticRegression, MlError>, text: &str| {
        assert!(result.unwrap_err().to_string().contains(text), "{text}");
    };
    says(fit(LogisticOptions::default()), "no row that counts has the answer 0");
    says(fit(LogisticOptions { c: 0.0, ..LogisticOptions::default() }), "c is 0; it must be a positive number");
    says(fit(LogisticOptions { l1_ratio: 2.0, ..LogisticOptions::default() }), "from 0 to 1");
    let (rows, target) = many(2);
    let examples = Examples::new(&rows, &KINDS[..2], Task::Binary, &target);
    let stopped = Context { parallel: &Backwards, stopped: &|| true };
    let result = LogisticRegression::fit(&examples, &LogisticOptions::default(), &stopped);
    assert_eq!(result.unwrap_err(), MlError::Stopped);
}

#[test]
fn ftrl_learns_row_by_row_and_can_be_continued() {
    let (rows, target) = many(3);
    let mut whole = Ftrl::new(3, FtrlOptions { l1: 60.0, ..FtrlOptions::default() }).unwrap();
    let mut half = whole.clone();
    for (row, target) in target.iter().enumerate() {
        whole.learn_one(rows.row(row), *target, 1.0).unwrap();
        if row == 9_999 {
            half = serde_json::from_str(&serde_json::to_string(&whole).unwrap()).unwrap();
        } else if row > 9_999 {
            half.learn_one(rows.row(row), *target, 1.0).unwrap();
        }
    }
    // Reading JSON may be off by the last bit.
    (0..3).for_each(|column| assert!((whole.weight(column) - half.weight(column)).abs() < 1e-9));
    assert!((whole.weight(0) - 2.0).abs() < 0.5 && (whole.weight(1) + 1.0).abs() < 0.5, "{whole:?}");
    assert_eq!(whole.weight(2), 0.0, "the lasso keeps out what tells nothing");
    assert!(whole.learn_one(&[0.0], 1.0, 1.0).unwrap_err().to_string().contains("3 are expected"));
}

#[test]
fn ftrl_fits_a_table_that_is_sorted_by_its_answers() {
    let (rows, target) = many(3);
    let mut order: Vec<usize> = (0..target.len()).collect();
    order.sort_by(|a, b| target[*a].total_cmp(&target[*b]));
    let (sorted, sorted_target) = (rows.select(&order), order.iter().map(|row| target[*row]).collect::<Vec<f64>>());
    let fit = |rows: &Matrix, target: &[f64]| {
        let examples = Examples::new(rows, &[Kind::Number; 3], Task::Binary, target);
        Ftrl::fit(&examples, &FtrlOptions::default(), &Context::serial()).unwrap()
    };
    let (mut model, other) = (fit(&sorted, &sorted_target), fit(&rows, &target));
    for column in 0..3 {
        let off = (model.weight(column) - other.weight(column)).abs();
        assert!(off < 0.1, "{column}: {} {}", model.weight(column), other.weight(column));
    }
    assert_eq!(fit(&sorted, &sorted_target), model, "the same rows, the same model");
    let before = model.clone();
    assert!(model.learn_one(&[2e6, 0.0, 0.0], 1.0, 1.0).unwrap_err().to_string().contains("beyond a million"));
    assert_eq!(model, before, "nothing was learnt");
    let (mut parts, row) = ([0.0; 3], sorted.row(7));
    let base = model.contributions(row, 0, &mut parts);
    let mut answer = [0.0];
    model.predict(row, &mut answer);
    let margin = (answer[0] / (1.0 - answer[0])).ln();
    assert!((base + parts.iter().sum::<f64>() - margin).abs() < 1e-9, "the parts add up to the log-odds");
}
