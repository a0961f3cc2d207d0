//! Nearest neighbours, naive Bayes and k-means against scikit-learn.

use proptest::prelude::*;
use rapport_ml::{
    Context, Examples, Kind, Matrix, Predict, Random, Task,
    bayes::{BayesOptions, NaiveBayes, Numbers},
    kmeans::{KMeans, KMeansOptions, silhouette},
    neighbours::{NEIGHBOURS_MAX, Neighbours, NeighboursOptions, Weighting},
};
use serde_json::Value;

const CLASSES: Task = Task::Multiclass { classes: 3 };

fn fixture() -> Value {
    serde_json::from_str(include_str!("fixtures/sklearn/algorithms.json")).expect("the fixture is JSON")
}

fn numbers(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).expect("the fixture holds numbers")
}

fn matrix(value: &Value, columns: usize) -> Matrix {
    Matrix::from_values(columns, numbers(value)).expect("the fixture holds rows")
}

/// The model's answers for the rows, compared with what is expected.
fn agree(model: &dyn Predict, ask: &Matrix, expected: &Value, tolerance: f64) {
    let mut answers = vec![0.0; ask.rows() * model.outputs()];
    model.predict_rows(ask, &mut answers);
    let expected = numbers(expected);
    assert_eq!(answers.len(), expected.len());
    for (at, (answer, expected)) in answers.iter().zip(&expected).enumerate() {
        assert!((answer - expected).abs() < tolerance, "answer {at}: {answer}, expected {expected}");
    }
}

#[test]
fn neighbours_are_those_of_scikit_learn() {
    let data = fixture();
    let (rows, ask, kinds) = (matrix(&data["rows"], 3), matrix(&data["ask"], 3), [Kind::Number; 3]);
    for (weighting, suffix) in [(Weighting::Uniform, "uniform"), (Weighting::Distance, "distance")] {
        let options = NeighboursOptions { neighbours: 7, weighting };
        for (task, name) in [(Task::Binary, "binary"), (CLASSES, "classes"), (Task::Regression, "number")] {
            let target = numbers(&data[name]);
            let examples = Examples::new(&rows, &kinds, task, &target);
            let model = Neighbours::fit(&examples, &options, &Context::serial()).unwrap();
            agree(&model, &ask, &data[format!("knn_{name}_{suffix}")], 1e-6);
        }
    }
}

#[test]
fn naive_bayes_is_that_of_scikit_learn() {
    let data = fixture();
    let (rows, ask, kinds) = (matrix(&data["rows"], 3), matrix(&data["ask"], 3), [Kind::Number; 3]);
    let (binary, classes, weights) = (numbers(&data["binary"]), numbers(&data["classes"]), numbers(&data["weights"]));
    let context = Context::serial();
    let weighted = |examples| Examples { weights: Some(&weights), ..examples };
    let gaussian = BayesOptions::default();
    let examples = weighted(Examples::new(&rows, &kinds, Task::Binary, &binary));
    agree(&NaiveBayes::fit(&examples, &gaussian, &context).unwrap(), &ask, &data["gaussian_binary"], 1e-6);
    let examples = Examples::new(&rows, &kinds, CLASSES, &classes);
    agree(&NaiveBayes::fit(&examples, &gaussian, &context).unwrap(), &ask, &data["gaussian_classes"], 1e-6);
    let (codes, kinds) = (matrix(&data["codes"], 2), [Kind::Category { count: 4 }, Kind::Category { count: 5 }]);
    let examples = weighted(Examples::new(&codes, &kinds, CLASSES, &classes));
    let model = NaiveBayes::fit(&examples, &gaussian, &context).unwrap();
    agree(&model, &matrix(&data["ask_codes"], 2), &data["categorical_classes"], 1e-9);
    let (counts, kinds) = (matrix(&data["counts"], 3), [Kind::Number; 3]);
    let examples = weighted(Examples::new(&counts, &kinds, CLASSES, &classes));
    let options = BayesOptions { numbers: Numbers::Counts, ..gaussian };
    let model = NaiveBayes::fit(&examples, &options, &context).unwrap();
    agree(&model, &matrix(&data["ask_counts"], 3), &data["multinomial_classes"], 1e-9);
}

