//! A random forest: the mean of trees that each saw other rows, and at each node other columns (Breiman: Random forests, 2001).

use serde::{Deserialize, Serialize};

use super::Tree;
use super::grow::{Ground, Limits};
use super::measure::Impurity;
use super::pieces;
use crate::{Context, Examples, MlError, Predict, Random, Task};

/// How many columns a split is chosen from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnsPerSplit {
    /// The square root of their number for classes, a third for numbers; at least 1.
    Usual,
    /// A share of them, above 0 and up to 1.
    Share(f64),
}

/// How a random forest is fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ForestOptions {
    /// How many trees.
    pub trees: u32,
    /// How mixed classes are made unmixed.
    pub impurity: Impurity,
    /// The most splits on the way to a leaf; 0 for no limit.
    pub max_depth: u32,
    /// The least weight of the rows of a leaf; the number of draws if rows have no weights. Above 0.
    pub min_leaf: f64,
    /// By how much a split must make its whole tree less mixed.
    pub min_gain: f64,
    /// How many columns a split is chosen from.
    pub columns: ColumnsPerSplit,
    /// Whether each tree draws its rows, with replacement; else it sees all.
    pub bootstrap: bool,
    /// Whether to compute [`Forest::out_of_bag`].
    pub out_of_bag: bool,
    /// The most bins for the values of a column, from 2 to 255.
    pub max_bins: u32,
    /// What all random choices follow from.
    pub seed: u64,
}

impl Default for ForestOptions {
    fn default() -> Self {
        Self {
            trees: 100,
            impurity: Impurity::Gini,
            max_depth: 0,
            min_leaf: 1.0,
            min_gain: 0.0,
            columns: ColumnsPerSplit::Usual,
            bootstrap: true,
            out_of_bag: false,
            max_bins: 255,
            seed: 0,
        }
    }
}

impl ForestOptions {
    fn check(&self) -> Result<(), MlError> {
        let wrong = |what: &str| Err(MlError::Options(what.to_owned()));
        match self.columns {
            _ if self.trees == 0 => wrong("trees must be at least 1"),
            _ if self.out_of_bag && !self.bootstrap => {
                wrong("without bootstrap no rows are out of the bag; set bootstrap or leave out_of_bag")
            }
            ColumnsPerSplit::Share(share) if !(share > 0.0 && share <= 1.0) => {
                wrong("the share of columns must be above 0 and up to 1")
            }
            _ => Ok(()),
        }
    }

    fn columns(&self, examples: &Examples<'_>) -> usize {
        let columns = examples.kinds.len();
        let some = match (self.columns, examples.task) {
            (ColumnsPerSplit::Share(share), _) => (columns as f64 * share).round() as usize,
            (ColumnsPerSplit::Usual, Task::Regression) => columns / 3,
            (ColumnsPerSplit::Usual, _) => columns.isqrt(),
        };
        some.max(1)
    }
}

/// A fitted random forest: the answer is the mean of its trees' probabilities or values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Forest {
    /// What is predicted.
    pub task: Task,
    /// All trees.
    pub trees: Vec<Tree>,
    /// For each column how much its splits made a tree less mixed, in weight of rows, the mean of all trees.
    pub gain: Vec<f64>,
    /// How good the answers are for rows by the trees that did not see them, if asked for: the share of right classes, or
    /// for a regression how much of the variance is explained (R²). None if every tree saw every row.
    pub out_of_bag: Option<f64>,
}

/// Rows that are a piece of work.
const BLOCK: usize = 1024;

