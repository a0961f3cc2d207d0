//! What a margin costs, with its first and second derivatives.

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

    /// The loss with its first and second derivative.
    pub(super) fn all(self, margin: f64, target: f64) -> (f64, f64, f64) {
        if self == Self::Logistic {
            let agreement = target * margin;
            let small = (-agreement.abs()).exp();
            let wrong = wrong(agreement, small);
            return (small.ln_1p() + (-agreement).max(0.0), -target * wrong, wrong * (1.0 - wrong));
        }
        let (first, second) = self.slopes(margin, target);
        (self.value(margin, target), first, second)
    }

    /// The first and the second derivative by the margin.
    pub(super) fn slopes(self, margin: f64, target: f64) -> (f64, f64) {
        match self {
            Self::Logistic => {
                let agreement = target * margin;
                let wrong = wrong(agreement, (-agreement.abs()).exp());
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

/// The probability of the other answer, where `small` is the exponential of the agreement's negative size.
fn wrong(agreement: f64, small: f64) -> f64 {
    if agreement > 0.0 { small / (1.0 + small) } else { 1.0 / (1.0 + small) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_at_once_is_one_by_one() {
        for loss in [Loss::Logistic, Loss::SquaredHinge, Loss::Square, Loss::SquaredTube { width: 0.3 }] {
            for margin in [-800.0, -2.5, -0.0, 0.0, 0.3, 1.0, 40.0, 800.0] {
                for target in [1.0, -1.0] {
                    let (value, (first, second)) = (loss.value(margin, target), loss.slopes(margin, target));
                    assert_eq!(loss.all(margin, target), (value, first, second), "{loss:?} {margin} {target}");
                }
            }
        }
    }
}
