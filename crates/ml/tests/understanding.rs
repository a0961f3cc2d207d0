//! Permutation importance, partial dependence and drift on models and distributions whose answers are known.

use rapport_ml::{
    Context, Kind, Matrix, Predict, Random,
    drift::{Band, Reference},
    permutation::{DependenceOptions, PermutationOptions, grid, partial_dependence, permutation_importance},
};

/// 3 a + b², and nothing of c.
struct Known;

impl Predict for Known {
    fn outputs(&self) -> usize {
        1
    }

    fn predict(&self, row: &[f64], out: &mut [f64]) {
        out[0] = 3.0 * row[0] + row[1] * row[1];
    }
}

fn rows(n: usize) -> Matrix {
    let mut random = Random::new(5, 0);
    Matrix::from_values(3, (0..3 * n).map(|_| random.uniform() * 2.0 - 1.0).collect()).expect("whole rows")
}

#[test]
fn importance_is_the_loss_that_theory_says() {
    let rows = rows(4000);
    let mut actual = vec![0.0; rows.rows()];
    Known.predict_rows(&rows, &mut actual);
    let metric = |answers: &[f64]| {
        -answers.iter().zip(&actual).map(|(answer, actual)| (answer - actual).powi(2)).sum::<f64>()
            / actual.len() as f64
    };
    let groups = [vec![0], vec![1], vec![2], vec![0, 1]];
    let options = PermutationOptions { repeats: 4, seed: 1 };
    let of = || permutation_importance(&Known, &rows, &groups, &metric, &options, &Context::serial()).unwrap();
    let importance = of();
    // A permuted column is an independent copy: the mean squared error is twice the variance of its term.
    // Var(3 a) = 9 / 3 and Var(b²) = 1 / 5 - 1 / 9 for uniform a, b from -1 to 1.
    let (a, b) = (2.0 * 3.0, 2.0 * (1.0 / 5.0 - 1.0 / 9.0));
    assert!((importance[0].mean - a).abs() < 0.2, "{importance:?}");
    assert!((importance[1].mean - b).abs() < 0.02, "{importance:?}");
    assert_eq!((importance[2].mean, importance[2].deviation), (0.0, 0.0));
    assert!((importance[3].mean - a - b).abs() < 0.3, "{importance:?}");
    assert!(importance[0].deviation > 0.0);
    assert_eq!(importance, of());
    let told = permutation_importance(&Known, &rows, &[vec![3]], &metric, &options, &Context::serial());
    assert!(told.unwrap_err().to_string().contains("no column 3"));
}

#[test]
fn partial_dependence_is_the_shape_of_the_term() {
    let rows = rows(1000);
    let settings = grid(&rows, 1, Kind::Number, 9);
    assert_eq!(settings.len(), 9);
    let options = DependenceOptions { individual: true, ..DependenceOptions::default() };
    let found = partial_dependence(&Known, &rows, &[1], &settings, &options, &Context::serial()).unwrap();
    let offset = found.mean[0] - settings[0][0].powi(2);
    for (mean, setting) in found.mean.iter().zip(&settings) {
        assert!((mean - setting[0].powi(2) - offset).abs() < 1e-9);
    }
    assert_eq!(found.individual.len(), 500);
    let first = &found.individual[0];
    assert!((first[1] - first[0] - (settings[1][0].powi(2) - settings[0][0].powi(2))).abs() < 1e-9);
    assert_eq!(grid(&rows, 0, Kind::Category { count: 3 }, 9), [[0.0], [1.0], [2.0]]);
    let constant = Matrix::from_values(1, vec![4.0; 10]).unwrap();
    assert_eq!(grid(&constant, 0, Kind::Number, 9), [[4.0]]);
    let told = partial_dependence(&Known, &rows, &[0, 1], &settings, &options, &Context::serial());
    assert!(told.unwrap_err().to_string().contains("each column"));
}

#[test]
fn drift_is_told_from_chance() {
    let mut random = Random::new(2, 0);
    let mut draw = |n: usize, shift: f64| -> Vec<f64> {
        let normal = |random: &mut Random| (0..12).map(|_| random.uniform()).sum::<f64>() - 6.0;
        (0..n).map(|_| normal(&mut random) + shift).collect()
    };
    let reference = Reference::of_numbers(&draw(20_000, 0.0), 10).unwrap();
    let same = reference.compare(&draw(5_000, 0.0)).unwrap();
    assert_eq!(same.band, Band::Steady);
    assert!(same.psi < 4.0 * same.psi_by_chance, "{same:?}");
    let half = reference.compare(&draw(20_000, 0.5)).unwrap();
    // The index of two normal distributions half a deviation apart is 0.25; bins lose a little of it.
    assert!((half.psi - 0.25).abs() < 0.03, "{half:?}");
    // Their greatest distance is 2 Φ(0.25) - 1 = 0.197, near the edge between the two means.
    assert!((half.ks.unwrap() - 0.197).abs() < 0.015, "{half:?}");
    assert_eq!(reference.compare(&draw(5_000, 1.0)).unwrap().band, Band::Shifted);
}

#[test]
fn an_index_is_what_its_definition_says() {
    let reference = Reference::of_categories(&[0.0, 0.0, 0.0, 1.0], 2).unwrap();
    let drift = reference.compare(&[0.0, 1.0]).unwrap();
    let expected = (0.5 - 0.75) * (0.5_f64 / 0.75).ln() + (0.5 - 0.25) * (0.5_f64 / 0.25).ln();
    assert!((drift.psi - expected).abs() < 1e-12);
    assert_eq!((drift.ks, drift.band, drift.rows), (None, Band::Shifted, 2));
    assert!((drift.psi_by_chance - (1.0 / 4.0 + 1.0 / 2.0)).abs() < 1e-12);
    let unseen = reference.compare(&[0.0, 0.0, 0.0, 7.0]).unwrap();
    assert_eq!(unseen.band, Band::Shifted, "a new category in a quarter of the rows");
    let same = reference.compare(&[1.0, 0.0, 0.0, 0.0]).unwrap();
    assert_eq!((same.psi, same.band), (0.0, Band::Steady));
}

#[test]
fn missing_values_and_frequent_values_have_their_bins() {
    let mut values = vec![0.0; 60];
    values.extend((1..=40).map(f64::from));
    let reference = Reference::of_numbers(&values, 10).unwrap();
    assert_eq!(reference.compare(&values).unwrap().psi, 0.0);
    values[..30].fill(f64::NAN);
    let drift = reference.compare(&values).unwrap();
    assert_eq!(drift.band, Band::Shifted, "a third of the rows lost its value: {drift:?}");
    assert!(reference.compare(&[f64::NAN]).unwrap().ks.is_none());
    assert!(reference.compare(&[]).unwrap_err().to_string().contains("no values"));
    let mut counts = reference.nothing();
    values.iter().for_each(|value| reference.count(*value, &mut counts));
    assert_eq!(reference.drift(&counts).unwrap(), drift);
    let read: Reference = serde_json::from_str(&serde_json::to_string(&reference).unwrap()).unwrap();
    assert_eq!(read, reference);
    let other = Reference::of_categories(&[0.0], 1).unwrap();
    assert!(other.drift(&counts).unwrap_err().to_string().contains("another reference"));
}
