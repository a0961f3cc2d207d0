//! Evaluation of probabilities of one of several classes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Answers, CLIP, Order, figures};
use crate::MlError;

/// How good the probabilities of classes are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MulticlassEvaluation {
    /// Rows.
    pub rows: usize,
    /// Figures by name: `log_loss`, `base_log_loss` (always answering the shares of the classes), `accuracy`,
    /// `base_accuracy` (always the most frequent class), `macro_f1`, `weighted_f1`, `macro_auc` (one against the rest).
    pub figures: BTreeMap<String, f64>,
    /// The weight of rows by what they are (outer) and what they are called (inner).
    pub confusion: Vec<Vec<f64>>,
}

impl MulticlassEvaluation {
    /// Compares rows of `classes` probabilities with the numbers of the classes that came to be.
    pub fn of(answers: &Answers<'_>, classes: usize) -> Result<Self, MlError> {
        if classes < 2 {
            return Err(MlError::Shape("an evaluation of classes needs at least two".to_owned()));
        }
        answers.check(classes)?;
        let is_class = |actual: &f64| *actual >= 0.0 && *actual < classes as f64 && actual.fract() == 0.0;
        if let Some(at) = answers.actual.iter().position(|actual| !is_class(actual)) {
            return Err(MlError::Shape(format!(
                "the class of row {at} is {}, not a number below {classes}",
                answers.actual[at]
            )));
        }
        let mut confusion = vec![vec![0.0; classes]; classes];
        let (mut loss, mut total) = (0.0, 0.0);
        for (row, probabilities) in answers.predicted.chunks_exact(classes).enumerate() {
            let (actual, weight) = (answers.actual[row] as usize, answers.weight(row));
            confusion[actual][likeliest(probabilities)] += weight;
            let sum: f64 = probabilities.iter().sum();
            loss -= weight * (probabilities[actual] / sum).clamp(CLIP, 1.0).ln();
            total += weight;
        }
        let shares: Vec<f64> = confusion.iter().map(|called| called.iter().sum::<f64>() / total).collect();
        let base_log_loss = -shares.iter().filter(|share| **share > 0.0).map(|share| share * share.ln()).sum::<f64>();
        let f1 = f1(&confusion);
        let figures = figures([
            ("log_loss", loss / total),
            ("base_log_loss", base_log_loss),
            ("accuracy", (0..classes).map(|class| confusion[class][class]).sum::<f64>() / total),
            ("base_accuracy", shares.iter().copied().fold(0.0, f64::max)),
            ("macro_f1", f1.iter().sum::<f64>() / classes as f64),
            ("weighted_f1", f1.iter().zip(&shares).map(|(f1, share)| f1 * share).sum()),
            ("macro_auc", macro_auc(answers, classes)),
        ]);
        Ok(Self { rows: answers.actual.len(), figures, confusion })
    }
}

/// The first of the largest.
fn likeliest(probabilities: &[f64]) -> usize {
    (1..probabilities.len())
        .fold(0, |best, class| if probabilities[class] > probabilities[best] { class } else { best })
}

/// F1 of each class; 0 where it is neither there nor called.
fn f1(confusion: &[Vec<f64>]) -> Vec<f64> {
    let of = |class: usize| {
        let is: f64 = confusion[class].iter().sum();
        let called: f64 = confusion.iter().map(|row| row[class]).sum();
        if is + called > 0.0 { 2.0 * confusion[class][class] / (is + called) } else { 0.0 }
    };
    (0..confusion.len()).map(of).collect()
}

/// The mean over classes of the area under the curve of one against the rest; NaN if a class has no rows.
fn macro_auc(answers: &Answers<'_>, classes: usize) -> f64 {
    let area = |class: usize| {
        let scores: Vec<f64> = answers.predicted.iter().skip(class).step_by(classes).copied().collect();
        let actual: Vec<f64> =
            answers.actual.iter().map(|actual| f64::from(u8::from(*actual == class as f64))).collect();
        Order::new(&scores).sweep(&actual, answers.weights).auc()
    };
    (0..classes).map(area).sum::<f64>() / classes as f64
}
