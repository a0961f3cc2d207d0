//! One member ready to answer: trees are compiled, everything else answers as it was fitted.

use crate::linear::{sigmoid, softmax};
use crate::tree::{FlatTrees, Loss, ShapScratch, Tree, TreeExplainer};
use crate::{Explain, Fitted, Ftrl, Matrix, MlError, Predict, Task};

use super::explain;

/// Probabilities are kept this far from 0 and 1 before their logarithms are taken.
pub(super) const CLIP: f64 = 1e-9;
/// The log-odds of a probability that is so far from 1.
const MARGIN_MAX: f64 = 20.723_265_835_946_4;

pub(super) fn log_odds(probability: f64) -> f64 {
    let probability = probability.clamp(CLIP, 1.0 - CLIP);
    (probability / (1.0 - probability)).ln()
}

/// Trees for serving.
#[derive(Debug)]
struct Compiled {
    flat: FlatTrees,
    explainer: TreeExplainer,
    /// The sum of the trees is so many times the mean.
    divisor: f64,
    ending: Ending,
}

/// What the sum of trees is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Ending {
    /// The margin.
    Margin,
    /// The logarithm of the answer.
    Logarithm,
    /// The answer itself.
    Answer,
}

/// Memory that explaining needs, used again for the next row.
#[derive(Debug, Default)]
pub(super) struct Spare {
    trees: ShapScratch,
    asked: Vec<f64>,
}

/// What answers.
#[derive(Debug)]
enum Inner {
    Trees(Box<Compiled>),
    Fitted(Box<Fitted>),
}

/// A member ready to answer coded rows.
#[derive(Debug)]
pub(super) struct Engine {
    task: Task,
    inner: Inner,
}

impl Engine {
    pub(super) fn new(task: Task, fitted: &Fitted) -> Result<Self, MlError> {
        let inner = match fitted {
            Fitted::GradientBoosting(boosting) => {
                let numbers = task == Task::Regression && boosting.loss == Loss::Poisson;
                let ending = if numbers { Ending::Logarithm } else { Ending::Margin };
                Inner::Trees(Box::new(compile(&boosting.trees, &boosting.base, 1.0, ending)?))
            }
            Fitted::RandomForest(forest) => Inner::Trees(Box::new(mean(&forest.trees, task)?)),
            Fitted::DecisionTree(tree) => Inner::Trees(Box::new(mean(std::slice::from_ref(&tree.tree), task)?)),
            other => Inner::Fitted(Box::new(other.clone())),
        };
        Ok(Self { task, inner })
    }

    /// Writes the answer: probabilities, or the value.
    pub(super) fn answer(&self, row: &[f64], out: &mut [f64]) {
        match &self.inner {
            Inner::Fitted(fitted) => fitted.predict(row, out),
            Inner::Trees(compiled) => {
                compiled.flat.sums(row, out);
                self.finish(compiled, out);
            }
        }
    }

    /// The answers for many rows, one after the other.
    pub(super) fn answers(&self, rows: &Matrix, out: &mut [f64]) {
        match &self.inner {
            Inner::Fitted(fitted) => fitted.predict_rows(rows, out),
            Inner::Trees(compiled) => {
                compiled.flat.sums_of_rows(rows, out);
                out.chunks_exact_mut(self.task.outputs()).for_each(|out| self.finish(compiled, out));
            }
        }
    }

    fn finish(&self, compiled: &Compiled, out: &mut [f64]) {
        match compiled.ending {
            Ending::Margin => link(self.task, out),
            Ending::Logarithm => out.iter_mut().for_each(|out| *out = exponential(*out)),
            Ending::Answer => out.iter_mut().for_each(|out| *out /= compiled.divisor),
        }
    }

    /// Writes the margins: what is blended and explained.
    pub(super) fn margins(&self, row: &[f64], out: &mut [f64]) {
        self.plain_margins(row, out);
        if self.task == Task::Binary {
            // As far as a probability goes that is kept from 0 and 1, so that rows and tables are blended alike.
            out[0] = out[0].clamp(-MARGIN_MAX, MARGIN_MAX);
        }
    }

