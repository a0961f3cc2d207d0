//! ONNX files: those of other programs answer here as they do in onnxruntime, those written here come back the same, and
//! damaged ones are refused. `fixtures/onnx/make.py` made the files and the expected answers.

use std::path::{Path, PathBuf};

use rapport_ml::onnx::{Ending, Foreign, Linear, export_linear, export_trees};
use rapport_ml::tree::{FlatTrees, Node, Test, Tree};
use rapport_ml::{MlError, Predict, Random, Task};

#[derive(serde::Deserialize)]
struct Expected {
    rows: Vec<Vec<Option<f64>>>,
    answers: Vec<Vec<f64>>,
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/onnx").join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(fixture(&format!("{name}.onnx"))).expect("a fixture")
}

/// The largest difference between what a file answers here and in onnxruntime.
fn difference(name: &str, task: Task) -> f64 {
    let model = Foreign::from_onnx(&bytes(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(model.task(), task, "{name}");
    let expected = std::fs::read(fixture(&format!("{name}.json"))).expect("a fixture");
    let expected: Expected = serde_json::from_slice(&expected).expect("rows and answers");
    let mut out = vec![0.0; model.outputs()];
    let mut most = 0.0_f64;
    assert!(expected.rows.len() >= 8);
    for (row, answer) in expected.rows.iter().zip(expected.answers) {
        let row: Vec<f64> = row.iter().map(|value| value.unwrap_or(f64::NAN)).collect();
        assert_eq!(row.len(), model.columns());
        model.predict(&row, &mut out);
        // Of two classes the second is the answer.
        let answer = if task == Task::Binary { &answer[1..] } else { &answer[..] };
        assert_eq!(answer.len(), out.len());
        most = answer.iter().zip(&out).map(|(a, b)| (a - b).abs()).fold(most, f64::max);
    }
    most
}

#[test]
fn files_of_other_programs_answer_as_in_onnxruntime() {
    let three = Task::Multiclass { classes: 3 };
    for (name, task) in [
        ("scaled_logistic", Task::Binary),
        ("imputed_logistic", three),
        ("one_hot_logistic", Task::Binary),
        ("linear", Task::Regression),
        ("network", Task::Binary),
        ("machine", Task::Binary),
        ("tree", Task::Binary),
        ("forest", three),
        ("forest_regression", Task::Regression),
        ("boosting", Task::Binary),
        ("boosting_three", three),
        ("boosting_regression", Task::Regression),
        ("lightgbm", Task::Binary),
        ("lightgbm_three", three),
        ("lightgbm_regression", Task::Regression),
        ("lightgbm_categories", Task::Binary),
        ("xgboost", Task::Binary),
        ("xgboost_three", three),
        ("xgboost_regression", Task::Regression),
    ] {
        let difference = difference(name, task);
        assert!(difference < 2e-6, "{name}: {difference}");
    }
}

#[test]
fn all_kinds_of_branches_go_the_same_way() {
    // Each tree adds a power of two, so that equality means equal paths.
    assert_eq!(difference("modes", Task::Regression), 0.0);
    assert_eq!(difference("modes_double", Task::Regression), 0.0);
}

#[test]
fn what_is_not_supported_is_named() {
    let mut file = bytes("imputed_logistic");
    for at in 0..file.len() - 10 {
        if file[at..].starts_with(b"Normalizer") {
            file[at..][..10].copy_from_slice(b"Normaliser");
        }
    }
    let error = Foreign::from_onnx(&file).unwrap_err().to_string();
    assert!(
        error.contains("operator Normaliser is not supported") && error.contains("TreeEnsembleClassifier"),
        "{error}"
    );
    assert!(matches!(Foreign::from_onnx(b"no model"), Err(MlError::Onnx(_))));
    assert!(matches!(Foreign::from_onnx(b""), Err(MlError::Onnx(_))));
}

#[test]
fn a_small_file_cannot_fill_the_memory() {
    // A graph of very many empty operators: two bytes each, hundreds in memory.
    let operators = [0x0a, 0].repeat(1_000_000);
    let mut file = vec![0x3a];
    let mut len = operators.len();
    while len > 0x7f {
        file.push(len as u8 | 0x80);
        len >>= 7;
    }
    file.push(len as u8);
    file.extend(operators);
    let error = Foreign::from_onnx(&file).unwrap_err().to_string();
    assert!(error.contains("parts"), "{error}");
}

#[test]
fn damaged_files_never_panic() {
    let mut read = 0;
    let mut refused = 0;
    let mut random = Random::new(3, 0);
    for name in ["one_hot_logistic", "network", "modes", "lightgbm", "xgboost_three", "boosting_three"] {
        let good = bytes(name);
        for _ in 0..400 {
            let mut bad = good.clone();
            for _ in 0..=random.below(3) {
                let at = random.below(bad.len());
                match random.below(3) {
                    0 => bad[at] = random.next_u64() as u8,
                    1 => bad[at] ^= 1 << random.below(8),
                    _ => bad.truncate(at.max(1)),
                }
            }
            match Foreign::from_onnx(&bad) {
                Ok(model) => {
                    let mut out = vec![0.0; model.outputs()];
                    model.predict(&vec![0.5; model.columns()], &mut out);
                    read += 1;
                }
                Err(MlError::Onnx(_)) => refused += 1,
                Err(other) => panic!("{name}: {other:?}"),
            }
        }
    }
    assert!(read > 100 && refused > 100, "{read} read, {refused} refused");
}

/// Trees over two numbers and a category, with values that `f32` holds.
fn some_trees(count: usize, outputs: u32) -> Vec<Tree> {
    let mut random = Random::new(5, 0);
    let mut split = |depth: u32| {
        let column = random.below(3) as u32;
        let test = if column == 2 {
            let mut codes = random.next_u64() as u32 & random.next_u64() as u32 & 0xff;
            if depth == 1 {
                codes = 0;
            }
            Test::In(Box::new([codes]))
        } else {
            Test::AtMost(random.uniform() as f32)
        };
        (column, test, random.below(2) == 0)
    };
    let mut tree = || {
        let mut nodes = Vec::new();
        for at in 0..7_u32 {
            let (column, test, missing_left) = split(at);
            nodes.push(Node::Split { column, test, missing_left, left: 2 * at + 1, right: 2 * at + 2 });
        }
        nodes.extend((0..8).map(|leaf| Node::Leaf { value: leaf * outputs }));
        let values = (0..8 * outputs).map(|value| f64::from(value * 37 % 64) / 64.0).collect();
        Tree { outputs, cover: vec![1.0; nodes.len()], nodes, values }
    };
    (0..count).map(|_| tree()).collect()
}

fn some_rows() -> Vec<[f64; 3]> {
    let mut random = Random::new(6, 0);
    let mut number =
        |scale: f64| if random.below(8) == 0 { f64::NAN } else { (random.uniform() * scale).floor() / 8.0 };
    (0..200).map(|_| [number(8.0), number(8.0), number(80.0).floor()]).collect()
}

/// Whether a file answers for many rows as a function does.
fn assert_same(file: &[u8], task: Task, expected: impl Fn(&[f64], &mut [f64])) {
    let model = Foreign::from_onnx(file).expect("a model");
    assert_eq!(model.task(), task);
    let (mut out, mut other) = (vec![0.0; model.outputs()], vec![0.0; model.outputs()]);
    for row in some_rows() {
        model.predict(&row, &mut out);
        expected(&row, &mut other);
        for (a, b) in out.iter().zip(&other) {
            assert!((a - b).abs() < 1e-6, "{row:?}: {out:?} instead of {other:?}");
        }
    }
}

fn softmax(out: &mut [f64]) {
    out.iter_mut().for_each(|x| *x = x.exp());
    let sum: f64 = out.iter().sum();
    out.iter_mut().for_each(|x| *x /= sum);
}

#[test]
fn trees_come_back_the_same() {
    let three = Task::Multiclass { classes: 3 };
    let trees = some_trees(6, 1);
    let sums = |base: &'static [f64]| {
        let flat = FlatTrees::new(&trees, base).unwrap();
        move |row: &[f64], out: &mut [f64]| flat.sums(row, out)
    };
    let one = sums(&[0.25]);
    let file = export_trees(&trees, &[0.25], 1.0, 3, Task::Regression, Ending::Nothing).unwrap();
    assert_same(&file, Task::Regression, &one);
    let file = export_trees(&trees, &[0.25], 1.0, 3, Task::Binary, Ending::Probabilities).unwrap();
    assert_same(&file, Task::Binary, |row, out| {
        one(row, out);
        out[0] = 1.0 / (1.0 + (-out[0]).exp());
    });
    let file = export_trees(&trees, &[0.25], -1.0, 3, Task::Binary, Ending::Probabilities).unwrap();
    let base = sums(&[0.0]);
    assert_same(&file, Task::Binary, |row, out| {
        base(row, out);
        out[0] = 1.0 / (1.0 + (out[0] - 0.25).exp());
    });
    let forest = sums(&[0.0]);
    let file = export_trees(&trees, &[0.0], 1.0 / 6.0, 3, Task::Binary, Ending::Nothing).unwrap();
    assert_same(&file, Task::Binary, |row, out| {
        forest(row, out);
        out[0] /= 6.0;
    });
    let turns = sums(&[0.5, -0.5, 0.0]);
    let file = export_trees(&trees, &[0.5, -0.5, 0.0], 1.0, 3, three, Ending::Probabilities).unwrap();
    assert_same(&file, three, |row, out| {
        turns(row, out);
        softmax(out);
    });
    let trees = some_trees(4, 3);
    let flat = FlatTrees::new(&trees, &[0.0; 3]).unwrap();
    let file = export_trees(&trees, &[0.0; 3], 0.25, 3, three, Ending::Nothing).unwrap();
    assert_same(&file, three, |row, out| {
        flat.sums(row, out);
        out.iter_mut().for_each(|sum| *sum *= 0.25);
    });
}

#[test]
fn linear_models_come_back_the_same() {
    let three = Task::Multiclass { classes: 3 };
    let weights = [0.5, -1.0, 0.125, 0.25, 2.0, -0.5, 1.0, 0.0, 0.25];
    let scaled = |row: &[f64]| [(row[0] - 0.5) * 2.0, row[1] * 0.5, row[2] - 2.0];
    let (offset, scale) = ([0.5, 0.0, 2.0], [2.0, 0.5, 1.0]);
    for (task, outputs) in [(Task::Regression, 1), (Task::Binary, 1), (three, 3)] {
        let model = Linear {
            offset: &offset,
            scale: &scale,
            weights: &weights[..3 * outputs],
            intercepts: &[0.5, -0.25, 0.0][..outputs],
        };
        let file = export_linear(model, 3, task).unwrap();
        let read = Foreign::from_onnx(&file).unwrap();
        assert_eq!(read.task(), task);
        for row in some_rows().iter().filter(|row| row.iter().all(|value| !value.is_nan())) {
            let scaled = scaled(row);
            let mut expected: Vec<f64> = (0..outputs)
                .map(|output| {
                    let sum: f64 = scaled.iter().zip(&weights[3 * output..]).map(|(x, weight)| x * weight).sum();
                    sum + model.intercepts[output]
                })
                .collect();
            match task {
                Task::Binary => expected[0] = 1.0 / (1.0 + (-expected[0]).exp()),
                Task::Multiclass { .. } => softmax(&mut expected),
                Task::Regression | Task::Ranking => {}
            }
            let mut out = vec![0.0; outputs];
            read.predict(row, &mut out);
            assert!(out.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-6), "{out:?} instead of {expected:?}");
        }
    }
    let model = Linear { offset: &[], scale: &[], weights: &[1.0], intercepts: &[0.0] };
    assert!(matches!(export_linear(model, 2, Task::Binary), Err(MlError::Shape(_))));
}

#[test]
fn sets_that_are_too_large_to_write_are_refused() {
    let set = Test::In(vec![u32::MAX; 1 << 17].into());
    let nodes = vec![
        Node::Split { column: 0, test: set, missing_left: false, left: 1, right: 2 },
        Node::Leaf { value: 0 },
        Node::Leaf { value: 0 },
    ];
    let tree = Tree { outputs: 1, cover: vec![1.0; nodes.len()], nodes, values: vec![1.0] };
    let error = export_trees(&[tree], &[0.0], 1.0, 1, Task::Regression, Ending::Nothing).unwrap_err();
    assert!(error.to_string().contains("more than 4194304 nodes"), "{error}");
}
