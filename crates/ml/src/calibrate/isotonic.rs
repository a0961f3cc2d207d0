//! Isotonic regression: the curve that never falls with the least squared error (pool adjacent violators; Ayer et al. 1955,
//! Barlow et al. 1972), for calibration as by Zadrozny and Elkan 2002.

use serde::{Deserialize, Serialize};

use super::check;
use crate::{MlError, sound};

/// A curve of straight pieces that never falls. Each pooled block is level; between blocks the curve is a straight line; beyond the
/// ends it goes on level.
///
/// No probability becomes a certainty: a block of n rows that are all alike says little about the next one, so answers
/// stay 1 / (rows + 2) away from 0 and 1 (the rule of succession for all rows together).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Isotonic {
    /// Knots: probabilities before, strictly ascending.
    before: Vec<f64>,
    /// And after, never falling.
    after: Vec<f64>,
}

struct Block {
    begin: f64,
    end: f64,
    weight: f64,
    mean: f64,
}

impl Isotonic {
    /// Fits the curve to probabilities and what came to be (1 or 0).
    pub fn fit(probabilities: &[f64], actual: &[f64], weights: Option<&[f64]>) -> Result<Self, MlError> {
        let (negative, positive) = check(probabilities, actual, weights)?;
        let mut order: Vec<usize> = (0..actual.len()).collect();
        order.sort_by(|a, b| probabilities[*a].total_cmp(&probabilities[*b]));
        let mut blocks: Vec<Block> = Vec::new();
        for ties in order.chunk_by(|a, b| probabilities[*a] == probabilities[*b]) {
            let own = |row: usize| weights.map_or(1.0, |weights| weights[row]);
            let weight: f64 = ties.iter().map(|row| own(*row)).sum();
            if weight <= 0.0 {
                continue;
            }
            let mean = ties.iter().map(|row| own(*row) * actual[*row]).sum::<f64>() / weight;
            let at = probabilities[ties[0]];
            let mut block = Block { begin: at, end: at, weight, mean };
            while let Some(lower) = blocks.pop_if(|lower| lower.mean >= block.mean) {
                let weight = lower.weight + block.weight;
                block.mean = (lower.mean * lower.weight + block.mean * block.weight) / weight;
                block = Block { begin: lower.begin, weight, ..block };
            }
            blocks.push(block);
        }
        let margin = 1.0 / (negative + positive + 2.0);
        let mut curve = Self { before: Vec::new(), after: Vec::new() };
        for block in blocks {
            let after = block.mean.clamp(margin, 1.0 - margin);
            let knots = if block.begin < block.end { vec![block.begin, block.end] } else { vec![block.begin] };
            curve.after.extend(knots.iter().map(|_| after));
            curve.before.extend(knots);
        }
        Ok(curve)
    }

    /// Refuses what is no such curve.
    pub(super) fn check(&self) -> Result<(), MlError> {
        let is_whole = self.before.len() == self.after.len() && !self.before.is_empty();
        sound::fits(is_whole, "the curve of the calibration has not one value for each knot")?;
        let is_ascending = self.before.is_sorted_by(|one, next| one < next) && self.after.is_sorted();
        sound::fits(is_ascending, "the curve of the calibration does not rise")?;
        let mut all = self.before.iter().chain(&self.after);
        all.try_for_each(|one| sound::probability("a knot of the calibration", *one))
    }

    /// The corrected probability.
    pub fn apply(&self, probability: f64) -> f64 {
        let above = self.before.partition_point(|knot| *knot <= probability);
        let Some(below) = above.checked_sub(1) else { return self.after.first().copied().unwrap_or(probability) };
        if above == self.before.len() {
            return self.after[below];
        }
        let part = (probability - self.before[below]) / (self.before[above] - self.before[below]);
        self.after[below] + part * (self.after[above] - self.after[below])
    }
}
