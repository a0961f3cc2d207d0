//! What a gradient boosting makes small: derivatives for growing trees, losses for stopping in time.

use super::options::{Loss, Options};
use super::rank;
use crate::linear::softmax;
use crate::metrics::{pinball, quantile};
use crate::tree::pieces;
use crate::{Context, Examples, MlError, Task};

/// Rows that are a piece of work; fixed, so that sums do not depend on the number of threads.
pub(super) const BLOCK: usize = 8192;
/// No probability is taken to be closer to 0 or 1 than this in a loss.
const SURE: f64 = 1e-15;

/// The largest target of a regression: derivatives are `f32`.
const LARGEST: f64 = 1e30;

/// The first and second derivative of the loss of a row with respect to its margin, times its weight.
pub(super) type Pair = [f32; 2];

/// What is made small, for margins that stand row by row, one for each output.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Objective {
    /// Log-loss of the logistic of one margin.
    Logistic,
    /// Log-loss of the softmax of several margins.
    Softmax { classes: usize },
    /// Half the squared error.
    Squared,
    /// Poisson deviance of the exponential of the margin.
    Poisson,
    /// The pinball loss at a level.
    Quantile { level: f64 },
    /// 1 less the mean normalised discounted gain of groups.
    Rank { depth: usize },
}

impl Objective {
    pub(super) fn new(task: Task, options: &Options) -> Self {
        match task {
            Task::Binary => Self::Logistic,
            Task::Multiclass { classes } => Self::Softmax { classes: classes as usize },
            Task::Ranking => Self::Rank { depth: options.ranking_depth as usize },
            Task::Regression => match options.loss {
                Loss::Squared => Self::Squared,
                Loss::Poisson => Self::Poisson,
                Loss::Quantile { level } => Self::Quantile { level },
            },
        }
    }

    /// Refuses answers that have no loss.
    pub(super) fn check(self, examples: &Examples<'_>) -> Result<(), MlError> {
        let shape = |what: &str| Err(MlError::Shape(what.to_owned()));
        match self {
            Self::Poisson if examples.target.iter().any(|target| *target < 0.0) => {
                shape("a Poisson regression needs targets from 0")
            }
            Self::Squared | Self::Poisson | Self::Quantile { .. }
                if examples.target.iter().any(|target| target.abs() > LARGEST) =>
            {
                shape("a target is beyond 1e30; scale the targets")
            }
            Self::Rank { .. } => match examples.groups {
                None => shape("a ranking needs groups"),
                Some(groups) => rank::check(groups, examples.target),
            },
            _ => Ok(()),
        }
    }

    /// The margins that are best without any input.
    pub(super) fn base(self, examples: &Examples<'_>) -> Vec<f64> {
        let rows = 0..examples.target.len();
        let total: f64 = rows.clone().map(|row| examples.weight(row)).sum::<f64>().max(f64::MIN_POSITIVE);
        let mean = || rows.clone().map(|row| examples.weight(row) * examples.target[row]).sum::<f64>() / total;
        match self {
            Self::Logistic => {
                let mean = mean().clamp(SURE, 1.0 - SURE);
                vec![(mean / (1.0 - mean)).ln()]
            }
            Self::Softmax { classes } => {
                let mut shares = vec![0.0; classes];
                rows.clone().for_each(|row| shares[examples.target[row] as usize] += examples.weight(row) / total);
                shares.into_iter().map(|share| share.max(SURE).ln()).collect()
            }
            Self::Squared => vec![mean()],
            Self::Poisson => vec![mean().max(SURE).ln()],
            Self::Quantile { level } => {
                vec![quantile(
                    &mut rows.map(|row| (examples.target[row], examples.weight(row))).collect::<Vec<_>>(),
                    level,
                )]
            }
            Self::Rank { .. } => vec![0.0],
        }
    }

    /// What a leaf of these rows says, where that is not what the sums of the derivatives say.
    pub(super) fn leaf(self, examples: &Examples<'_>, margins: &[f64], rows: &[u32]) -> Option<f64> {
        let Self::Quantile { level } = self else { return None };
        let off = |row: &u32| {
            let row = *row as usize;
            (examples.target[row] - margins[row], examples.weight(row))
        };
        // Rows that do not count say nothing.
        Some(quantile(&mut rows.iter().map(off).collect::<Vec<_>>(), level)).filter(|value| !value.is_nan())
    }

    /// Turns margins into answers.
    pub(super) fn answer(self, margins: &mut [f64]) {
        match self {
            Self::Logistic => margins.iter_mut().for_each(|margin| *margin = logistic(*margin)),
            Self::Softmax { .. } => {
                softmax(margins);
            }
            Self::Poisson => margins.iter_mut().for_each(|margin| *margin = margin.exp()),
            Self::Squared | Self::Quantile { .. } | Self::Rank { .. } => {}
        }
    }

