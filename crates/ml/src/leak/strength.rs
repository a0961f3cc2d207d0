//! How much groups of rows tell of an outcome, by rates from other folds.

use super::groups::Groups;
use crate::metrics::Sweep;
use crate::{Random, Task};

const FOLDS: usize = 5;
/// So many rows of the overall rate are added to a group's.
const SMOOTHING: f64 = 5.0;
/// Of many classes only the most frequent are looked at.
const CLASSES: usize = 10;
/// In a group that is certain so large a share has the outcome, of which at most half of all rows are.
const PURE_RATE: f64 = 0.95;
/// And the lower end of the share's interval is above this, which takes a dozen rows.
const PURE_LOW: f64 = 0.75;
/// And its odds are so many times those of all rows.
const PURE_ODDS: f64 = 50.0;
/// A side has at least so many rows.
const SIDE_ROWS: f64 = 15.0;
/// A side without outcomes: its rate is at most this part of the other's.
const ONE_SIDED: f64 = 0.02;

/// What is to be known of each row.
pub(super) struct Outcome<'a> {
    target: &'a [f64],
    /// Yes or no, for one class or several with their shares of rows; none for numbers.
    classes: Vec<(Vec<bool>, f64)>,
    fold_of: Vec<u8>,
}

/// What groups tell.
pub(super) struct Rates {
    /// For each class, or for the number itself, the rate of each row's group in other folds.
    of: Vec<Vec<f64>>,
    /// From 0 to 1: twice the area under the ROC curve less one, or the share of variance explained; by class weighted.
    pub(super) strength: f64,
    /// The share of the outcome that lies in groups which are certain of it.
    pub(super) pure_share: Option<f64>,
    pure: Vec<bool>,
    /// Whether one of two groups has hardly any outcomes.
    pub(super) one_sided: bool,
}

impl Rates {
    /// Whether a row is in a group that is certain.
    pub(super) fn is_pure(&self, groups: &Groups, row: usize) -> bool {
        self.pure.get(groups.of[row] as usize).copied().unwrap_or(false)
    }
}

impl<'a> Outcome<'a> {
    pub(super) fn new(target: &'a [f64], task: Task, seed: u64) -> Self {
        let rows = target.len().max(1) as f64;
        let class = |wanted: f64| {
            let is: Vec<bool> = target.iter().map(|target| *target == wanted).collect();
            let share = is.iter().filter(|is| **is).count() as f64 / rows;
            (is, share)
        };
        let mut classes = match task {
            Task::Binary => vec![class(1.0)],
            Task::Multiclass { classes } => (0..classes).map(|number| class(f64::from(number))).collect(),
            Task::Regression | Task::Ranking => Vec::new(),
        };
        classes.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        classes.truncate(CLASSES);
        let mut fold_of: Vec<u8> = (0..target.len()).map(|row| (row % FOLDS) as u8).collect();
        Random::new(seed, 0).shuffle(&mut fold_of);
        Self { target, classes, fold_of }
    }

    pub(super) fn rows(&self) -> usize {
        self.target.len()
    }

    /// The share of the outcome that is within some rows, less the share of those rows without it. For one class.
    pub(super) fn share_within(&self, some: &[bool]) -> f64 {
        let [(is, _)] = self.classes.as_slice() else { return 0.0 };
        let count = |wanted: &dyn Fn(bool, bool) -> bool| {
            is.iter().zip(some).filter(|(is, some)| wanted(**is, **some)).count() as f64
        };
        let both = count(&|is, some| is && some);
        both / count(&|is, _| is).max(1.0) - count(&|is, some| !is && some) / both.max(1.0)
    }

    /// Rates of groups.
    pub(super) fn rates(&self, groups: &Groups) -> Rates {
        if self.classes.is_empty() {
            let of = self.out_of_fold(groups, self.target);
            let strength = explained(self.target, &of);
            return Rates { of: vec![of], strength, pure_share: None, pure: Vec::new(), one_sided: false };
        }
        let mut rates = Rates { of: Vec::new(), strength: 0.0, pure_share: None, pure: Vec::new(), one_sided: false };
        let mut weights = 0.0;
        for (is, share) in &self.classes {
            let numbers: Vec<f64> = is.iter().map(|is| f64::from(u8::from(*is))).collect();
            let of = self.out_of_fold(groups, &numbers);
            let area = auc(&of, is);
            if area.is_finite() {
                rates.strength += share * (2.0 * area - 1.0).max(0.0);
                weights += share;
            }
            rates.of.push(of);
        }
        rates.strength /= if weights > 0.0 { weights } else { 1.0 };
        if let [(is, share)] = self.classes.as_slice() {
            rates.look_for_purity(groups, is, *share);
        }
        rates
    }

