//! Support vector machines: linear (and its regression), and with kernels. Inputs are numbers already, as for the
//! [linear models](crate::LogisticRegression); a NaN counts as 0.

mod linear;
mod platt;

pub use linear::{LinearSvm, LinearSvmOptions};
