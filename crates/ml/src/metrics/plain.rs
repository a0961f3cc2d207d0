//! How good probabilities are.

use std::collections::BTreeMap;

/// How many bins of equal width the calibration has.
const BINS: usize = 10;
/// Probabilities are kept this far from 0 and 1 in the log-loss.
const CLIP: f64 = 1e-15;

/// A bin of the calibration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// Rows in it.
    pub rows: usize,
    /// The mean of their probabilities.
    pub predicted: f64,
    /// The share of positive labels.
    pub observed: f64,
}

/// The figures of an evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Rows.
    pub rows: usize,
    /// The share of positive labels.
    pub base_rate: f64,
    /// The area under the ROC curve; NaN if all labels are equal.
    pub auc: f64,
    /// The mean negative log-likelihood, in nats.
    pub log_loss: f64,
    /// The same for always answering the base rate.
    pub base_log_loss: f64,
    /// The mean squared error.
    pub brier: f64,
    /// The expected calibration error over bins of equal width.
    pub ece: f64,
    /// The bins that hold rows, by probability.
    pub bins: Vec<Bin>,
}

impl Evaluation {
    /// Compares probabilities with labels; both of the same length.
    pub fn of(probabilities: &[f64], labels: &[bool]) -> Self {
        assert_eq!(probabilities.len(), labels.len(), "a label for each probability");
        let n = labels.len().max(1) as f64;
        let base_rate = labels.iter().filter(|label| **label).count() as f64 / n;
        let mean = |of: &dyn Fn(f64, bool) -> f64| {
            probabilities.iter().zip(labels).map(|(probability, label)| of(*probability, *label)).sum::<f64>() / n
        };
        let bins = bins(probabilities, labels);
        let ece = bins.iter().map(|bin| bin.rows as f64 / n * (bin.predicted - bin.observed).abs()).sum();
        Self {
            rows: labels.len(),
            base_rate,
            auc: auc(probabilities, labels),
            log_loss: mean(&surprise),
            base_log_loss: mean(&|_, label| surprise(base_rate, label)),
            brier: mean(&|probability, label| (probability - f64::from(u8::from(label))).powi(2)),
            ece,
            bins,
        }
    }

    /// The figures by name.
    pub fn figures(&self) -> BTreeMap<String, f64> {
        let figures = [
            ("auc", self.auc),
            ("log_loss", self.log_loss),
            ("base_log_loss", self.base_log_loss),
            ("brier", self.brier),
            ("ece", self.ece),
            ("base_rate", self.base_rate),
            ("test_rows", self.rows as f64),
        ];
        figures.into_iter().filter(|(_, figure)| figure.is_finite()).map(|(name, f)| (name.to_owned(), f)).collect()
    }
}

fn surprise(probability: f64, label: bool) -> f64 {
    let likely = if label { probability } else { 1.0 - probability };
    -likely.clamp(CLIP, 1.0).ln()
}

fn bins(probabilities: &[f64], labels: &[bool]) -> Vec<Bin> {
    let mut sums = [(0_usize, 0.0, 0.0); BINS];
    for (probability, label) in probabilities.iter().zip(labels) {
        let bin = &mut sums[((probability * BINS as f64) as usize).min(BINS - 1)];
        bin.0 += 1;
        bin.1 += probability;
        bin.2 += f64::from(u8::from(*label));
    }
    let held = sums.into_iter().filter(|(rows, _, _)| *rows > 0);
    held.map(|(rows, predicted, observed)| Bin {
        rows,
        predicted: predicted / rows as f64,
        observed: observed / rows as f64,
    })
    .collect()
}

/// The probability that a positive row is ranked above a negative one, a tie counting half (Mann-Whitney U); NaN if all
/// labels are equal. Any scores will do; NaN ranks lowest.
pub fn auc(scores: &[f64], labels: &[bool]) -> f64 {
    let positives = labels.iter().filter(|label| **label).count() as f64;
    let negatives = labels.len() as f64 - positives;
    let ranks = ranks(scores);
    let sum: f64 = ranks.iter().zip(labels).filter(|(_, label)| **label).map(|(rank, _)| rank).sum();
    (sum - positives * (positives + 1.0) / 2.0) / (positives * negatives)
}

/// The 95 % confidence interval of [`auc`] by DeLong's variance (DeLong, DeLong, Clarke-Pearson 1988; by ranks as in Sun
/// and Xu 2014). NaN if there are fewer than two rows of a label.
pub fn auc_interval(scores: &[f64], labels: &[bool]) -> (f64, f64) {
    let of = |wanted: bool| -> Vec<f64> {
        scores.iter().zip(labels).filter(|(_, label)| **label == wanted).map(|(score, _)| *score).collect()
    };
    let (positive, negative) = (of(true), of(false));
    let joined: Vec<f64> = positive.iter().chain(&negative).copied().collect();
    let together = ranks(&joined);
    let share = |own: &[f64], joint: &[f64], others: f64| -> Vec<f64> {
        own.iter().zip(joint).map(|(own, joint)| (joint - own) / others).collect()
    };
    let (p, n) = (positive.len() as f64, negative.len() as f64);
    let above = share(&ranks(&positive), &together[..positive.len()], n);
    let below = share(&ranks(&negative), &together[positive.len()..], p);
    let area = auc(scores, labels);
    let deviation = (variance(&above) / p + variance(&below) / n).sqrt();
    ((area - 1.96 * deviation).max(0.0), (area + 1.96 * deviation).min(1.0))
}

fn variance(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0)
}

/// Ranks from 1; equals share the mean of theirs.
fn ranks(scores: &[f64]) -> Vec<f64> {
    let key = |place: &usize| if scores[*place].is_nan() { f64::NEG_INFINITY } else { scores[*place] };
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| key(a).total_cmp(&key(b)));
    let mut ranks = vec![0.0; scores.len()];
    let mut begin = 0;
    while begin < order.len() {
        let same = order[begin..].iter().take_while(|place| key(place).total_cmp(&key(&order[begin])).is_eq()).count();
        let shared = begin as f64 + f64::midpoint(same as f64, 1.0);
        for place in &order[begin..begin + same] {
            ranks[*place] = shared;
        }
        begin += same;
    }
    ranks
}
