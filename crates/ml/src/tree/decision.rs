//! A single decision tree (Breiman et al.: CART, 1984).
//!
//! Splits are between bins: exact while a column has at most [`TreeOptions::max_bins`] distinct numbers (as `f32`), else
//! between as many groups of about equally many rows.

use serde::{Deserialize, Serialize};

use super::Tree;
use super::grow::{Ground, Limits};
use super::measure::Impurity;
use crate::{Context, Examples, MlError, Predict, Random, Task};

/// How a decision tree is fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TreeOptions {
    /// How mixed classes are made unmixed.
    pub impurity: Impurity,
    /// The most splits on the way to a leaf; 0 for no limit.
    pub max_depth: u32,
    /// The least weight of the rows of a leaf; their number if rows have no weights. Above 0.
    pub min_leaf: f64,
    /// By how much a split must make the whole tree less mixed.
    pub min_gain: f64,
    /// The most bins for the values of a column, from 2 to 255.
    pub max_bins: u32,
}

impl Default for TreeOptions {
    fn default() -> Self {
        Self { impurity: Impurity::Gini, max_depth: 8, min_leaf: 1.0, min_gain: 0.0, max_bins: 255 }
    }
}

/// A fitted decision tree. Its leaves have the probability of 1, the probabilities of all classes, or the mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecisionTree {
    /// What is predicted.
    pub task: Task,
    /// The tree.
    pub tree: Tree,
    /// For each column how much its splits made the tree less mixed, in weight of rows.
    pub gain: Vec<f64>,
}

impl DecisionTree {
    /// Fits a tree to examples of any task but a ranking.
    pub fn fit(examples: &Examples<'_>, options: &TreeOptions, context: &Context<'_>) -> Result<Self, MlError> {
        let limits = Limits {
            max_depth: options.max_depth,
            min_leaf: options.min_leaf,
            min_gain: options.min_gain,
            columns: examples.kinds.len(),
        };
        let ground = Ground::new(examples, limits, options.impurity, options.max_bins, context)?;
        let rows = (0..examples.target.len() as u32).filter(|row| examples.weight(*row as usize) > 0.0).collect();
        let grown = ground.grow(rows, &|row| examples.weight(row), Random::new(0, 0));
        Ok(Self { task: examples.task, tree: grown.tree, gain: grown.gain })
    }
}

impl Predict for DecisionTree {
    fn outputs(&self) -> usize {
        self.task.outputs()
    }

    fn predict(&self, row: &[f64], out: &mut [f64]) {
        out.copy_from_slice(self.tree.answer(row));
    }
}