    /// Writes the derivatives for all rows; the sums of their absolute values for each output.
    pub(super) fn derive(
        self,
        examples: &Examples<'_>,
        margins: &[f64],
        pairs: &mut [Pair],
        context: &Context<'_>,
    ) -> Vec<[f64; 2]> {
        if let (Self::Rank { depth }, Some(groups)) = (self, examples.groups) {
            rank::derive(examples, groups, depth, margins, pairs, context);
            return vec![absolute(pairs, 0, 1)];
        }
        let outputs = examples.task.outputs();
        let sums = pieces::over_blocks(context.parallel, pairs, BLOCK * outputs, |number, pairs| {
            let first = number * BLOCK;
            let rows = pairs.len() / outputs;
            let target = &examples.target[first..][..rows];
            let margins = &margins[first * outputs..][..pairs.len()];
            self.derive_block(target, margins, pairs);
            if let Some(weights) = examples.weights {
                for (pairs, weight) in pairs.chunks_exact_mut(outputs).zip(&weights[first..][..rows]) {
                    pairs.iter_mut().for_each(|pair| *pair = pair.map(|part| part * *weight as f32));
                }
            }
            (0..outputs).map(|output| absolute(pairs, output, outputs)).collect::<Vec<_>>()
        });
        let mut totals = vec![[0.0; 2]; outputs];
        for sum in sums {
            totals.iter_mut().zip(sum).for_each(|(total, sum)| *total = [total[0] + sum[0], total[1] + sum[1]]);
        }
        totals
    }

    fn derive_block(self, target: &[f64], margins: &[f64], pairs: &mut [Pair]) {
        match self {
            Self::Logistic => {
                for ((pair, margin), target) in pairs.iter_mut().zip(margins).zip(target) {
                    let p = logistic(*margin);
                    *pair = [(p - target) as f32, (p * (1.0 - p)) as f32];
                }
            }
            Self::Softmax { classes } => {
                let mut p = vec![0.0; classes];
                // The diagonal of the second derivative, made larger as Friedman (2001) does, since classes move together.
                let factor = classes as f64 / (classes as f64 - 1.0);
                let rows = pairs.chunks_exact_mut(classes).zip(margins.chunks_exact(classes));
                for ((pairs, margins), target) in rows.zip(target) {
                    p.copy_from_slice(margins);
                    softmax(&mut p);
                    for (class, (pair, p)) in pairs.iter_mut().zip(&p).enumerate() {
                        let is = f64::from(u8::from(class == *target as usize));
                        *pair = [(p - is) as f32, (factor * p * (1.0 - p)) as f32];
                    }
                }
            }
            Self::Poisson => {
                for ((pair, margin), target) in pairs.iter_mut().zip(margins).zip(target) {
                    let mean = margin.exp();
                    // A larger second derivative keeps steps small where the mean is near 0, as LightGBM does.
                    *pair = [(mean - target) as f32, (mean * 0.7_f64.exp()) as f32];
                }
            }
            Self::Quantile { level } => {
                for ((pair, margin), target) in pairs.iter_mut().zip(margins).zip(target) {
                    let above = margin >= target;
                    *pair = [(if above { 1.0 - level } else { -level }) as f32, 1.0];
                }
            }
            Self::Squared | Self::Rank { .. } => {
                for ((pair, margin), target) in pairs.iter_mut().zip(margins).zip(target) {
                    *pair = [(margin - target) as f32, 1.0];
                }
            }
        }
    }

    /// The mean loss, smaller is better.
    pub(super) fn loss(self, examples: &Examples<'_>, margins: &[f64]) -> f64 {
        if let (Self::Rank { depth }, Some(groups)) = (self, examples.groups) {
            return 1.0 - rank::mean_gain(examples, groups, depth, margins);
        }
        let outputs = examples.task.outputs();
        let (mut loss, mut total) = (0.0, 0.0);
        let mut answer = vec![0.0; outputs];
        for (row, margins) in margins.chunks_exact(outputs).enumerate() {
            answer.copy_from_slice(margins);
            self.answer(&mut answer);
            let (weight, target) = (examples.weight(row), examples.target[row]);
            let one = match self {
                Self::Logistic if target == 1.0 => -answer[0].max(SURE).ln(),
                Self::Logistic => -(1.0 - answer[0]).max(SURE).ln(),
                Self::Softmax { .. } => -answer[target as usize].max(SURE).ln(),
                Self::Poisson => answer[0] - target * margins[0],
                Self::Quantile { level } => pinball(answer[0], target, level),
                Self::Squared | Self::Rank { .. } => (answer[0] - target).powi(2),
            };
            loss += weight * one;
            total += weight;
        }
        loss / total.max(f64::MIN_POSITIVE)
    }
}

fn absolute(pairs: &[Pair], output: usize, outputs: usize) -> [f64; 2] {
    let each = pairs.iter().skip(output).step_by(outputs);
    each.fold([0.0; 2], |sum, pair| [sum[0] + f64::from(pair[0].abs()), sum[1] + f64::from(pair[1].abs())])
}

pub(super) fn logistic(margin: f64) -> f64 {
    1.0 / (1.0 + (-margin).exp())
}
