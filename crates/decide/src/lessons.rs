//! How a model that learns in service did on each outcome before it learnt from it (test, then train: Gama, Sebastião,
//! Rodrigues, On evaluating stream learning algorithms, 2013), beside what it would have said as it was registered.
//!
//! Figures of several partitions add up. The area under the curve is told to within pairs whose log-odds are closer than
//! [`BIN`]: they count as ties.

use serde::{Deserialize, Serialize};

/// The width of a bin of log-odds.
const BIN: f64 = 0.05;
/// Log-odds beyond it fall into the first or the last bin.
const MARGIN_MAX: f64 = 10.0;
const BINS: usize = (2.0 * MARGIN_MAX / BIN) as usize;
/// Probabilities are kept this far from 0 and 1 in a loss.
const CLIP: f64 = 1e-15;

/// What was said of moments, and what came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// By the bin of the log-odds: moments without the outcome, and with it.
    bins: Vec<[u64; 2]>,
    /// The sum of negative log-likelihoods.
    loss: f64,
}

impl Default for Told {
    fn default() -> Self {
        Self { bins: vec![[0; 2]; BINS], loss: 0.0 }
    }
}

impl Told {
    fn note(&mut self, probability: f64, label: bool) {
        let of_label = if label { probability } else { 1.0 - probability };
        self.loss -= of_label.clamp(CLIP, 1.0).ln();
        let kept = probability.clamp(CLIP, 1.0 - CLIP);
        let margin = (kept / (1.0 - kept)).ln();
        let bin = ((margin + MARGIN_MAX) / BIN).clamp(0.0, (BINS - 1) as f64) as usize;
        self.bins[bin][usize::from(label)] += 1;
    }

    fn add(&mut self, other: &Self) {
        self.loss += other.loss;
        for (own, other) in self.bins.iter_mut().zip(&other.bins) {
            *own = [own[0] + other[0], own[1] + other[1]];
        }
    }

    /// The area under the ROC curve; none as long as all outcomes are equal.
    pub fn auc(&self) -> Option<f64> {
        let (mut below, mut won) = (0.0, 0.0);
        for [no, yes] in &self.bins {
            let (no, yes) = (*no as f64, *yes as f64);
            won += yes * (below + no / 2.0);
            below += no;
        }
        let yes: u64 = self.bins.iter().map(|[_, yes]| yes).sum();
        let pairs = below * yes as f64;
        (pairs > 0.0).then(|| won / pairs)
    }

    /// The mean negative log-likelihood; none before the first outcome.
    pub fn log_loss(&self) -> Option<f64> {
        let moments: u64 = self.bins.iter().flatten().sum();
        (moments > 0).then(|| self.loss / moments as f64)
    }
}

/// What became of the moments that a model waited for.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Lessons {
    /// Moments that it learnt from.
    pub learnt: u64,
    /// Those of them that were positive.
    pub positives: u64,
    /// Moments that nobody answered, where only answers count.
    pub unanswered: u64,
    /// Moments that were passed over: the customer had too many, or their numbers were beyond all measure.
    pub passed_over: u64,
    /// Moments begun less moments ended since it came into service; of one partition it may be below 0, because customers
    /// move.
    pub waiting: i64,
    /// What it said at the moment, as it was then.
    pub said: Told,
    /// What it would have said as it was registered.
    pub as_registered: Told,
}

impl Lessons {
    pub(crate) fn note(&mut self, said: f64, as_registered: f64, label: bool) {
        self.learnt += 1;
        self.positives += u64::from(label);
        self.said.note(said, label);
        self.as_registered.note(as_registered, label);
    }

    /// Adds those of another partition.
    pub fn add(&mut self, other: &Self) {
        self.learnt += other.learnt;
        self.positives += other.positives;
        self.unanswered += other.unanswered;
        self.passed_over += other.passed_over;
        self.waiting += other.waiting;
        self.said.add(&other.said);
        self.as_registered.add(&other.as_registered);
    }

    /// The log-loss of always saying the share of positives; none before the first outcome.
    pub fn base_log_loss(&self) -> Option<f64> {
        let share = (self.learnt > 0).then(|| self.positives as f64 / self.learnt as f64)?;
        let part = |share: f64| if share > 0.0 { -share * share.ln() } else { 0.0 };
        Some(part(share) + part(1.0 - share))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_two_partitions_are_those_of_all_moments() {
        let moments = [(0.9, true), (0.8, false), (0.7, true), (0.2, false), (0.1, false), (0.7, false)];
        let mut whole = Lessons::default();
        let mut parts = [Lessons::default(), Lessons::default()];
        for (place, (said, label)) in moments.into_iter().enumerate() {
            whole.note(said, 0.5, label);
            parts[place % 2].note(said, 0.5, label);
        }
        let mut sum = Lessons::default();
        parts.iter().for_each(|part| sum.add(part));
        assert_eq!((sum.learnt, sum.positives, sum.said.auc()), (6, 2, whole.said.auc()));
        // Of 8 pairs 6 are in order and one is a tie.
        assert_eq!(whole.said.auc(), Some(6.5 / 8.0));
        assert_eq!(whole.as_registered.auc(), Some(0.5), "equal answers are all ties");
        let loss = -(0.9_f64.ln() + 0.2_f64.ln() + 0.7_f64.ln() + 0.8_f64.ln() + 0.9_f64.ln() + 0.3_f64.ln()) / 6.0;
        assert!((whole.said.log_loss().unwrap() - loss).abs() < 1e-12);
        assert!((sum.said.log_loss().unwrap() - loss).abs() < 1e-12);
        assert!((whole.as_registered.log_loss().unwrap() - 2.0_f64.ln()).abs() < 1e-12);
        let third: f64 = 1.0 / 3.0;
        let base = -third * third.ln() - (1.0 - third) * (1.0 - third).ln();
        assert!((whole.base_log_loss().unwrap() - base).abs() < 1e-12);
    }

    #[test]
    fn nothing_is_told_of_nothing_and_certainty_costs_a_finite_amount() {
        let mut lessons = Lessons::default();
        assert_eq!((lessons.said.auc(), lessons.said.log_loss(), lessons.base_log_loss()), (None, None, None));
        lessons.note(0.0, 1.0, true);
        assert_eq!(lessons.said.auc(), None);
        assert!(lessons.said.log_loss().unwrap() > 30.0 && lessons.as_registered.log_loss() == Some(0.0));
        assert_eq!(lessons.base_log_loss(), Some(0.0));
    }
}
