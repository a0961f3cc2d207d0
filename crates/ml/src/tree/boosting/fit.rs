//! The rounds of a gradient boosting.

use super::bundle::Bundles;
use super::grow::{Ground, Grown};
use super::objective::{BLOCK, Objective, Pair};
use super::options::Options;
use super::{Boosting, Tree};
use crate::tree::bins::Bins;
use crate::tree::fixed::Fixed;
use crate::tree::pieces;
use crate::{Context, Examples, Matrix, MlError, Random};

/// What changes from round to round.
struct Fit<'a> {
    examples: &'a Examples<'a>,
    options: &'a Options,
    context: &'a Context<'a>,
    objective: Objective,
    outputs: usize,
    /// Row by row, a margin for each output.
    margins: Vec<f64>,
    pairs: Vec<Pair>,
    gain: Vec<f64>,
}

/// The loss on examples that are not learnt from.
struct Validation<'a> {
    examples: &'a Examples<'a>,
    margins: Vec<f64>,
    losses: Vec<f64>,
    best: usize,
}

/// Which rounds are kept where there are validation examples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// Those up to the one of the least loss.
    Best,
    /// All that were tried.
    All,
}

pub(super) fn fit(
    examples: &Examples<'_>,
    validation: Option<&Examples<'_>>,
    options: &Options,
    context: &Context<'_>,
    kept: Kept,
) -> Result<Boosting, MlError> {
    let objective = Objective::new(examples.task, options);
    check(examples, validation, options, objective)?;
    let bins = Bins::new(examples, options.max_bins as usize, context)?;
    let bundles = Bundles::new(&bins);
    let free = options.monotone.iter().all(|direction| *direction == super::Direction::Any);
    let options = &Options { monotone: if free { Vec::new() } else { options.monotone.clone() }, ..options.clone() };
    let ground = Ground { bins: &bins, bundles: &bundles, options, weights: examples.weights };
    let base = objective.base(examples);
    let mut fit = Fit {
        examples,
        options,
        context,
        objective,
        outputs: base.len(),
        margins: base.repeat(bins.rows),
        pairs: vec![[0.0; 2]; bins.rows * base.len()],
        gain: vec![0.0; bins.columns.len()],
    };
    let mut validation = validation.map(|examples| {
        let margins = base.repeat(examples.rows.rows());
        let losses = vec![objective.loss(examples, &margins)];
        Validation { examples, margins, losses, best: 0 }
    });
    let mut rounds: Vec<Vec<Grown>> = Vec::new();
    for round in 0..options.rounds {
        context.go_on()?;
        let grown = fit.round(&ground, round);
        let done = grown.iter().all(|grown| grown.gains.is_empty()) && options.row_share == 1.0;
        if done && options.column_share == 1.0 {
            break;
        }
        let enough = validation.as_mut().is_some_and(|validation| validation.ends(&grown, objective, options, context));
        rounds.push(grown);
        if enough {
            break;
        }
    }
    if let (Some(validation), Kept::Best) = (&validation, kept) {
        rounds.truncate(validation.best);
    }
    rounds.iter().flatten().flat_map(|grown| &grown.gains).for_each(|(column, gain)| fit.gain[*column] += gain);
    Ok(Boosting {
        task: examples.task,
        loss: options.loss,
        base,
        trees: rounds.into_iter().flatten().map(|grown| grown.tree).collect(),
        gain: fit.gain,
        validation: validation.map(|mut validation| validation.losses.split_off(1)).unwrap_or_default(),
    })
}

fn check(
    examples: &Examples<'_>,
    validation: Option<&Examples<'_>>,
    options: &Options,
    objective: Objective,
) -> Result<(), MlError> {
    examples.check()?;
    options.check(examples)?;
    objective.check(examples)?;
    if let Some(validation) = validation {
        validation.check()?;
        objective.check(validation)?;
        if validation.kinds != examples.kinds || validation.task != examples.task {
            return Err(MlError::Shape(
                "the validation examples are of another form than those to learn from".to_owned(),
            ));
        }
    }
    Ok(())
}

