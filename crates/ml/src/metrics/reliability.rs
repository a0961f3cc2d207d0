//! Whether probabilities can be taken at their word: bins of predicted against observed, with their uncertainty.

use serde::{Deserialize, Serialize};

use super::{Answers, Order};

/// The normal quantile of a two-sided 95 % interval.
const Z95: f64 = 1.959_963_984_540_054;

/// How rows are put into bins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Binning {
    /// Bins of equal width from 0 to 1; some may be empty.
    EqualWidth,
    /// Bins of (nearly) equal weight by rank; equal probabilities share a bin.
    EqualCount,
}

/// A bin of probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// Rows in it.
    pub rows: usize,
    /// Their weight.
    pub weight: f64,
    /// The mean of their probabilities.
    pub predicted: f64,
    /// The share of positives.
    pub observed: f64,
    /// The lower end of the 95 % Wilson interval of `observed`.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

#[derive(Clone, Copy, Default)]
struct Sums {
    rows: usize,
    weight: f64,
    squares: f64,
    predicted: f64,
    observed: f64,
}

impl Sums {
    fn add(&mut self, answers: &Answers<'_>, row: usize) {
        let weight = answers.weight(row);
        self.rows += usize::from(weight > 0.0);
        self.weight += weight;
        self.squares += weight * weight;
        self.predicted += weight * answers.predicted[row];
        self.observed += weight * answers.actual[row];
    }

    fn bin(self) -> ReliabilityBin {
        let observed = self.observed / self.weight;
        // Weighted rows carry the information of fewer equal ones (Kish's effective sample size).
        let (low, high) = wilson(observed, self.weight * self.weight / self.squares);
        let predicted = self.predicted / self.weight;
        ReliabilityBin { rows: self.rows, weight: self.weight, predicted, observed, low, high }
    }
}

/// The 95 % confidence interval of a share observed in `rows` rows (Wilson 1927); from 0 to 1 without rows.
pub fn wilson(share: f64, rows: f64) -> (f64, f64) {
    if rows <= 0.0 {
        return (0.0, 1.0);
    }
    let z2 = Z95 * Z95;
    let scale = 1.0 + z2 / rows;
    let centre = (share + z2 / (2.0 * rows)) / scale;
    let half = Z95 * (share * (1.0 - share) / rows + z2 / (4.0 * rows * rows)).sqrt() / scale;
    ((centre - half).max(0.0), (centre + half).min(1.0))
}

/// The bins that hold rows, by probability. `bins` is at least 1.
pub fn reliability(answers: &Answers<'_>, binning: Binning, bins: usize) -> Vec<ReliabilityBin> {
    let mut sums = vec![Sums::default(); bins];
    match binning {
        Binning::EqualWidth => {
            for (row, predicted) in answers.predicted.iter().enumerate() {
                sums[((predicted * bins as f64) as usize).min(bins - 1)].add(answers, row);
            }
        }
        Binning::EqualCount => {
            let total: f64 = (0..answers.actual.len()).map(|row| answers.weight(row)).sum();
            let mut before = 0.0;
            for run in Order::new(answers.predicted).runs_from_low() {
                let weight: f64 = run.iter().map(|row| answers.weight(*row)).sum();
                let middle = (before + weight / 2.0) / total;
                let bin = ((middle * bins as f64) as usize).min(bins - 1);
                run.iter().for_each(|row| sums[bin].add(answers, *row));
                before += weight;
            }
        }
    }
    sums.into_iter().filter(|sums| sums.weight > 0.0).map(Sums::bin).collect()
}

/// The expected calibration error: the mean distance between predicted and observed over the bins, by weight (Naeini,
/// Cooper, Hauskrecht 2015).
pub fn calibration_error(bins: &[ReliabilityBin]) -> f64 {
    let total: f64 = bins.iter().map(|bin| bin.weight).sum();
    bins.iter().map(|bin| bin.weight / total * (bin.predicted - bin.observed).abs()).sum()
}
