//! How mixed the answers of some rows are: what the splits of a single tree, or of a tree of a forest, make small.
//!
//! Of a set of rows only sums are known: one number for each lane. Scores are such that larger is better and that the score
//! of two children less that of their parent is what a split gains, weighted by rows.

use serde::{Deserialize, Serialize};

use super::fixed::Fixed;
use crate::{Examples, Task};

/// How mixed the classes of a node are; a regression uses the variance, whatever is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Impurity {
    /// The chance that two rows are of different classes (Breiman et al.: CART, 1984).
    #[default]
    Gini,
    /// The entropy of the classes (Quinlan: Induction of decision trees, 1986).
    Entropy,
}

/// Sums over rows and what they are worth.
pub(super) trait Measure: Sync {
    /// How many sums there are.
    fn lanes(&self) -> usize;
    /// The lane that a row's number is added to, and the number.
    fn part(&self, row: u64) -> (usize, u64);
    /// The weight of the rows in some sums.
    fn weight(&self, sums: &[u64]) -> f64;
    /// The less mixed, the larger.
    fn score(&self, sums: &[u64]) -> f64;
    /// What categories are ordered by, given the sums of all rows of the node.
    fn order(&self, sums: &[u64], all: &[u64]) -> f64;
    /// What a row adds, if it counts so much.
    fn row(&self, target: f64, weight: f64) -> u64;
}

/// The sum of targets and the sum of weights: two classes or numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moments {
    fixed: Fixed,
    /// Taken from each target: sums of numbers far from 0 would lose their differences.
    shift: f64,
    /// Two classes are mixed twice as much as their numbers 0 and 1 vary.
    factor: f64,
    entropy: bool,
}

/// The weight of each class.
#[derive(Debug, Clone, Copy)]
pub(super) struct Classes {
    fixed: Fixed,
    count: usize,
    entropy: bool,
}

/// `count · log(count / all)`, which goes to 0 with the count.
fn entropy_part(count: f64, all: f64) -> f64 {
    if count > 0.0 { count * (count / all).ln() } else { 0.0 }
}

/// Rows with how much each counts.
pub(super) type Weighted<'a> = &'a mut dyn Iterator<Item = (usize, f64)>;

impl Moments {
    /// For `rows` of these examples, each with its weight.
    pub(super) fn new(examples: &Examples<'_>, impurity: Impurity, shift: f64, rows: Weighted<'_>) -> Self {
        let binary = examples.task == Task::Binary;
        let [targets, weights] = rows.fold([0.0; 2], |[targets, weights], (row, weight)| {
            [targets + weight * (examples.target[row] - shift).abs(), weights + weight]
        });
        // Equal units make a node of one class look like one, whatever the rounding of weights.
        let fixed = Fixed::new([if binary { weights } else { targets }, weights]);
        Self { fixed, shift, factor: if binary { 2.0 } else { 1.0 }, entropy: binary && impurity == Impurity::Entropy }
    }
}

impl Measure for Moments {
    #[inline]
    fn lanes(&self) -> usize {
        1
    }

    #[inline]
    fn part(&self, row: u64) -> (usize, u64) {
        (0, row)
    }

    #[inline]
    fn weight(&self, sums: &[u64]) -> f64 {
        self.fixed.unpack(sums[0]).1
    }

    #[inline]
    fn score(&self, sums: &[u64]) -> f64 {
        let (sum, weight) = self.fixed.unpack(sums[0]);
        if self.entropy {
            entropy_part(sum, weight) + entropy_part(weight - sum, weight)
        } else if weight > 0.0 {
            self.factor * sum * sum / weight
        } else {
            0.0
        }
    }

    fn order(&self, sums: &[u64], _all: &[u64]) -> f64 {
        let (sum, weight) = self.fixed.unpack(sums[0]);
        sum / weight
    }

    fn row(&self, target: f64, weight: f64) -> u64 {
        self.fixed.pack(weight * (target - self.shift), weight)
    }
}

impl Classes {
    /// For `rows`, each with its weight.
    pub(super) fn new(classes: u32, impurity: Impurity, rows: Weighted<'_>) -> Self {
        let fixed = Fixed::new([0.0, rows.map(|(_, weight)| weight).sum()]);
        Self { fixed, count: classes as usize, entropy: impurity == Impurity::Entropy }
    }

    fn amount(&self, sum: u64) -> f64 {
        sum as f64 * self.fixed.unit[1]
    }
}

impl Measure for Classes {
    #[inline]
    fn lanes(&self) -> usize {
        self.count
    }

    #[inline]
    fn part(&self, row: u64) -> (usize, u64) {
        ((row >> 32) as usize, row & 0xffff_ffff)
    }

    fn weight(&self, sums: &[u64]) -> f64 {
        self.amount(sums.iter().sum())
    }

    fn score(&self, sums: &[u64]) -> f64 {
        let all = self.weight(sums);
        if self.entropy {
            sums.iter().map(|sum| entropy_part(self.amount(*sum), all)).sum()
        } else if all > 0.0 {
            sums.iter().map(|sum| self.amount(*sum).powi(2)).sum::<f64>() / all
        } else {
            0.0
        }
    }

    /// The share of the class that most rows of the node have: with several classes no order is sure to have the best split.
    fn order(&self, sums: &[u64], all: &[u64]) -> f64 {
        let most = (0..all.len()).max_by_key(|class| all[*class]).unwrap_or(0);
        self.amount(sums[most]) / self.weight(sums)
    }

    fn row(&self, target: f64, weight: f64) -> u64 {
        (target as u64) << 32 | self.fixed.pack(0.0, weight)
    }
}