#[test]
fn clusters_are_those_of_scikit_learn() {
    let data = &fixture()["kmeans"];
    let rows = matrix(&data["rows"], 2);
    let options = KMeansOptions { clusters: 4, restarts: 10, ..KMeansOptions::default() };
    let context = Context::serial();
    let model = KMeans::fit(&rows, &[Kind::Number; 2], None, &options, &context).unwrap();
    let inertia = data["inertia"].as_f64().unwrap();
    assert!((model.inertia() - inertia).abs() < 1e-6 * inertia, "{} {inertia}", model.inertia());
    assert_eq!(model.sizes(), numbers(&data["sizes"]));
    let apart = silhouette(&model, &rows, 1000, 0, &context).unwrap();
    assert!((apart - data["silhouette"].as_f64().unwrap()).abs() < 1e-6, "{apart}");
    assert!((silhouette(&model, &rows, 100, 0, &context).unwrap() - apart).abs() < 0.1);
    assert_eq!(model, KMeans::fit(&rows, &[Kind::Number; 2], None, &options, &context).unwrap());
    // The middle of a cluster, in the units of the columns, is nearest to itself.
    for cluster in 0..4 {
        let (nearest, distance) = model.nearest(&model.center(cluster));
        assert_eq!(nearest, cluster);
        assert!(distance < 1e-9);
    }
}

#[test]
fn a_missing_value_says_nothing_to_naive_bayes() {
    let rows =
        Matrix::from_values(2, vec![1.0, 0.0, 2.0, f64::NAN, 5.0, 1.0, 6.0, 1.0, 1.5, 0.0, 5.5, f64::NAN]).unwrap();
    let target = [0.0, 0.0, 1.0, 1.0, 0.0, 1.0];
    let kinds = [Kind::Number, Kind::Category { count: 2 }];
    let examples = Examples::new(&rows, &kinds, Task::Binary, &target);
    let model = NaiveBayes::fit(&examples, &BayesOptions::default(), &Context::serial()).unwrap();
    let ask = |row: [f64; 2]| {
        let mut out = [0.0];
        model.predict(&row, &mut out);
        out[0]
    };
    assert_eq!(ask([f64::NAN, f64::NAN]), 0.5, "only the shares of the classes are left");
    assert_eq!(ask([f64::NAN, 7.0]), 0.5, "a code that was never seen is as good as none");
    assert!(ask([5.5, f64::NAN]) > 0.99);
    assert!((ask([f64::NAN, 1.0]) - 0.75).abs() < 1e-12, "two of two against none of two, each smoothed by one");
}

#[test]
fn weights_count_as_repetitions() {
    let data = fixture();
    let (rows, kinds, ask) = (matrix(&data["rows"], 3), [Kind::Number; 3], matrix(&data["ask"], 3));
    let target = numbers(&data["binary"]);
    let weights: Vec<f64> = (0..target.len()).map(|row| f64::from(u8::from(row % 3 != 0)) * 2.0).collect();
    let kept: Vec<usize> = (0..target.len()).filter(|row| row % 3 != 0).collect();
    let kept_target: Vec<f64> = kept.iter().map(|row| target[*row]).collect();
    let kept_rows = rows.select(&kept);
    let weighted = Examples { weights: Some(&weights), ..Examples::new(&rows, &kinds, Task::Binary, &target) };
    let fewer = Examples::new(&kept_rows, &kinds, Task::Binary, &kept_target);
    let context = Context::serial();
    let answers = |model: &dyn Predict| {
        let mut out = vec![0.0; ask.rows()];
        model.predict_rows(&ask, &mut out);
        out
    };
    let options = NeighboursOptions::default();
    let a = answers(&Neighbours::fit(&weighted, &options, &context).unwrap());
    let b = answers(&Neighbours::fit(&fewer, &options, &context).unwrap());
    assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-9));
    let options = BayesOptions::default();
    let a = answers(&NaiveBayes::fit(&weighted, &options, &context).unwrap());
    let b = answers(&NaiveBayes::fit(&fewer, &options, &context).unwrap());
    assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-9));
    let options = KMeansOptions { clusters: 3, ..KMeansOptions::default() };
    let a = KMeans::fit(&rows, &kinds, Some(&weights), &options, &context).unwrap();
    let b = KMeans::fit(&kept_rows, &kinds, None, &options, &context).unwrap();
    assert!((a.inertia() - 2.0 * b.inertia()).abs() < 1e-6 * a.inertia());
}