    fn plain_margins(&self, row: &[f64], out: &mut [f64]) {
        match &self.inner {
            Inner::Trees(compiled) if compiled.ending == Ending::Margin => return compiled.flat.sums(row, out),
            Inner::Fitted(fitted) => match &**fitted {
                Fitted::LogisticRegression(model) => return model.margins(row, out),
                Fitted::OnlineLogistic(model) => {
                    out[0] = model.margin(row);
                    return;
                }
                _ => {}
            },
            Inner::Trees(_) => {}
        }
        self.answer(row, out);
        unlink(self.task, out);
    }

    /// Writes what each coded column brings to the margin of an output and returns the margin without them. `groups` are the
    /// columns that come from one raw column, `neutral` is what stands for a column that is taken away.
    pub(super) fn contributions(
        &self,
        row: &[f64],
        output: usize,
        groups: &explain::Groups<'_>,
        spare: &mut Spare,
        out: &mut [f64],
    ) -> f64 {
        let task = self.task;
        let from_answer = move |answer: f64| margin_of(task, answer);
        match &self.inner {
            Inner::Trees(compiled) => {
                let base = compiled.explainer.contributions(row, output, &mut spare.trees, out);
                match compiled.ending {
                    Ending::Margin => base,
                    Ending::Logarithm => explain::rescale(base, out, exponential),
                    Ending::Answer => explain::rescale(base, out, from_answer),
                }
            }
            Inner::Fitted(fitted) => match &**fitted {
                Fitted::LinearRegression(model) => model.contributions(row, output, out),
                Fitted::LogisticRegression(model) => model.contributions(row, output, out),
                Fitted::LinearSvm(model) => model.contributions(row, output, out),
                Fitted::OnlineLogistic(model) => model.contributions(row, output, out),
                _ => explain::by_asking(self, row, output, groups, &mut spare.asked, out),
            },
        }
    }

    pub(super) fn outputs(&self) -> usize {
        self.task.outputs()
    }

    /// What can go on learning, if it is that.
    pub(super) fn online(&self) -> Option<&Ftrl> {
        match &self.inner {
            Inner::Fitted(fitted) => match &**fitted {
                Fitted::OnlineLogistic(model) => Some(model),
                _ => None,
            },
            Inner::Trees(_) => None,
        }
    }

    /// [`Self::online`], to be changed.
    pub(super) fn online_mut(&mut self) -> Option<&mut Ftrl> {
        match &mut self.inner {
            Inner::Fitted(fitted) => match &mut **fitted {
                Fitted::OnlineLogistic(model) => Some(model),
                _ => None,
            },
            Inner::Trees(_) => None,
        }
    }
}

/// The exponential of the logarithm of a number, which is never more than this: what is larger comes from no count.
fn exponential(margin: f64) -> f64 {
    margin.min(170.0).exp()
}

fn mean(trees: &[Tree], task: Task) -> Result<Compiled, MlError> {
    compile(trees, &vec![0.0; task.outputs()], trees.len() as f64, Ending::Answer)
}

fn compile(trees: &[Tree], base: &[f64], divisor: f64, ending: Ending) -> Result<Compiled, MlError> {
    let flat = FlatTrees::new(trees, base)?;
    Ok(Compiled { flat, explainer: TreeExplainer::new(trees, base, divisor.recip())?, divisor, ending })
}

/// From margins to the answer, in place: log-odds to the probability of yes, logarithms of probabilities to those of the classes,
/// a value to itself.
pub fn link(task: Task, margins: &mut [f64]) {
    match task {
        Task::Regression | Task::Ranking => {}
        Task::Binary => margins[0] = sigmoid(margins[0]),
        Task::Multiclass { .. } => {
            softmax(margins);
        }
    }
}

/// From the answer to margins, in place.
pub(super) fn unlink(task: Task, answer: &mut [f64]) {
    answer.iter_mut().for_each(|answer| *answer = margin_of(task, *answer));
}

/// From one number of an answer to its margin. Probabilities are kept 10⁻⁹ from 0 and 1.
pub fn margin_of(task: Task, answer: f64) -> f64 {
    match task {
        Task::Regression | Task::Ranking => answer,
        Task::Binary => log_odds(answer),
        Task::Multiclass { .. } => answer.max(CLIP).ln(),
    }
}
