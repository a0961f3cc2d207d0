//! The support vector machine with kernels against scikit-learn's.

#![allow(clippy::unwrap_used, reason = "helpers of tests stop the test as the tests themselves do")]

use rapport_ml::{Context, Examples, Kernel, KernelSvm, KernelSvmOptions, Kind, Matrix, Predict, Task};
use serde_json::Value;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn read() -> (Value, Matrix) {
    let value: Value = serde_json::from_str(include_str!("fixtures/sklearn/linear.json")).unwrap();
    let mut rows = Matrix::new(6);
    value["rows"].as_array().unwrap().iter().for_each(|row| rows.push(&numbers(row)).unwrap());
    (value, rows)
}

const KINDS: [Kind; 6] = [Kind::Number; 6];

#[test]
fn margins_are_scikit_learns_to_single_precision() {
    let (value, rows) = read();
    let target = numbers(&value["yes_no"]);
    let examples = Examples::new(&rows, &KINDS, Task::Binary, &target);
    let base = KernelSvmOptions { tolerance: 1e-7, steps: 1_000_000, ..KernelSvmOptions::default() };
    for (case, options) in [
        ("svc_rbf", KernelSvmOptions { c: 2.0, ..base }),
        (
            "svc_poly",
            KernelSvmOptions { kernel: Kernel::Polynomial { degree: 3, gamma: Some(0.2), shift: 1.0 }, ..base },
        ),
    ] {
        let model = KernelSvm::fit(&examples, &options, &Context::serial()).unwrap();
        let expected = numbers(&value["cases"][case]["decision"]);
        let off = (0..200).map(|row| (model.margin(rows.row(row), 0) - expected[row]).abs()).fold(0.0, f64::max);
        assert!(off < 1e-4, "{case}: off by {off:e}");
        assert_eq!(model.vectors(), numbers(&value["cases"][case]["rows"]).len(), "{case}");
    }
}

#[test]
fn a_tiny_cache_changes_nothing() {
    let (value, rows) = read();
    let target = numbers(&value["yes_no"]);
    let examples = Examples::new(&rows, &KINDS, Task::Binary, &target);
    let large = KernelSvm::fit(&examples, &KernelSvmOptions::default(), &Context::serial()).unwrap();
    let small = KernelSvmOptions { cache_bytes: 0, ..KernelSvmOptions::default() };
    assert_eq!(large, KernelSvm::fit(&examples, &small, &Context::serial()).unwrap());
}

#[test]
fn classes_have_probabilities_that_fit() {
    let (value, rows) = read();
    let target = numbers(&value["classes"]);
    let examples = Examples::new(&rows, &KINDS, Task::Multiclass { classes: 3 }, &target);
    let model = KernelSvm::fit(&examples, &KernelSvmOptions::default(), &Context::serial()).unwrap();
    let (mut out, mut right, mut sums) = (vec![0.0; 600], 0, [0.0; 3]);
    model.predict_rows(&rows, &mut out);
    for (out, target) in out.chunks_exact(3).zip(&target) {
        assert!((out.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        right += usize::from(out.iter().all(|other| *other <= out[*target as usize]));
        sums.iter_mut().zip(out).for_each(|(sum, p)| *sum += p / 200.0);
    }
    assert!(right > 130, "{right} of 200");
    for (class, mean) in sums.iter().enumerate() {
        let share = target.iter().filter(|target| **target == class as f64).count() as f64 / 200.0;
        assert!((mean - share).abs() < 0.1, "class {class}: {mean} for {share}");
    }
}

#[test]
fn too_many_rows_are_refused() {
    let rows = Matrix::from_values(1, vec![0.0; 20_001]).unwrap();
    let mut target = vec![0.0; 20_001];
    target[0] = 1.0;
    let examples = Examples::new(&rows, &KINDS[..1], Task::Binary, &target);
    let error = KernelSvm::fit(&examples, &KernelSvmOptions::default(), &Context::serial()).unwrap_err();
    assert!(error.to_string().contains("take a linear machine or boosted trees"), "{error}");
}
