//! The answers of the most similar known rows (k nearest neighbours; Cover and Hart 1967; Hastie, Tibshirani, Friedman, section 13.3).
//!
//! Numbers are compared in standard deviations, a missing one standing at the mean; two different categories are one apart, missing
//! being a category of its own. Exact: boxes of rows that cannot be near enough are left out, and where boxes exclude nothing (many
//! columns) single precision tells of most rows that they are too far. A model in memory is half as large again as its rows.

#![expect(clippy::inline_always, reason = "only what is inlined is compiled for the instructions that were found")]

mod blocks;
mod points;
mod search;

use fearless_simd::Level;
use serde::{Deserialize, Serialize};

use self::points::{Found, Points};
use crate::sound::{self, Form};
use crate::{Context, Examples, MlError, Predict, Task};

/// More neighbours than this are no neighbourhood; they also stand on the stack while a row is answered.
pub const NEIGHBOURS_MAX: usize = 256;

/// How much a neighbour counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weighting {
    /// All alike.
    Uniform,
    /// By the inverse of its distance; rows that are equal to the asked one count alone.
    #[default]
    Distance,
}

/// How to fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NeighboursOptions {
    /// How many neighbours answer, from 1 to [`NEIGHBOURS_MAX`]; all rows if there are fewer.
    pub neighbours: usize,
    /// How much each counts.
    pub weighting: Weighting,
}

impl Default for NeighboursOptions {
    fn default() -> Self {
        Self { neighbours: 25, weighting: Weighting::Distance }
    }
}

impl NeighboursOptions {
    fn check(&self) -> Result<(), MlError> {
        if (1..=NEIGHBOURS_MAX).contains(&self.neighbours) {
            return Ok(());
        }
        let asked = self.neighbours;
        Err(MlError::Shape(format!("{asked} neighbours are asked for; take from 1 to {NEIGHBOURS_MAX}")))
    }
}

/// Known rows with their answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Neighbours {
    task: Task,
    options: NeighboursOptions,
    points: Points,
    /// In the order of the points.
    target: Vec<f64>,
    weights: Vec<f64>,
}

impl Neighbours {
    /// Remembers the rows that have a weight.
    pub fn fit(examples: &Examples<'_>, options: &NeighboursOptions, context: &Context<'_>) -> Result<Self, MlError> {
        examples.check()?;
        options.check()?;
        let kept: Vec<usize> = (0..examples.target.len()).filter(|row| examples.weight(*row) > 0.0).collect();
        if kept.is_empty() {
            return Err(MlError::Shape("every row has the weight 0; there is nothing to learn from".to_owned()));
        }
        let (points, order) = Points::new(examples, kept, context)?;
        let target = order.iter().map(|row| examples.target[*row]).collect();
        let weights = order.iter().map(|row| examples.weight(*row)).collect();
        Ok(Self { task: examples.task, options: *options, points, target, weights })
    }

    /// Refuses what cannot answer.
    pub(crate) fn check(&self, form: Form<'_>) -> Result<(), MlError> {
        self.options.check()?;
        self.points.check(form.kinds)?;
        sound::fits(self.task == form.task, "nearest neighbours answer another question than the model")?;
        let is_whole = self.target.len() == self.points.count() && self.weights.len() == self.points.count();
        sound::fits(is_whole, "nearest neighbours have not one answer and one weight for each row")?;
        for (target, weight) in self.target.iter().zip(&self.weights) {
            let classes = match form.task {
                Task::Binary => 2.0,
                Task::Multiclass { classes } => f64::from(classes),
                Task::Regression | Task::Ranking => f64::INFINITY,
            };
            let is_class = (0.0..classes).contains(target) && target.fract() == 0.0;
            let told = format_args!("a row of nearest neighbours has the class {target}");
            sound::fits(is_class || classes.is_infinite(), told)?;
            sound::number("an answer", *target)?;
            sound::divisor("a weight", *weight)?;
            sound::fits(*weight > 0.0, "a row of nearest neighbours has a negative weight")?;
        }
        Ok(())
    }

    /// How much a neighbour counts where the nearest is so far.
    fn weight(&self, found: &Found, nearest: f64) -> f64 {
        let own = self.weights[found.point as usize];
        match self.options.weighting {
            Weighting::Uniform => own,
            Weighting::Distance if nearest == 0.0 => own * f64::from(u8::from(found.squared == 0.0)),
            // All are beyond measure: none is nearer than another.
            Weighting::Distance if nearest.is_infinite() => own,
            Weighting::Distance => own / found.squared.sqrt(),
        }
    }
}

impl Predict for Neighbours {
    fn outputs(&self) -> usize {
        self.task.outputs()
    }

    fn predict(&self, row: &[f64], out: &mut [f64]) {
        let mut places = [Found::NONE; NEIGHBOURS_MAX];
        let found = self.points.nearest(Level::new(), row, &mut places[..self.options.neighbours]);
        let nearest = found.first().map_or(f64::INFINITY, |nearest| nearest.squared);
        out.fill(0.0);
        let mut total = 0.0;
        for neighbour in found {
            let (weight, target) = (self.weight(neighbour, nearest), self.target[neighbour.point as usize]);
            total += weight;
            match self.task {
                Task::Multiclass { .. } => out[target as usize] += weight,
                Task::Binary | Task::Regression | Task::Ranking => out[0] += weight * target,
            }
        }
        out.iter_mut().for_each(|out| *out /= total);
    }
}
