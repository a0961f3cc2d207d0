//! What a margin costs, with its first and second derivatives.

use super::margins::sigmoid;

/// The loss of one row. Targets of the two-sided losses are -1 and 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Loss {
    /// log(1 + exp(-y·margin)).
    Logistic,
    /// max(0, 1 - y·margin)², which has a second derivative but for one point (Keerthi, DeCoste 2005).
    SquaredHinge,
    /// ½ (y - margin)².
    Square,
    /// max(0, |y - margin| - width)².
    SquaredTube {
        /// Errors up to this cost nothing.
        width: f64,
    },
}

impl Loss {
    /// The loss.
    pub(super) fn value(self, margin: f64, target: f64) -> f64 {
        match self {
            Self::Logistic => {
                let agreement = target * margin;
                (-agreement.abs()).exp().ln_1p() + (-agreement).max(0.0)
            }
            Self::SquaredHinge => (1.0 - target * margin).max(0.0).powi(2),
            Self::Square => 0.5 * (target - margin).powi(2),
            Self::SquaredTube { width } => ((target - margin).abs() - width).max(0.0).powi(2),
        }
    }

    /// The first and the second derivative by the margin.
    pub(super) fn slopes(self, margin: f64, target: f64) -> (f64, f64) {
        match self {
            Self::Logistic => {
                let wrong = sigmoid(-target * margin);
                (-target * wrong, wrong * (1.0 - wrong))
            }
            Self::SquaredHinge => {
                let short = 1.0 - target * margin;
                if short > 0.0 { (-2.0 * target * short, 2.0) } else { (0.0, 0.0) }
            }
            Self::Square => (margin - target, 1.0),
            Self::SquaredTube { width } => {
                let off = margin - target;
                let beyond = off.abs() - width;
                if beyond > 0.0 { (2.0 * off.signum() * beyond, 2.0) } else { (0.0, 0.0) }
            }
        }
    }
}
