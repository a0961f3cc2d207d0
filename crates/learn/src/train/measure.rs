//! Figures of answers, whatever the task.

use std::collections::BTreeMap;

use rapport_ml::metrics::{
    Answers, BinaryEvaluation, BootstrapOptions, Costs, Interval, MulticlassEvaluation, QuantileEvaluation,
    RankingEvaluation, RegressionEvaluation, bootstrap, log_loss,
};
use rapport_ml::{Context, MlError, Task};

use crate::Data;

/// Places from the top of a ranking that count.
const TOP: usize = 10;
/// Probabilities are kept this far from 0 and 1 where algorithms are compared, so that one rash answer does not decide.
const CLIP: f64 = 1e-6;

/// Answers with what came to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Judged<'a> {
    pub(crate) task: Task,
    pub(crate) quantile: Option<f64>,
    pub(crate) answers: &'a [f64],
    pub(crate) actual: &'a [f64],
    pub(crate) weights: Option<&'a [f64]>,
    pub(crate) groups: Option<&'a [u32]>,
}

/// What came to be on some rows, with what else is known of them.
#[derive(Debug, Default)]
pub(super) struct Known {
    quantile: Option<f64>,
    pub(super) actual: Vec<f64>,
    pub(super) weights: Option<Vec<f64>>,
    pub(super) groups: Option<Vec<u32>>,
}

impl Known {
    /// Of the rows at `places`.
    pub(super) fn of(data: &Data, places: &[usize]) -> Self {
        Self {
            quantile: data.quantile,
            actual: places.iter().map(|place| data.target[*place]).collect(),
            weights: data.weights.as_ref().map(|all| places.iter().map(|place| all[*place]).collect()),
            groups: data.groups.as_ref().map(|all| places.iter().map(|place| all[*place]).collect()),
        }
    }

    pub(super) fn judged<'a>(&'a self, task: Task, answers: &'a [f64]) -> Judged<'a> {
        let (weights, groups) = (self.weights.as_deref(), self.groups.as_deref());
        Judged { task, quantile: self.quantile, answers, actual: &self.actual, weights, groups }
    }
}

/// The figure by which models of a task are told apart for people, and whether more is better.
pub fn main_metric(task: Task, quantile: Option<f64>) -> (&'static str, bool) {
    match task {
        Task::Regression if quantile.is_some() => ("pinball_skill", true),
        Task::Binary => ("auc", true),
        Task::Multiclass { .. } => ("macro_auc", true),
        Task::Regression => ("r2", true),
        Task::Ranking => ("ndcg", true),
    }
}

/// A figure that may be undefined on some rows, such as the order within groups that are all alike.
fn figure(figures: &BTreeMap<String, f64>, name: &str) -> Result<f64, MlError> {
    let missing = || MlError::Shape(format!("{name} is not defined on these rows: they are too few, or all alike"));
    figures.get(name).copied().ok_or_else(missing)
}

impl Judged<'_> {
    fn pairs(&self) -> Answers<'_> {
        Answers { predicted: self.answers, actual: self.actual, weights: self.weights }
    }

    /// What search makes small: log-loss, the share of variance that is not explained, the pinball loss as a share of that of
    /// one number for all, or what is missing to a perfect order.
    pub(crate) fn loss(&self) -> Result<f64, MlError> {
        Ok(match self.task {
            Task::Binary => {
                let kept: Vec<f64> = self.answers.iter().map(|answer| answer.clamp(CLIP, 1.0 - CLIP)).collect();
                log_loss(&Answers { predicted: &kept, ..self.pairs() })
            }
            Task::Multiclass { classes } => {
                let kept: Vec<f64> = self.answers.iter().map(|answer| answer.clamp(CLIP, 1.0)).collect();
                let pairs = Answers { predicted: &kept, ..self.pairs() };
                figure(&MulticlassEvaluation::of(&pairs, classes as usize)?.figures, "log_loss")?
            }
            Task::Regression if self.quantile.is_some() => 1.0 - figure(&self.numbers()?, "pinball_skill")?,
            Task::Regression => {
                let figures = self.numbers()?;
                (figure(&figures, "rmse")? / figure(&figures, "base_rmse")?.max(f64::MIN_POSITIVE)).powi(2)
            }
            Task::Ranking => 1.0 - figure(&self.ranking()?, "ndcg")?,
        })
    }

    fn numbers(&self) -> Result<BTreeMap<String, f64>, MlError> {
        match self.quantile {
            None => Ok(RegressionEvaluation::of(&self.pairs())?.figures),
            Some(level) => Ok(QuantileEvaluation::of(&self.pairs(), level)?.figures),
        }
    }

    fn ranking(&self) -> Result<BTreeMap<String, f64>, MlError> {
        let groups = self.groups.ok_or_else(|| MlError::Shape("a ranking needs groups".to_owned()))?;
        Ok(RankingEvaluation::of(&self.pairs(), groups, TOP)?.figures)
    }

    /// All figures that are numbers, by name.
    pub(crate) fn figures(&self, costs: Costs) -> Result<BTreeMap<String, f64>, MlError> {
        let mut figures = match self.task {
            Task::Binary => BinaryEvaluation::of(&self.pairs(), costs)?.figures,
            Task::Multiclass { classes } => MulticlassEvaluation::of(&self.pairs(), classes as usize)?.figures,
            Task::Regression => self.numbers()?,
            Task::Ranking => self.ranking()?,
        };
        figures.retain(|_, figure| figure.is_finite());
        Ok(figures)
    }

    /// Everything that a report of probabilities shows, with intervals.
    pub(crate) fn binary(&self, costs: Costs, seed: u64, context: &Context<'_>) -> Result<BinaryEvaluation, MlError> {
        let options = BootstrapOptions { seed, ..BootstrapOptions::default() };
        BinaryEvaluation::of(&self.pairs(), costs)?.with_intervals(&self.pairs(), self.groups, &options, context)
    }

    /// The interval of the loss of classes or of the error of numbers.
    pub(crate) fn interval(&self, seed: u64, context: &Context<'_>) -> Result<Option<(String, Interval)>, MlError> {
        let name = match self.task {
            Task::Binary | Task::Ranking => return Ok(None),
            Task::Multiclass { .. } => "log_loss",
            Task::Regression if self.quantile.is_some() => "pinball",
            Task::Regression => "rmse",
        };
        let metric = |weights: &[f64]| {
            let drawn = Judged { weights: Some(weights), ..*self };
            let figures = drawn.figures(Costs::default());
            figures.ok().and_then(|figures| figures.get(name).copied()).unwrap_or(f64::NAN)
        };
        let options = BootstrapOptions { seed, ..BootstrapOptions::default() };
        let interval = bootstrap(self.actual.len(), self.weights, self.groups, &options, metric, context)?;
        Ok(interval.low.is_finite().then(|| (name.to_owned(), interval)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_defined_is_told() {
        let judged = |task, actual: &[f64]| {
            Judged { task, quantile: None, answers: &[0.1, 0.2], actual, weights: None, groups: Some(&[1, 1]) }.loss()
        };
        assert!(judged(Task::Ranking, &[0.0, 1.0]).is_ok_and(|loss| loss == 0.0));
        assert!(judged(Task::Ranking, &[0.0, 0.0]).is_err_and(|error| error.to_string().contains("all alike")));
    }
}