    /// What several columns tell together: log-odds added up, as if columns were independent (naive Bayes). For numbers
    /// the largest alone.
    pub(super) fn together(&self, all: &[&Rates]) -> f64 {
        let Some((is, _)) = self.classes.first() else {
            return all.iter().map(|rates| rates.strength).fold(0.0, f64::max);
        };
        let logit = |rate: f64| (rate / (1.0 - rate)).ln();
        let mut sums = vec![0.0; is.len()];
        for rates in all {
            for (sum, rate) in sums.iter_mut().zip(&rates.of[0]) {
                *sum += logit(rate.clamp(1e-4, 1.0 - 1e-4));
            }
        }
        (2.0 * auc(&sums, is) - 1.0).max(0.0)
    }

    /// The mean of a row's group over the rows of other folds.
    fn out_of_fold(&self, groups: &Groups, numbers: &[f64]) -> Vec<f64> {
        let mut rates = vec![0.0; numbers.len()];
        for fold in 0..FOLDS as u8 {
            let (mut sums, mut rows) = (vec![0.0; groups.count], vec![0.0_f64; groups.count]);
            let (mut sum, mut all) = (0.0, 0.0_f64);
            for row in (0..numbers.len()).filter(|row| self.fold_of[*row] != fold) {
                let group = groups.of[row] as usize;
                sums[group] += numbers[row];
                rows[group] += 1.0;
                sum += numbers[row];
                all += 1.0;
            }
            let prior = sum / all.max(1.0);
            for row in (0..numbers.len()).filter(|row| self.fold_of[*row] == fold) {
                let group = groups.of[row] as usize;
                rates[row] = (sums[group] + SMOOTHING * prior) / (rows[group] + SMOOTHING);
            }
        }
        rates
    }
}

impl Rates {
    fn look_for_purity(&mut self, groups: &Groups, is: &[bool], share: f64) {
        let (mut yes, mut rows) = (vec![0.0_f64; groups.count], vec![0.0_f64; groups.count]);
        for (group, is) in groups.of.iter().zip(is) {
            rows[*group as usize] += 1.0;
            yes[*group as usize] += f64::from(u8::from(*is));
        }
        let odds = |rate: f64| rate / (1.0 - rate).max(1e-9);
        let certain = |group: usize| {
            let (rows, rate) = (rows[group], yes[group] / rows[group].max(1.0));
            share <= 0.5
                && rate >= PURE_RATE
                && wilson_low(rate, rows) >= PURE_LOW
                && odds(rate) >= PURE_ODDS * odds(share)
        };
        self.pure = (0..groups.count).map(certain).collect();
        let within: f64 = (0..groups.count).filter(|group| self.pure[*group]).map(|group| yes[group]).sum();
        if within > 0.0 {
            self.pure_share = Some(within / yes.iter().sum::<f64>());
        }
        let filled: Vec<usize> = (0..groups.count).filter(|group| rows[*group] >= SIDE_ROWS).collect();
        if let [one, other] = filled.as_slice() {
            let (one, other) = (yes[*one] / rows[*one], yes[*other] / rows[*other]);
            let part = |small: f64, large: f64| large > 0.0 && small <= ONE_SIDED * large;
            self.one_sided =
                part(one, other) || part(other, one) || part(1.0 - one, 1.0 - other) || part(1.0 - other, 1.0 - one);
        }
    }
}

/// The lower end of the 95 % interval of a share (Wilson 1927).
fn wilson_low(share: f64, rows: f64) -> f64 {
    if rows == 0.0 {
        return 0.0;
    }
    let z2 = 1.96_f64 * 1.96;
    let middle = share + z2 / (2.0 * rows);
    let spread = 1.96 * (share * (1.0 - share) / rows + z2 / (4.0 * rows * rows)).sqrt();
    (middle - spread) / (1.0 + z2 / rows)
}

/// The share of variance that predictions explain; 0 if they do worse than the mean.
fn explained(target: &[f64], predicted: &[f64]) -> f64 {
    let mean = target.iter().sum::<f64>() / target.len().max(1) as f64;
    let total: f64 = target.iter().map(|target| (target - mean).powi(2)).sum();
    let left: f64 = target.iter().zip(predicted).map(|(target, predicted)| (target - predicted).powi(2)).sum();
    if total > 0.0 { (1.0 - left / total).max(0.0) } else { 0.0 }
}

/// The area under the ROC curve.
fn auc(scores: &[f64], is: &[bool]) -> f64 {
    let actual: Vec<f64> = is.iter().map(|is| f64::from(u8::from(*is))).collect();
    Sweep::of(scores, &actual).auc()
}