impl Forest {
    /// Fits trees to examples of any task but a ranking. Each tree follows from the seed and its number.
    pub fn fit(examples: &Examples<'_>, options: &ForestOptions, context: &Context<'_>) -> Result<Self, MlError> {
        options.check()?;
        let limits = Limits {
            max_depth: options.max_depth,
            min_leaf: options.min_leaf,
            min_gain: options.min_gain,
            columns: options.columns(examples),
        };
        let ground = Ground::new(examples, limits, options.impurity, options.max_bins, context)?;
        let grown = pieces::map(context.parallel, options.trees as usize, |tree| {
            context.go_on().ok()?;
            let mut random = Random::new(options.seed, tree as u64);
            let draws = draws(examples, options, &mut random);
            let weight = |row: usize| f64::from(draws[row]) * examples.weight(row);
            let rows = (0..examples.target.len() as u32).filter(|row| weight(*row as usize) > 0.0).collect();
            let inside: Vec<bool> =
                if options.out_of_bag { draws.iter().map(|d| *d > 0).collect() } else { Vec::new() };
            Some((ground.grow(rows, &weight, random), inside))
        });
        context.go_on()?;
        let mut gain = vec![0.0; examples.kinds.len()];
        let (mut trees, mut bags) = (Vec::with_capacity(grown.len()), Vec::new());
        for (grown, inside) in grown.into_iter().flatten() {
            gain.iter_mut().zip(grown.gain).for_each(|(sum, gain)| *sum += gain / f64::from(options.trees));
            trees.push(grown.tree);
            bags.push(inside);
        }
        let out_of_bag = if options.out_of_bag { out_of_bag(examples, &trees, &bags, context) } else { None };
        Ok(Self { task: examples.task, trees, gain, out_of_bag })
    }
}

/// How often a tree draws each row.
fn draws(examples: &Examples<'_>, options: &ForestOptions, random: &mut Random) -> Vec<u32> {
    let rows = examples.target.len();
    if !options.bootstrap {
        return vec![1; rows];
    }
    let mut draws = vec![0; rows];
    (0..rows).for_each(|_| draws[random.below(rows)] += 1);
    if (0..rows).all(|row| draws[row] == 0 || examples.weight(row) == 0.0) {
        // A bag without any weight has nothing to learn; such a tree sees all rows.
        draws.fill(1);
    }
    draws
}

/// The share of right classes, or R², of rows that some trees did not see.
fn out_of_bag(examples: &Examples<'_>, trees: &[Tree], bags: &[Vec<bool>], context: &Context<'_>) -> Option<f64> {
    let outputs = examples.task.outputs();
    let mut answers = vec![f64::NAN; examples.target.len() * outputs];
    pieces::over_blocks(context.parallel, &mut answers, BLOCK * outputs, |number, answers| {
        for (index, answer) in answers.chunks_exact_mut(outputs).enumerate() {
            let row = number * BLOCK + index;
            let unseen = trees.iter().zip(bags).filter(|(_, inside)| !inside[row]);
            mean_answer(unseen.map(|(tree, _)| tree), examples.rows.row(row), answer);
        }
    });
    let rows: Vec<usize> = (0..examples.target.len()).filter(|row| !answers[row * outputs].is_nan()).collect();
    let total: f64 = rows.iter().map(|row| examples.weight(*row)).sum();
    if total <= 0.0 {
        return None;
    }
    let sum = |of: &dyn Fn(usize) -> f64| rows.iter().map(|row| examples.weight(*row) * of(*row)).sum::<f64>();
    Some(match examples.task {
        Task::Regression | Task::Ranking => {
            let mean = sum(&|row| examples.target[row]) / total;
            let around = sum(&|row| (examples.target[row] - mean).powi(2));
            1.0 - sum(&|row| (examples.target[row] - answers[row]).powi(2)) / around.max(f64::MIN_POSITIVE)
        }
        Task::Binary => sum(&|row| f64::from(u8::from((answers[row] > 0.5) == (examples.target[row] == 1.0)))) / total,
        Task::Multiclass { .. } => {
            let right = |row: usize| {
                let answer = &answers[row * outputs..][..outputs];
                let likeliest = (0..outputs).rev().max_by(|a, b| answer[*a].total_cmp(&answer[*b]));
                f64::from(u8::from(likeliest == Some(examples.target[row] as usize)))
            };
            sum(&right) / total
        }
    })
}

/// Writes the mean of what some trees say; NaN if there are none.
fn mean_answer<'a>(trees: impl Iterator<Item = &'a Tree>, row: &[f64], out: &mut [f64]) {
    out.fill(0.0);
    let mut count = 0.0;
    for tree in trees {
        out.iter_mut().zip(tree.answer(row)).for_each(|(out, value)| *out += value);
        count += 1.0;
    }
    out.iter_mut().for_each(|out| *out /= count);
}

impl Predict for Forest {
    fn outputs(&self) -> usize {
        self.task.outputs()
    }

    fn predict(&self, row: &[f64], out: &mut [f64]) {
        mean_answer(self.trees.iter(), row, out);
    }
}