#[test]
fn models_survive_being_written() {
    let data = fixture();
    let (rows, kinds, target) = (matrix(&data["rows"], 3), [Kind::Number; 3], numbers(&data["binary"]));
    let examples = Examples::new(&rows, &kinds, Task::Binary, &target);
    let context = Context::serial();
    let neighbours = Neighbours::fit(&examples, &NeighboursOptions::default(), &context).unwrap();
    let bayes = NaiveBayes::fit(&examples, &BayesOptions::default(), &context).unwrap();
    let means = KMeans::fit(&rows, &kinds, None, &KMeansOptions::default(), &context).unwrap();
    let answer = |model: &dyn Predict| {
        let mut out = [0.0];
        model.predict(&[0.3, 110.0, 4.9], &mut out);
        out[0]
    };
    let read: Neighbours = serde_json::from_str(&serde_json::to_string(&neighbours).unwrap()).unwrap();
    assert!((answer(&read) - answer(&neighbours)).abs() < 1e-9);
    let read: NaiveBayes = serde_json::from_str(&serde_json::to_string(&bayes).unwrap()).unwrap();
    assert!((answer(&read) - answer(&bayes)).abs() < 1e-9);
    let read: KMeans = serde_json::from_str(&serde_json::to_string(&means).unwrap()).unwrap();
    assert_eq!(answer(&read), answer(&means));
}

#[test]
fn mistakes_are_told() {
    let rows = Matrix::from_values(1, vec![1.0, 2.0, 3.0, 3.0]).unwrap();
    let (kinds, target, context) = ([Kind::Number], [0.0, 1.0, 0.0, 1.0], Context::serial());
    let examples = Examples::new(&rows, &kinds, Task::Binary, &target);
    let options = NeighboursOptions { neighbours: NEIGHBOURS_MAX + 1, ..NeighboursOptions::default() };
    assert!(Neighbours::fit(&examples, &options, &context).unwrap_err().to_string().contains("take from 1 to 256"));
    let regression = Examples { task: Task::Regression, ..examples };
    let told = NaiveBayes::fit(&regression, &BayesOptions::default(), &context).unwrap_err().to_string();
    assert!(told.contains("predicts no numbers"));
    let one_class = Examples { target: &[1.0; 4], ..examples };
    let told = NaiveBayes::fit(&one_class, &BayesOptions::default(), &context).unwrap_err().to_string();
    assert!(told.contains("class 0 has no rows"));
    let options = KMeansOptions { clusters: 4, ..KMeansOptions::default() };
    assert!(KMeans::fit(&rows, &kinds, None, &options, &context).unwrap_err().to_string().contains("ask for fewer"));
    let kinds = [Kind::Category { count: 4 }];
    assert!(KMeans::fit(&rows, &kinds, None, &options, &context).unwrap_err().to_string().contains("code them"));
    let stopped = Context { stopped: &|| true, ..context };
    assert!(Neighbours::fit(&examples, &NeighboursOptions::default(), &stopped).is_err());
}

/// Numbers on a coarse grid (many equal distances), categories and holes.
fn mixed(random: &mut Random, rows: usize, columns: usize, kinds: &[Kind]) -> Matrix {
    let value = |random: &mut Random, column: usize| match kinds[column] {
        _ if random.below(10) == 0 => f64::NAN,
        Kind::Number => random.below(7) as f64,
        Kind::Category { count } => random.below(count as usize) as f64,
    };
    let values = (0..rows * columns).map(|at| value(random, at % columns)).collect();
    Matrix::from_values(columns, values).expect("whole rows")
}

