//! Evaluation of probabilities of yes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Answers, Binning, BootstrapOptions, CLIP, CurvePoint, Interval, Order, ReliabilityBin, bootstrap_all,
    calibration_error, figures, reliability,
};
use crate::{Context, MlError};

/// How many bins calibration is shown and measured with.
const BINS: usize = 10;
const DECILES: usize = 10;
/// The figures that get an interval, in the order of [`ranked`].
const UNCERTAIN: [&str; 5] = ["auc", "average_precision", "log_loss", "brier", "ks"];

/// What mistakes cost, in one unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Costs {
    /// Acting on a row that is negative.
    pub false_positive: f64,
    /// Not acting on a row that is positive.
    pub false_negative: f64,
}

impl Default for Costs {
    fn default() -> Self {
        Self { false_positive: 1.0, false_negative: 1.0 }
    }
}

impl Costs {
    /// The probability from which acting is cheaper than not acting (Elkan: The foundations of cost-sensitive learning,
    /// 2001). It is right for probabilities that are calibrated.
    pub fn threshold(self) -> f64 {
        self.false_positive / (self.false_positive + self.false_negative)
    }

    fn check(self) -> Result<(), MlError> {
        let fine = |cost: f64| cost.is_finite() && cost > 0.0;
        if fine(self.false_positive) && fine(self.false_negative) {
            return Ok(());
        }
        Err(MlError::Shape("what a mistake costs must be a number above 0, for both kinds of mistakes".to_owned()))
    }
}

/// The weights of the four outcomes at a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Confusion {
    /// From this probability on a row is called positive.
    pub threshold: f64,
    /// Positive and called so.
    pub true_positive: f64,
    /// Negative but called positive.
    pub false_positive: f64,
    /// Negative and called so.
    pub true_negative: f64,
    /// Positive but called negative.
    pub false_negative: f64,
}

impl Confusion {
    /// Counts outcomes at a threshold.
    pub fn at(answers: &Answers<'_>, threshold: f64) -> Self {
        let mut confusion = Self { threshold, ..Self::default() };
        for (row, (predicted, actual)) in answers.predicted.iter().zip(answers.actual).enumerate() {
            let place = match (*actual == 1.0, *predicted >= threshold) {
                (true, true) => &mut confusion.true_positive,
                (false, true) => &mut confusion.false_positive,
                (false, false) => &mut confusion.true_negative,
                (true, false) => &mut confusion.false_negative,
            };
            *place += answers.weight(row);
        }
        confusion
    }

    /// The share of those called positive that are; 0 if none is called so.
    pub fn precision(&self) -> f64 {
        share(self.true_positive, self.true_positive + self.false_positive)
    }

    /// The share of positives that are called so; 0 if there are none.
    pub fn recall(&self) -> f64 {
        share(self.true_positive, self.true_positive + self.false_negative)
    }

    /// The harmonic mean of precision and recall; 0 where both are.
    pub fn f1(&self) -> f64 {
        share(2.0 * self.true_positive, 2.0 * self.true_positive + self.false_positive + self.false_negative)
    }

    /// The share of rows that are called what they are.
    pub fn accuracy(&self) -> f64 {
        let right = self.true_positive + self.true_negative;
        share(right, right + self.false_positive + self.false_negative)
    }

    /// What the mistakes cost for each row, in the unit of `costs`.
    pub fn cost(&self, costs: Costs) -> f64 {
        let all = self.true_positive + self.true_negative + self.false_positive + self.false_negative;
        share(self.false_positive * costs.false_positive + self.false_negative * costs.false_negative, all)
    }
}

fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// A tenth of the rows, by probability from the highest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Decile {
    /// 1 is the tenth with the highest probabilities.
    pub decile: u32,
    /// The weight of its rows.
    pub weight: f64,
    /// The share of positives in it.
    pub rate: f64,
    /// That share over the share among all rows.
    pub lift: f64,
    /// The share of all positives that this tenth and those above hold.
    pub gain: f64,
}

/// How good probabilities of yes are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BinaryEvaluation {
    /// Rows.
    pub rows: usize,
    /// Figures by name: `base_rate`, `auc`, `average_precision`, `log_loss`, `base_log_loss`, `brier`, `base_brier`,
    /// `ece`, `ece_equal_count`, `ks`, and at the threshold of the costs `precision`, `recall`, `f1`, `accuracy`, `cost`.
    pub figures: BTreeMap<String, f64>,
    /// Confidence intervals of figures, where they were asked for.
    pub intervals: BTreeMap<String, Interval>,
    /// True positive rate by false positive rate.
    pub roc: Vec<CurvePoint>,
    /// Precision by recall.
    pub precision_recall: Vec<CurvePoint>,
    /// Predicted against observed in bins of equal count.
    pub calibration: Vec<ReliabilityBin>,
    /// Ten tenths of the rows.
    pub deciles: Vec<Decile>,
    /// What mistakes cost.
    pub costs: Costs,
    /// The outcomes at the threshold that the costs imply.
    pub confusion: Confusion,
}

