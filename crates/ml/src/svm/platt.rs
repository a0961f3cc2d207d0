//! Probabilities from margins: a sigmoid fitted to margins of rows that the machine had not seen (Platt 1999, by Newton's
//! method with the care of Lin, Lin, Weng 2007: A note on Platt's probabilistic outputs for support vector machines).

use serde::{Deserialize, Serialize};

use crate::linear::sigmoid;
use crate::{MlError, Random, sound};

const STEPS: usize = 100;

/// The probability of a margin is `sigmoid(slope·margin + shift)`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Platt {
    pub(super) slope: f64,
    pub(super) shift: f64,
}

impl Platt {
    /// Fits to margins, answers (-1 or 1) and weights. Answers are taken as a little less than sure, as if each side had
    /// one more row: a sigmoid of separated margins stays finite.
    pub(super) fn fit(margins: &[f64], answers: &[f64], weights: &[f64]) -> Self {
        let count = |side: f64| -> f64 {
            answers.iter().zip(weights).filter(|(answer, _)| **answer == side).map(|(_, weight)| weight).sum()
        };
        let (yes, no) = (count(1.0), count(-1.0));
        let (high, low) = ((yes + 1.0) / (yes + 2.0), 1.0 / (no + 2.0));
        let aim = |answer: f64| if answer > 0.0 { high } else { low };
        let objective = |at: Self| -> f64 {
            let one = |((margin, answer), weight): ((&f64, &f64), &f64)| {
                let z = at.slope * margin + at.shift;
                weight * ((-z.abs()).exp().ln_1p() + z.max(0.0) - aim(*answer) * z)
            };
            margins.iter().zip(answers).zip(weights).map(one).sum()
        };
        let mut at = Self { slope: 0.0, shift: ((yes + 1.0) / (no + 1.0)).ln() };
        let mut value = objective(at);
        for _ in 0..STEPS {
            let (mut g, mut h) = ([0.0; 2], [1e-12, 0.0, 1e-12]);
            for ((margin, answer), weight) in margins.iter().zip(answers).zip(weights) {
                let p = at.probability(*margin);
                let (off, bend) = (weight * (p - aim(*answer)), weight * p * (1.0 - p));
                g = [g[0] + off * margin, g[1] + off];
                h = [h[0] + bend * margin * margin, h[1] + bend * margin, h[2] + bend];
            }
            if g[0].abs().max(g[1].abs()) <= 1e-9 * (yes + no) {
                break;
            }
            let determinant = h[0] * h[2] - h[1] * h[1];
            let step = [(h[1] * g[1] - h[2] * g[0]) / determinant, (h[1] * g[0] - h[0] * g[1]) / determinant];
            let promised = g[0] * step[0] + g[1] * step[1];
            let tries = (0..30).map(|halvings| 0.5_f64.powi(halvings));
            let found = tries
                .map(|t| (t, Self { slope: at.slope + t * step[0], shift: at.shift + t * step[1] }))
                .map(|(t, trial)| (t, trial, objective(trial)))
                .find(|(t, _, after)| *after < value + 1e-4 * t * promised);
            let Some((_, trial, after)) = found else { break };
            (at, value) = (trial, after);
        }
        at
    }

    /// Refuses what gives no probability.
    pub(super) fn check(&self) -> Result<(), MlError> {
        sound::numbers("a sigmoid", [&self.slope, &self.shift])
    }

    /// The probability of a margin.
    #[inline]
    pub(super) fn probability(self, margin: f64) -> f64 {
        sigmoid(self.slope * margin + self.shift)
    }
}

/// The fold of each row, in equal shares of each answer.
pub(super) fn folds(answers: &[f64], count: usize, seed: u64) -> Vec<usize> {
    let mut random = Random::new(seed, 0);
    let mut out = vec![0; answers.len()];
    for side in [-1.0, 1.0] {
        let mut places: Vec<usize> = (0..answers.len()).filter(|row| answers[*row] == side).collect();
        random.shuffle(&mut places);
        places.iter().enumerate().for_each(|(order, row)| out[*row] = order % count);
    }
    out
}
