//! A model from labelled moments: split by time, fit, evaluated, fitted again on everything.

use std::collections::BTreeMap;

use rapport_ml::{Artifact, Evaluation, FitOptions, Matrix, Predictor, auc, auc_interval, fit};
use rapport_types::{Duration, Timestamp};

use crate::{LearnError, TrainingSet};

/// The share of the moments, the newest, that a fit is tested on.
const TEST_SHARE: f64 = 0.2;
/// The least number of moments on each side of the split.
const LEAST: usize = 50;

/// A model with what is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Trained {
    /// Fitted on all moments; its metrics are those of an equal fit on the older ones, tested on the newest.
    pub artifact: Artifact,
    /// How many moments.
    pub rows: u64,
    /// The first and the last of them.
    pub range: (Timestamp, Timestamp),
}

/// Learns from a training set. `baseline` is the feature whose recency alone a model must beat: the smaller, the likelier.
///
/// The newest fifth is for the test. Moments of which the outcome reaches into that time (`within`) are not learnt from in
/// the tested fit, because a label must not be known before the test begins.
pub fn train(set: &TrainingSet, within: Duration, baseline: &str) -> Result<Trained, LearnError> {
    let n = set.labels.len();
    let cut = ((n as f64 * (1.0 - TEST_SHARE)) as usize).min(n.saturating_sub(1));
    let begin = set.at.get(cut).copied().unwrap_or(Timestamp::MIN);
    let older: Vec<usize> = (0..n).filter(|place| set.at[*place].plus(within) <= begin).collect();
    let newer: Vec<usize> = (0..n).filter(|place| set.at[*place] >= begin).collect();
    if older.len() < LEAST || newer.len() < LEAST {
        return Err(LearnError::TooShort { train: older.len(), test: newer.len() });
    }
    let names: Vec<&str> = set.names.iter().map(String::as_str).collect();
    let labels_of = |places: &[usize]| places.iter().map(|place| set.labels[*place]).collect::<Vec<bool>>();
    let (train_labels, test_labels) = (labels_of(&older), labels_of(&newer));
    let test_rows = set.rows.select(&newer);
    let tested = fit(&names, &set.rows.select(&older), &train_labels, FitOptions::default())?;
    let probabilities = predict(&tested, &test_rows);
    let mut metrics = Evaluation::of(&probabilities, &test_labels).figures();
    let (low, high) = auc_interval(&probabilities, &test_labels);
    metrics.extend([("auc_low".to_owned(), low), ("auc_high".to_owned(), high)]);
    metrics.insert("train_rows".to_owned(), older.len() as f64);
    if let Some(place) = names.iter().position(|name| *name == baseline) {
        metrics.extend(against_baseline(set, place, (&older, &train_labels), (&newer, &test_labels))?);
    }
    metrics.retain(|_, figure| figure.is_finite());
    let mut artifact = fit(&names, &set.rows, &set.labels, FitOptions::default())?;
    let range = (set.at[0], set.at[n - 1]);
    artifact.metrics = metrics;
    artifact.training_range = Some((range.0.0, range.1.0));
    Ok(Trained { artifact, rows: n as u64, range })
}

fn predict(artifact: &Artifact, rows: &Matrix) -> Vec<f64> {
    let predictor = Predictor::new(artifact);
    (0..rows.rows()).map(|row| predictor.predict(rows.row(row))).collect()
}

/// Recency alone: its ranking, and a model of nothing else.
fn against_baseline(
    set: &TrainingSet,
    place: usize,
    (older, train_labels): (&[usize], &[bool]),
    (newer, test_labels): (&[usize], &[bool]),
) -> Result<BTreeMap<String, f64>, LearnError> {
    let column = |places: &[usize]| -> Result<Matrix, LearnError> {
        let mut one = Matrix::new(1);
        for row in places {
            one.push(&[set.rows.row(*row)[place]])?;
        }
        Ok(one)
    };
    let ranking: Vec<f64> = newer.iter().map(|row| -set.rows.row(*row)[place]).collect();
    let alone = fit(&[&set.names[place]], &column(older)?, train_labels, FitOptions::default())?;
    let alone = Evaluation::of(&predict(&alone, &column(newer)?), test_labels);
    let figures = [
        ("recency_auc", auc(&ranking, test_labels)),
        ("recency_model_auc", alone.auc),
        ("recency_log_loss", alone.log_loss),
    ];
    Ok(figures.map(|(name, figure)| (name.to_owned(), figure)).into())
}
