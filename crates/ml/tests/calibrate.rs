//! Calibration against scikit-learn and scipy, and what every calibrator promises.

use proptest::prelude::*;
use rapport_ml::{
    MlError,
    calibrate::{Calibrator, Isotonic, Platt, Temperature},
};
use serde_json::Value;

fn fixture() -> Value {
    serde_json::from_str(include_str!("fixtures/sklearn/calibrate.json")).expect("the fixture is JSON")
}

fn numbers(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).expect("the fixture holds numbers")
}

#[test]
fn isotonic_and_platt_are_those_of_the_references() {
    let data = fixture();
    let (predicted, actual, weights) =
        (numbers(&data["predicted"]), numbers(&data["actual"]), numbers(&data["weights"]));
    for (weights, name) in [(None, "plain"), (Some(&weights[..]), "weighted")] {
        let total = weights.map_or(actual.len() as f64, |weights| weights.iter().sum());
        let margin = 1.0 / (total + 2.0);
        let isotonic = Isotonic::fit(&predicted, &actual, weights).unwrap();
        let platt = Platt::fit(&predicted, &actual, weights).unwrap();
        let expected = numbers(&data[format!("isotonic_{name}")]);
        let mut compared = 0;
        for (at, expected) in numbers(&data["at"]).into_iter().zip(expected) {
            // Where the reference says (nearly) 0 or 1, ours keeps its margin, which bends the lines that lead there.
            if (0.05..0.95).contains(&expected) {
                assert!((isotonic.apply(at) - expected).abs() < 1e-6, "{at}: {} {expected}", isotonic.apply(at));
                compared += 1;
            }
            assert!((margin..=1.0 - margin).contains(&isotonic.apply(at)));
        }
        assert!(compared > 20, "{compared}");
        for (at, expected) in numbers(&data["at"]).into_iter().zip(numbers(&data[format!("platt_{name}")])) {
            assert!((platt.apply(at) - expected).abs() < 1e-6, "{at}: {} {expected}", platt.apply(at));
        }
    }
}

#[test]
fn the_temperature_is_that_of_the_reference() {
    let data = &fixture()["temperature"];
    let (predicted, actual) = (numbers(&data["predicted"]), numbers(&data["actual"]));
    let temperature = Temperature::fit(&predicted, &actual, 3, None).unwrap();
    let expected = data["temperature"].as_f64().unwrap();
    assert!((temperature.temperature() - expected).abs() < 1e-6, "{} {expected}", temperature.temperature());
    let mut row = [0.7, 0.2, 0.1];
    Calibrator::Temperature(temperature).apply_row(&mut row);
    assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    assert!(row[0] > row[1] && row[1] > row[2], "the order stays");
    // Two classes are the one probability of yes.
    let mut two = [0.2, 0.8];
    temperature.apply_row(&mut two);
    assert!((two[1] - temperature.apply(0.8)).abs() < 1e-12);
}

#[test]
fn several_classes_keep_a_sum_of_one() {
    let data = fixture();
    let isotonic = Isotonic::fit(&numbers(&data["predicted"]), &numbers(&data["actual"]), None).unwrap();
    let mut row = [0.6, 0.3, 0.1];
    Calibrator::Isotonic(isotonic.clone()).apply_row(&mut row);
    assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    let mut one = [0.6];
    Calibrator::Isotonic(isotonic.clone()).apply_row(&mut one);
    assert_eq!(one[0], isotonic.apply(0.6));
}

#[test]
fn a_calibrator_survives_being_written() {
    let data = fixture();
    let (predicted, actual) = (numbers(&data["predicted"]), numbers(&data["actual"]));
    for calibrator in [
        Calibrator::Isotonic(Isotonic::fit(&predicted, &actual, None).unwrap()),
        Calibrator::Platt(Platt::fit(&predicted, &actual, None).unwrap()),
    ] {
        let json = serde_json::to_string(&calibrator).unwrap();
        let read: Calibrator = serde_json::from_str(&json).unwrap();
        assert!((read.apply(0.37) - calibrator.apply(0.37)).abs() < 1e-12);
    }
}

#[test]
fn what_cannot_be_calibrated_is_told() {
    let told = |result: Result<Platt, MlError>| result.unwrap_err().to_string();
    assert!(told(Platt::fit(&[0.1, 0.2], &[1.0, 1.0], None)).contains("both labels"));
    assert!(told(Platt::fit(&[0.1, 0.2], &[1.0], None)).contains("for each row"));
    assert!(told(Platt::fit(&[0.1, 1.2], &[1.0, 0.0], None)).contains("from 0 to 1"));
    assert!(told(Platt::fit(&[0.1, f64::NAN], &[1.0, 0.0], None)).contains("from 0 to 1"));
    assert!(told(Platt::fit(&[0.1, 0.2], &[1.0, 0.5], None)).contains("must be 1 or 0"));
    let reversed: Vec<f64> = (0..50).map(|row| f64::from(u8::from(row < 25))).collect();
    let predicted: Vec<f64> = (0..50).map(|row| 0.01 + f64::from(row) / 52.0).collect();
    assert!(told(Platt::fit(&predicted, &reversed, None)).contains("reversed"));
    assert!(Temperature::fit(&[0.5, 0.5], &[3.0], 2, None).is_err());
}

#[test]
fn labels_that_a_threshold_separates_leave_no_certainty() {
    let predicted: Vec<f64> = (0..100).map(|row| 0.005 + f64::from(row) / 100.0).collect();
    let actual: Vec<f64> = (0..100).map(|row| f64::from(u8::from(row >= 50))).collect();
    for calibrator in [
        Calibrator::Isotonic(Isotonic::fit(&predicted, &actual, None).unwrap()),
        Calibrator::Platt(Platt::fit(&predicted, &actual, None).unwrap()),
    ] {
        let (low, high) = (calibrator.apply(0.05), calibrator.apply(0.95));
        assert!(low > 0.0 && low < 0.05 && high > 0.95 && high < 1.0, "{low} {high}");
    }
}

proptest! {
    #[test]
    fn a_calibrated_probability_never_falls(
        rows in prop::collection::vec((0_u8..=50, any::<bool>(), 0.1_f64..3.0), 10..80)
    ) {
        let predicted: Vec<f64> = rows.iter().map(|row| f64::from(row.0) / 50.0).collect();
        let actual: Vec<f64> = rows.iter().map(|row| f64::from(u8::from(row.1))).collect();
        let weights: Vec<f64> = rows.iter().map(|row| row.2).collect();
        prop_assume!(rows.iter().any(|row| row.1) && rows.iter().any(|row| !row.1));
        let isotonic = Isotonic::fit(&predicted, &actual, Some(&weights)).unwrap();
        let curve: Vec<f64> = (0..=200).map(|at| isotonic.apply(f64::from(at) / 200.0)).collect();
        prop_assert!(curve.windows(2).all(|pair| pair[0] <= pair[1] + 1e-15));
        prop_assert!(curve.iter().all(|p| *p > 0.0 && *p < 1.0));
    }
}
