//! Decision trees and what is made of them. [`Tree`] is the one structure that learning, serving, explaining and exporting
//! share.

mod bins;
mod boosting;
mod bytes;
mod check;
mod decision;
mod fixed;
mod flat;
mod forest;
mod grow;
mod look;
mod measure;
mod partition;
mod pieces;
mod shap;
mod structure;
#[cfg(test)]
mod testing;

pub use boosting::{Boosting, BoostingOptions, Direction, Loss};
pub use decision::{DecisionTree, TreeOptions};
pub use flat::FlatTrees;
pub use forest::{ColumnsPerSplit, Forest, ForestOptions};
pub use measure::Impurity;
pub use shap::{ShapScratch, TreeExplainer, expected};
pub use structure::{Node, Test, Tree};