impl BinaryEvaluation {
    /// Compares probabilities with what came to be. An error if the parts do not fit together or an actual is not 0 or 1.
    pub fn of(answers: &Answers<'_>, costs: Costs) -> Result<Self, MlError> {
        answers.check(1)?;
        costs.check()?;
        check_binary(answers)?;
        let base_rate = answers.mean(|_, actual| actual);
        let base = Answers { predicted: &vec![base_rate; answers.actual.len()], ..*answers };
        let sweep = Order::new(answers.predicted).sweep(answers.actual, answers.weights);
        let calibration = reliability(answers, Binning::EqualCount, BINS);
        let confusion = Confusion::at(answers, costs.threshold());
        let figures = figures([
            ("base_rate", base_rate),
            ("auc", sweep.auc()),
            ("average_precision", sweep.average_precision()),
            ("log_loss", log_loss(answers)),
            ("base_log_loss", log_loss(&base)),
            ("brier", brier(answers)),
            ("base_brier", brier(&base)),
            ("ece", calibration_error(&reliability(answers, Binning::EqualWidth, BINS))),
            ("ece_equal_count", calibration_error(&calibration)),
            ("ks", sweep.ks()),
            ("precision", confusion.precision()),
            ("recall", confusion.recall()),
            ("f1", confusion.f1()),
            ("accuracy", confusion.accuracy()),
            ("cost", confusion.cost(costs)),
        ]);
        Ok(Self {
            rows: answers.actual.len(),
            figures,
            intervals: BTreeMap::new(),
            roc: sweep.roc(),
            precision_recall: sweep.precision_recall(),
            calibration,
            deciles: deciles(answers, base_rate),
            costs,
            confusion,
        })
    }

    /// The same with bootstrap intervals of the figures that depend on no threshold. `groups` are the customers whose rows
    /// belong together, if rows do.
    pub fn with_intervals(
        mut self,
        answers: &Answers<'_>,
        groups: Option<&[u32]>,
        options: &BootstrapOptions,
        context: &Context<'_>,
    ) -> Result<Self, MlError> {
        answers.check(1)?;
        check_binary(answers)?;
        let order = Order::new(answers.predicted);
        let metric = |weights: &[f64]| ranked(&order, &answers.weighted(weights));
        let intervals = bootstrap_all(answers.actual.len(), answers.weights, groups, options, metric, context)?;
        let known = UNCERTAIN.iter().zip(intervals).filter(|(_, interval)| interval.low.is_finite());
        self.intervals = known.map(|(name, interval)| ((*name).to_owned(), interval)).collect();
        Ok(self)
    }
}

fn check_binary(answers: &Answers<'_>) -> Result<(), MlError> {
    match answers.actual.iter().position(|actual| *actual != 0.0 && *actual != 1.0) {
        None => Ok(()),
        Some(at) => {
            let actual = answers.actual[at];
            Err(MlError::Shape(format!("the label of row {at} is {actual}; it must be 1 for yes or 0 for no")))
        }
    }
}

fn ranked(order: &Order, answers: &Answers<'_>) -> Vec<f64> {
    let sweep = order.sweep(answers.actual, answers.weights);
    vec![sweep.auc(), sweep.average_precision(), log_loss(answers), brier(answers), sweep.ks()]
}

/// The mean negative log-likelihood, in nats.
pub fn log_loss(answers: &Answers<'_>) -> f64 {
    answers.mean(|predicted, actual| {
        let likely = if actual == 1.0 { predicted } else { 1.0 - predicted };
        -likely.clamp(CLIP, 1.0).ln()
    })
}

/// The mean squared error of probabilities (Brier 1950).
pub fn brier(answers: &Answers<'_>) -> f64 {
    answers.mean(|predicted, actual| (predicted - actual).powi(2))
}

/// Tenths by weight. A row on the border of two is divided between them, and rows of one probability are taken as equally
/// good, so the order of rows does not matter.
fn deciles(answers: &Answers<'_>, base_rate: f64) -> Vec<Decile> {
    let total: f64 = (0..answers.actual.len()).map(|row| answers.weight(row)).sum();
    let size = total / DECILES as f64;
    let mut held = [(0.0, 0.0); DECILES];
    let mut before = 0.0;
    let runs: Vec<Vec<usize>> = Order::new(answers.predicted).runs_from_low().map(<[usize]>::to_vec).collect();
    for run in runs.iter().rev() {
        let weight: f64 = run.iter().map(|row| answers.weight(*row)).sum();
        let positive: f64 = run.iter().map(|row| answers.weight(*row) * answers.actual[*row]).sum();
        if weight <= 0.0 {
            continue;
        }
        for (decile, held) in held.iter_mut().enumerate() {
            let (begin, end) = (decile as f64 * size, (decile + 1) as f64 * size);
            let part = ((before + weight).min(end) - before.max(begin)).max(0.0);
            held.0 += part;
            held.1 += positive * part / weight;
        }
        before += weight;
    }
    let mut gained = 0.0;
    (1..)
        .zip(held)
        .map(|(decile, (weight, positive))| {
            gained += positive;
            let rate = share(positive, weight);
            Decile { decile, weight, rate, lift: share(rate, base_rate), gain: share(gained, base_rate * total) }
        })
        .collect()
}
