//! The multinomial logistic loss (Hastie, Tibshirani, Friedman: The Elements of Statistical Learning, section 4.4).

use super::problem::Penalty;
use super::{Design, lbfgs};
use crate::{Context, MlError};

/// Turns margins into probabilities in place; returns the logarithm of the sum of their exponentials.
pub(crate) fn softmax(margins: &mut [f64]) -> f64 {
    let most = margins.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for margin in margins.iter_mut() {
        *margin = (*margin - most).exp();
        sum += *margin;
    }
    margins.iter_mut().for_each(|margin| *margin /= sum);
    most + sum.ln()
}

/// What is to be minimised: `Σ scale·(-log p(class))` plus the penalty.
pub(super) struct Softmax<'a> {
    pub(super) design: &'a Design<'a>,
    pub(super) classes: usize,
    pub(super) targets: &'a [f64],
    pub(super) scales: &'a [f64],
    pub(super) penalty: Penalty,
    pub(super) tolerance: f64,
    pub(super) steps: usize,
}

impl Softmax<'_> {
    /// For each class its weights and its intercept. Adding one number to all intercepts changes no probability: they are
    /// those that sum to 0.
    pub(super) fn solve(&self, context: &Context) -> Result<Vec<f64>, MlError> {
        let side = self.design.columns() + 1;
        let options = lbfgs::Options {
            penalty: self.penalty,
            columns: side - 1,
            tolerance: self.tolerance * self.scales.iter().sum::<f64>(),
            steps: self.steps,
        };
        let smooth = |weights: &[f64]| self.smooth(weights, context);
        let mut weights = lbfgs::minimise(smooth, vec![0.0; self.classes * side], options, context)?;
        let mean = weights.chunks_exact(side).map(|class| class[side - 1]).sum::<f64>() / self.classes as f64;
        weights.chunks_exact_mut(side).for_each(|class| class[side - 1] -= mean);
        Ok(weights)
    }

    fn smooth(&self, weights: &[f64], context: &Context) -> (f64, Vec<f64>) {
        let side = self.design.columns() + 1;
        let parts = self.design.blocks(context, |rows| {
            let (mut sum, mut gradient) = (0.0, vec![0.0; weights.len()]);
            let mut margins = vec![0.0; self.classes];
            for row in rows {
                for (margin, class) in margins.iter_mut().zip(weights.chunks_exact(side)) {
                    *margin = self.design.margin(row, class);
                }
                let answer = self.targets[row] as usize;
                let right = margins[answer];
                sum += self.scales[row] * (softmax(&mut margins) - right);
                margins[answer] -= 1.0;
                for (off, class) in margins.iter().zip(gradient.chunks_exact_mut(side)) {
                    self.design.add(row, self.scales[row] * off, class);
                }
            }
            (sum, gradient)
        });
        let (sums, gradients): (Vec<f64>, Vec<Vec<f64>>) = parts.into_iter().unzip();
        let mut gradient = super::design::total(gradients);
        self.penalty.slope(weights, &mut gradient, side - 1);
        let ridge = Penalty { lasso: 0.0, ..self.penalty };
        (sums.iter().sum::<f64>() + ridge.value(weights, side - 1), gradient)
    }
}
