//! Models whose margin is a weighted sum of their inputs, and the ground they share with the linear support vector
//! machine.
//!
//! Inputs are numbers already (standardised, one-hot coded): preprocessing is made elsewhere. A NaN counts as 0, which is
//! the mean of a standardised column. Sums over rows are made in blocks whose size follows from the number of rows alone
//! and are added in order, so a result does not depend on the number of threads.

mod design;
mod dot;
mod ftrl;
mod lbfgs;
mod logistic;
mod loss;
mod margins;
mod newton;
mod problem;
mod regression;
mod sigmoid;
mod softmax;
mod symmetric;

pub use ftrl::{Ftrl, FtrlOptions};
pub use logistic::{ClassWeights, LogisticOptions, LogisticRegression};
pub use regression::{LinearOptions, LinearRegression};

pub(crate) use design::Design;
pub(crate) use loss::Loss;
pub(crate) use margins::Margins;
pub(crate) use problem::{Penalty, Problem};
pub(crate) use sigmoid::sigmoid;
pub(crate) use softmax::softmax;

/// The weight of each row times that of its class, as far as `class_weights` ask for it. Refuses classes that have no
/// rows that count.
pub(crate) fn weights_of_rows(
    examples: &crate::Examples,
    classes: usize,
    class_weights: ClassWeights,
) -> Result<Vec<f64>, crate::MlError> {
    let mut totals = vec![0.0; classes];
    for (row, target) in examples.target.iter().enumerate() {
        totals[*target as usize] += examples.weight(row);
    }
    if let Some(empty) = totals.iter().position(|total| *total <= 0.0) {
        return Err(crate::MlError::Shape(format!(
            "no row that counts has the answer {empty}; add rows of it, or leave the answer out"
        )));
    }
    let all: f64 = totals.iter().sum();
    let factor = |class: usize| match class_weights {
        ClassWeights::Equal => 1.0,
        ClassWeights::Balanced => all / (classes as f64 * totals[class]),
    };
    Ok(examples.target.iter().enumerate().map(|(row, class)| examples.weight(row) * factor(*class as usize)).collect())
}

/// Refuses an option that is not a positive number.
pub(crate) fn positive(name: &str, value: f64) -> Result<(), crate::MlError> {
    if value > 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(crate::MlError::Shape(format!("{name} is {value}; it must be a positive number")))
}
