//! Decision trees and what is made of them. [`Tree`] is the one structure that learning, serving, explaining and exporting
//! share.

mod check;
mod flat;
mod shap;
mod structure;
#[cfg(test)]
mod testing;

pub use flat::FlatTrees;
pub use shap::{TreeExplainer, expected};
pub use structure::{Node, Test, Tree};
