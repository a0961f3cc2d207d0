//! Evaluation of predicted quantiles (Koenker and Bassett, Regression quantiles, 1978).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Answers, figures};
use crate::MlError;

/// What one answer costs at a level: of what came to be, `level` is the price of what lies above the answer, one less it of what
/// lies below. The mean is smallest where so large a share of what comes lies below.
pub fn pinball(predicted: f64, actual: f64, level: f64) -> f64 {
    let above = actual - predicted;
    if above >= 0.0 { level * above } else { (level - 1.0) * above }
}

/// The smallest of some values below or at which there lies a share of `level` of all weight; NaN if nothing counts. Puts the
/// pairs of value and weight into order.
pub fn quantile(values: &mut [(f64, f64)], level: f64) -> f64 {
    values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = values.iter().map(|(_, weight)| weight).sum();
    let mut below = 0.0;
    for (value, weight) in values.iter().filter(|(_, weight)| *weight > 0.0) {
        below += weight;
        if below >= level * total {
            return *value;
        }
    }
    // Sums that were rounded may end a little short.
    values.iter().rev().find(|(_, weight)| *weight > 0.0).map_or(f64::NAN, |(value, _)| *value)
}

/// How good predicted quantiles are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QuantileEvaluation {
    /// Rows.
    pub rows: usize,
    /// Figures by name: `pinball` (the mean of [`pinball`]), `base_pinball` (always answering the quantile of what came to be),
    /// `pinball_skill` (what is missing of the second in the first, as a share), `coverage` (the share of rows at or below
    /// their answer, which should be the level).
    pub figures: BTreeMap<String, f64>,
}

impl QuantileEvaluation {
    /// Compares predicted quantiles of a level with what came to be.
    pub fn of(answers: &Answers<'_>, level: f64) -> Result<Self, MlError> {
        answers.check(1)?;
        if let Some(at) = answers.actual.iter().position(|actual| !actual.is_finite()) {
            return Err(MlError::Shape(format!("the target of row {at} is not a number")));
        }
        let weighted = |(row, actual): (usize, &f64)| (*actual, answers.weight(row));
        let constant = quantile(&mut answers.actual.iter().enumerate().map(weighted).collect::<Vec<_>>(), level);
        let loss = answers.mean(|predicted, actual| pinball(predicted, actual, level));
        let base = answers.mean(|_, actual| pinball(constant, actual, level));
        let figures = figures([
            ("pinball", loss),
            ("base_pinball", base),
            ("pinball_skill", if base > 0.0 { 1.0 - loss / base } else { f64::NAN }),
            ("coverage", answers.mean(|predicted, actual| f64::from(u8::from(actual <= predicted)))),
        ]);
        Ok(Self { rows: answers.actual.len(), figures })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_the_cheapest_constant() {
        let values = [(3.0, 1.0), (9.0, 2.0), (1.0, 1.0), (4.0, 0.0), (7.0, 1.0), (2.0, 1.5), (8.0, 0.5)];
        for level in [0.05, 0.3, 0.5, 0.9, 0.99] {
            let found = quantile(&mut values.to_vec(), level);
            let cost = |at: f64| values.iter().map(|(value, weight)| weight * pinball(at, *value, level)).sum::<f64>();
            let least = (0..=100).map(|step| cost(f64::from(step) / 10.0)).fold(f64::INFINITY, f64::min);
            assert!((cost(found) - least).abs() < 1e-12, "{level}: {found}");
        }
        assert_eq!(quantile(&mut [(4.0, 1.0), (2.0, 1.0)], 0.5), 2.0, "the smallest of several");
        assert!(quantile(&mut [(4.0, 0.0)], 0.5).is_nan());
    }

    #[test]
    fn figures_are_those_of_the_definition() {
        let answers = Answers::new(&[2.0, 2.0, 5.0, 1.0], &[1.0, 4.0, 5.0, 2.0]);
        let figures = QuantileEvaluation::of(&answers, 0.75).unwrap().figures;
        // Below by 1, above by 2, right, above by 1.
        assert!((figures["pinball"] - (0.25 + 1.5 + 0.0 + 0.75) / 4.0).abs() < 1e-12);
        assert_eq!(figures["coverage"], 0.5);
        // Of 1, 2, 4, 5 the third: below by 3 and 2, right, above by 1.
        assert!((figures["base_pinball"] - (0.75 + 0.5 + 0.0 + 0.75) / 4.0).abs() < 1e-12);
        assert!((figures["pinball_skill"] - (1.0 - 2.5 / 2.0)).abs() < 1e-12);
        let twice = Answers::new(&[2.0, 2.0, 5.0, 1.0], &[1.0, 4.0, 5.0, 2.0]).weighted(&[2.0; 4]);
        assert_eq!(QuantileEvaluation::of(&twice, 0.75).unwrap().figures, figures);
    }
}