proptest! {
    #[test]
    fn the_tree_finds_what_looking_at_every_row_finds(seed: u64, k in 1_usize..12) {
        let kinds = [Kind::Number, Kind::Category { count: 3 }, Kind::Number];
        let mut random = Random::new(seed, 0);
        let rows = mixed(&mut random, 150, 3, &kinds);
        // Sums of square roots differ, so that an answer tells its neighbours.
        let target: Vec<f64> = (0..150).map(|row| f64::from(row).sqrt()).collect();
        let examples = Examples::new(&rows, &kinds, Task::Regression, &target);
        let options = NeighboursOptions { neighbours: k, weighting: Weighting::Uniform };
        let model = Neighbours::fit(&examples, &options, &Context::serial()).unwrap();
        let moments = |column: usize| {
            let present: Vec<f64> = rows.column(column).filter(|value| value.is_finite()).collect();
            let mean = present.iter().sum::<f64>() / present.len() as f64;
            (mean, (present.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / present.len() as f64).sqrt())
        };
        let scales = [moments(0), (0.0, 1.0), moments(2)];
        let part = |column: usize, a: f64, b: f64| match kinds[column] {
            Kind::Category { .. } => f64::from(u8::from(a != b && !(a.is_nan() && b.is_nan()))),
            Kind::Number => {
                let (mean, deviation) = scales[column];
                let fill = |value: f64| if value.is_nan() { mean } else { value };
                ((fill(a) - fill(b)) / deviation).powi(2)
            }
        };
        for _ in 0..10 {
            let ask = mixed(&mut random, 1, 3, &kinds);
            let far = |row: usize| (0..3).map(|c| part(c, ask.row(0)[c], rows.row(row)[c])).sum::<f64>();
            let mut all: Vec<(i64, usize)> = (0..150).map(|row| ((far(row) * 1e9).round() as i64, row)).collect();
            all.sort_unstable();
            // Rounding may order rows of equal distance otherwise; ask only where the border is clear.
            if all[k - 1].0 + 10 < all[k].0 {
                let expected = all[..k].iter().map(|(_, row)| target[*row]).sum::<f64>() / k as f64;
                let mut out = [0.0];
                model.predict(ask.row(0), &mut out);
                prop_assert!((out[0] - expected).abs() < 1e-9, "{} {}", out[0], expected);
            }
        }
    }

    #[test]
    fn bounds_change_no_cluster(seed: u64, clusters in 2_usize..7) {
        let mut random = Random::new(seed, 1);
        let rows = Matrix::from_values(2, (0..240).map(|_| random.uniform()).collect()).unwrap();
        let options = KMeansOptions { clusters, restarts: 1, seed, ..KMeansOptions::default() };
        let model = KMeans::fit(&rows, &[Kind::Number; 2], None, &options, &Context::serial()).unwrap();
        // At a fixed point each row is with its nearest centre and each centre in the middle of its rows; a bound
        // that cut too much would leave a row behind.
        let mut sums = vec![[0.0; 3]; clusters];
        let mut inertia = 0.0;
        for row in 0..rows.rows() {
            let (cluster, distance) = model.nearest(rows.row(row));
            inertia += distance * distance;
            sums[cluster][0] += rows.row(row)[0];
            sums[cluster][1] += rows.row(row)[1];
            sums[cluster][2] += 1.0;
        }
        prop_assert!((inertia - model.inertia()).abs() < 1e-9 * inertia);
        for (cluster, sum) in sums.iter().enumerate() {
            let center = model.center(cluster);
            prop_assert!((sum[0] / sum[2] - center[0]).abs() < 1e-9 && (sum[1] / sum[2] - center[1]).abs() < 1e-9);
        }
    }
}
