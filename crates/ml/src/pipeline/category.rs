//! Categories: an input for each, a code for each, or a number that stands for them where they are many.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::dictionary::Dictionary;
use super::number::moments;
use super::{Coding, ManyCategories, PipelineOptions};
use crate::{MlError, Task, sound};

/// Beyond this many classes a rate for each of them would be too wide.
const CLASSES_MAX: u32 = 8;
/// A category of fewer training rows is rare whatever its share.
const ROWS_LEAST: usize = 2;
/// Numbers are kept for so many categories, the most frequent.
const CATEGORIES_MAX: usize = 200_000;

/// A number for each category, or several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Lookup {
    pub(super) by: ManyCategories,
    pub(super) dictionary: Dictionary,
    /// How many numbers stand for a category.
    pub(super) outputs: usize,
    /// Those of each category, then those of unseen ones, then those of a missing value.
    pub(super) values: Vec<f64>,
    /// What is taken off each number, and what it is then divided by.
    pub(super) scales: Vec<(f64, f64)>,
}

impl Lookup {
    /// Where the numbers of a value are.
    pub(super) fn place(&self, name: Option<&str>) -> usize {
        match name {
            Some(name) => self.dictionary.find(name).unwrap_or(self.dictionary.len()),
            None => self.dictionary.len() + 1,
        }
    }

    /// Refuses what has not its numbers for each category.
    pub(super) fn check(&self) -> Result<(), MlError> {
        let values = (self.dictionary.len() + 2).checked_mul(self.outputs);
        let is_whole = self.outputs > 0
            && (self.outputs == 1 || self.by == ManyCategories::Target)
            && values == Some(self.values.len())
            && self.scales.len() == self.outputs;
        sound::fits(is_whole, "a column of categories has not its numbers for each of them")?;
        sound::numbers("the rate of a category", &self.values)?;
        self.scales.iter().try_for_each(|(mean, deviation)| {
            sound::number("a mean", *mean)?;
            sound::divisor("a deviation", *deviation)
        })
    }

    pub(super) fn scaled(&self, output: usize, value: f64) -> f64 {
        let (mean, deviation) = self.scales[output];
        (value - mean) / deviation
    }
}

/// Which numbers a target is averaged as: itself, or whether it is a class.
pub(super) fn outputs_of(task: Task) -> usize {
    match task {
        Task::Multiclass { classes } => classes as usize,
        Task::Binary | Task::Regression | Task::Ranking => 1,
    }
}

/// The part of a target that is averaged in an output.
pub(super) fn part(task: Task, target: f64, output: usize) -> f64 {
    match task {
        Task::Multiclass { .. } => f64::from(u8::from(target == output as f64)),
        Task::Binary | Task::Regression | Task::Ranking => target,
    }
}

/// A mean drawn to the overall mean by so many rows of it.
pub(super) fn smoothed(sum: f64, rows: f64, prior: f64, smoothing: f64) -> f64 {
    if rows + smoothing > 0.0 { (sum + smoothing * prior) / (rows + smoothing) } else { prior }
}

/// The categories of the training rows.
pub(super) struct Counted<'a> {
    names: Vec<Option<&'a str>>,
    counts: BTreeMap<&'a str, usize>,
}

/// What a column of categories becomes.
pub(super) enum Coded {
    OneHot(Dictionary),
    Codes(Dictionary),
    Lookup(Lookup),
}

impl<'a> Counted<'a> {
    pub(super) fn new(names: Vec<Option<&'a str>>) -> Self {
        let mut counts = BTreeMap::new();
        for name in names.iter().flatten() {
            *counts.entry(*name).or_default() += 1;
        }
        Self { names, counts }
    }

    pub(super) fn distinct(&self) -> usize {
        self.counts.len()
    }

    /// Decides by how many categories there are.
    pub(super) fn code(&self, target: Option<(&[f64], Task)>, options: &PipelineOptions) -> Coded {
        let least = ((options.rare_share * self.names.len() as f64).ceil() as usize).max(ROWS_LEAST);
        match options.coding {
            Coding::Linear if self.distinct() <= options.one_hot_max => Coded::OneHot(self.frequent(least)),
            Coding::Tree if self.distinct() <= options.codes_max => Coded::Codes(self.frequent(least)),
            Coding::Linear | Coding::Tree => Coded::Lookup(self.lookup(target, options)),
        }
    }

    /// The categories of at least so many rows, in alphabetical order.
    fn frequent(&self, least: usize) -> Dictionary {
        let frequent = self.counts.iter().filter(|(_, count)| **count >= least);
        frequent.map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>().into()
    }

    fn lookup(&self, target: Option<(&[f64], Task)>, options: &PipelineOptions) -> Lookup {
        let mut ordered: Vec<(&str, usize)> = self.counts.iter().map(|(name, count)| (*name, *count)).collect();
        ordered.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        ordered.truncate(CATEGORIES_MAX);
        let dictionary = ordered.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>().into();
        let mut lookup = Lookup { by: options.many, dictionary, outputs: 1, values: Vec::new(), scales: Vec::new() };
        let target = target.filter(|(_, task)| {
            options.many == ManyCategories::Target
                && !matches!(task, Task::Multiclass { classes } if *classes > CLASSES_MAX)
        });
        let places: Vec<usize> = self.names.iter().map(|name| lookup.place(*name)).collect();
        if let Some((target, task)) = target {
            lookup.outputs = outputs_of(task);
            lookup.values = rates(&places, lookup.dictionary.len() + 2, target, task, options.smoothing);
        } else {
            lookup.by = ManyCategories::Frequency;
            let mut counts = vec![0.0_f64; lookup.dictionary.len() + 2];
            places.iter().for_each(|place| counts[*place] += 1.0);
            lookup.values = counts.into_iter().map(f64::ln_1p).collect();
        }
        lookup.scales = match options.coding {
            Coding::Tree => vec![(0.0, 1.0); lookup.outputs],
            Coding::Linear => (0..lookup.outputs).map(|output| scale(&lookup, &places, output)).collect(),
        };
        lookup
    }
}

/// Mean and deviation over the training rows; a deviation of 1 if there is none.
fn scale(lookup: &Lookup, places: &[usize], output: usize) -> (f64, f64) {
    let values: Vec<f64> = places.iter().map(|place| lookup.values[place * lookup.outputs + output]).collect();
    let (mean, deviation, _) = moments(&values);
    (mean, if deviation > 1e-12 * mean.abs() { deviation } else { 1.0 })
}

/// Smoothed means of the target for each place; a place without rows has the overall mean.
fn rates(places: &[usize], count: usize, target: &[f64], task: Task, smoothing: f64) -> Vec<f64> {
    let outputs = outputs_of(task);
    let mut sums = vec![0.0; count * outputs];
    let mut rows = vec![0.0; count];
    let mut prior = vec![0.0; outputs];
    for (place, target) in places.iter().zip(target) {
        rows[*place] += 1.0;
        for output in 0..outputs {
            let part = part(task, *target, output);
            sums[place * outputs + output] += part;
            prior[output] += part / places.len() as f64;
        }
    }
    (0..count * outputs).map(|at| smoothed(sums[at], rows[at / outputs], prior[at % outputs], smoothing)).collect()
}
