//! Support vector machines: linear (and its regression), and with kernels. Inputs are numbers already, as for the
//! [linear models](crate::LogisticRegression); a NaN counts as 0.

mod coupling;
mod kernel;
mod linear;
mod machine;
mod platt;
mod smo;

pub use kernel::Kernel;
pub use linear::{LinearSvm, LinearSvmOptions};
pub use machine::{KernelSvm, KernelSvmOptions};