impl Fit<'_> {
    /// Grows a tree for each output and adds what they say to the margins.
    fn round(&mut self, ground: &Ground<'_>, round: u32) -> Vec<Grown> {
        let totals = self.objective.derive(self.examples, &self.margins, &mut self.pairs, self.context);
        let mut random = Random::new(self.options.seed, u64::from(round));
        let rows = self.rows(&mut random);
        let columns = self.columns(&mut random);
        let one = |output: usize, context: &Context<'_>| {
            let fixed = Fixed::new(totals[output]);
            let packed = self.pack(&fixed, output, context);
            let mut rows = rows.clone();
            let mut grown = ground.grow(&mut rows, &packed, fixed, &columns, context);
            self.set_leaves(&mut grown, &rows);
            (grown, rows)
        };
        let grown = if self.outputs == 1 {
            vec![one(0, self.context)]
        } else {
            // A tree for each class at the same time; within a tree one thread is enough.
            let serial = Context { parallel: &crate::Serial, ..*self.context };
            pieces::map(self.context.parallel, self.outputs, |output| one(output, &serial))
        };
        let mut trees = Vec::with_capacity(grown.len());
        for (output, (grown, rows)) in grown.into_iter().enumerate() {
            self.add(output, &grown, &rows);
            trees.push(grown);
        }
        trees
    }

    /// Sets the leaves to what is best for their rows, where the derivatives do not tell it.
    fn set_leaves(&self, grown: &mut Grown, rows: &[u32]) {
        // The leaves stand in the order of the tree's values.
        for ((range, value), of_tree) in grown.leaves.iter_mut().zip(&mut grown.tree.values) {
            if let Some(best) = self.objective.leaf(self.examples, &self.margins, &rows[range.clone()]) {
                *value = best * self.options.learning_rate;
                *of_tree = *value;
            }
        }
    }

    fn rows(&self, random: &mut Random) -> Vec<u32> {
        let all = 0..self.examples.target.len() as u32;
        let share = self.options.row_share;
        if share < 1.0 { all.filter(|_| random.uniform() < share).collect() } else { all.collect() }
    }

    fn columns(&self, random: &mut Random) -> Vec<usize> {
        let mut columns: Vec<usize> = (0..self.gain.len()).collect();
        if self.options.column_share < 1.0 {
            random.shuffle(&mut columns);
            columns.truncate(((columns.len() as f64 * self.options.column_share).round() as usize).max(1));
            columns.sort_unstable();
        }
        columns
    }

    fn pack(&self, fixed: &Fixed, output: usize, context: &Context<'_>) -> Vec<u64> {
        let mut packed = vec![0; self.examples.target.len()];
        pieces::over_blocks(context.parallel, &mut packed, BLOCK, |number, packed| {
            let pairs = self.pairs[number * BLOCK * self.outputs..].chunks_exact(self.outputs);
            for (packed, pairs) in packed.iter_mut().zip(pairs) {
                let [gradient, hessian] = pairs[output];
                *packed = fixed.pack(f64::from(gradient), f64::from(hessian));
            }
        });
        packed
    }

    fn add(&mut self, output: usize, grown: &Grown, rows: &[u32]) {
        for (range, value) in &grown.leaves {
            for row in &rows[range.clone()] {
                self.margins[*row as usize * self.outputs + output] += value;
            }
        }
        if rows.len() < self.examples.target.len() {
            let mut inside = vec![false; self.examples.target.len()];
            rows.iter().for_each(|row| inside[*row as usize] = true);
            let outside = |row: usize| !inside[row];
            add_answers(
                &grown.tree,
                self.examples.rows,
                &mut self.margins,
                [output, self.outputs],
                self.context,
                outside,
            );
        }
    }
}

impl Validation<'_> {
    /// Takes a round into account; whether patience is at its end.
    fn ends(&mut self, round: &[Grown], objective: Objective, options: &Options, context: &Context<'_>) -> bool {
        for (output, grown) in round.iter().enumerate() {
            add_answers(&grown.tree, self.examples.rows, &mut self.margins, [output, round.len()], context, |_| true);
        }
        let loss = objective.loss(self.examples, &self.margins);
        self.losses.push(loss);
        let last = self.losses.len() - 1;
        if loss < self.losses[self.best] {
            self.best = last;
        }
        last - self.best >= options.patience as usize
    }
}

/// Adds what a tree says of some rows to the margins of one of several outputs.
fn add_answers(
    tree: &Tree,
    rows: &Matrix,
    margins: &mut [f64],
    [output, outputs]: [usize; 2],
    context: &Context<'_>,
    which: impl Fn(usize) -> bool + Sync,
) {
    pieces::over_blocks(context.parallel, margins, BLOCK * outputs, |number, margins| {
        for (index, margins) in margins.chunks_exact_mut(outputs).enumerate() {
            let row = number * BLOCK + index;
            if which(row) {
                margins[output] += tree.answer(rows.row(row))[0];
            }
        }
    });
}
