//! What a model is held to that was not fitted in this process: a file whose checksum is right may still hold numbers and lengths
//! that no fit makes, and would panic or answer nonsense in service.
//!
//! Each part of a model checks itself with what is here; [`crate::Model`] asks all of them. After that an answer to rows of
//! ordinary numbers is finite.

use std::fmt::Display;

use crate::{Kind, MlError, Task};

/// No fit makes a larger number. What is added up of products of three such, or of a square and another one, is finite.
pub(crate) const LARGEST: f64 = 1e75;

/// What a fitted algorithm is given and asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Form<'a> {
    /// What it predicts.
    pub(crate) task: Task,
    /// The columns of its rows.
    pub(crate) kinds: &'a [Kind],
}

/// Refuses parts that do not fit together.
pub(crate) fn fits(condition: bool, what: impl Display) -> Result<(), MlError> {
    if condition {
        return Ok(());
    }
    Err(MlError::Shape(format!("the parts of the model do not fit together: {what}; train it again")))
}

/// Whether a number is one that a model can compute with.
pub(crate) fn is_usual(number: f64) -> bool {
    // False for NaN, too.
    number.abs() <= LARGEST
}

/// Refuses a number with which no answer could be computed: one that is none, or beyond all measure.
pub(crate) fn number(what: &str, number: f64) -> Result<(), MlError> {
    if is_usual(number) {
        return Ok(());
    }
    let told = format!("{what} of the model is {number:?}, with which it cannot answer");
    Err(MlError::Shape(format!("{told}; train it again, on numbers of a usual size")))
}

/// [`number`] for each of some.
pub(crate) fn numbers<'a>(what: &str, all: impl IntoIterator<Item = &'a f64>) -> Result<(), MlError> {
    all.into_iter().try_for_each(|one| number(what, *one))
}

/// Refuses a number that others cannot be divided by.
pub(crate) fn divisor(what: &str, one: f64) -> Result<(), MlError> {
    number(what, one)?;
    number(what, one.recip())
}

/// Refuses what is no probability. Sums of shares may be a little more than 1 after rounding.
pub(crate) fn probability(what: &str, one: f64) -> Result<(), MlError> {
    fits((0.0..=1.0 + 1e-9).contains(&one), format_args!("{what} is {one:?}, which is no probability"))
}
