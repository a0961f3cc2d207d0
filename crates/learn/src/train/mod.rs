//! From data to an artifact: trying, blending, calibrating, testing, fitting on everything, telling what came of it.
//!
//! A part of the rows (the newest, other customers, or drawn with the same share of each class) is put aside first and only
//! looked at once, at the end. What is chosen is chosen by folds of the rest. The figures in the card are those of a model
//! of the rest on the part put aside; the model in the artifact is fitted in the same way on all rows.
//!
//! Unless it is told otherwise, training takes the best of a weighted sum, deep boosted trees and shallow ones, or several of them
//! together where that is better still. The same data, options and seed give the same artifact, byte for byte, unless a clock ended
//! a search ([`Trained::out_of_time`]).

mod blend;
mod candidates;
mod facts;
mod folds;
mod measure;
mod search;

use rapport_ml::calibrate::Calibrator;
use rapport_ml::metrics::Costs;
use rapport_ml::pipeline::Pipeline;
use rapport_ml::split::{Split, hold_out};
use rapport_ml::tree::{BoostingOptions, Loss};
use rapport_ml::{Algorithm, Artifact, Context, Learner, Member, MlError, Model, Parallel};

use crate::data::SplitParts;
use crate::{Data, LearnError};
use blend::Blend;
use folds::{Coder, Training};
use search::{Search, Tried};

pub(crate) use measure::Judged;
pub use measure::main_metric;

/// How long to look for the best settings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Effort {
    /// Not at all: the usual settings of the algorithm, or of the usual three the best or several together.
    Usual,
    /// So many settings.
    Trials(u64),
    /// About so many seconds, on all threads.
    Seconds(f64),
}

/// How to train.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainOptions {
    /// How long to look.
    pub effort: Effort,
    /// With these settings, or, where the effort is greater, with this algorithm; any if none.
    pub learner: Option<Learner>,
    /// Columns that are not known yet when a prediction is wanted: the model goes without them.
    pub leaks: Vec<String>,
    /// The share of rows for the test.
    pub test_share: f64,
    /// Whether rare classes count as much as frequent ones.
    pub balance: bool,
    /// What wrong answers cost.
    pub costs: Costs,
    /// What all draws follow from.
    pub seed: u64,
}

impl Default for TrainOptions {
    fn default() -> Self {
        Self {
            effort: Effort::Usual,
            learner: None,
            leaks: Vec::new(),
            test_share: 0.2,
            balance: false,
            costs: Costs::default(),
            seed: 1,
        }
    }
}

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Columns that know the outcome are looked for.
    Leaks,
    /// Settings are tried.
    Trying,
    /// What was chosen is fitted and tested on rows put aside.
    Testing,
    /// What was chosen is fitted on all rows.
    Fitting,
}

/// How far a training is.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// What is being done.
    pub step: Step,
    /// How much of the step is done, from 0 to 1.
    pub share: f64,
    /// Settings tried.
    pub trials: u64,
    /// The best algorithm so far with its loss.
    pub best: Option<(String, f64)>,
}

/// Who watches a training, and with what it works.
pub struct Watch<'a> {
    /// Hands.
    pub parallel: &'a dyn Parallel,
    /// Ends the search early: the best so far is finished.
    pub enough: &'a (dyn Fn() -> bool + Sync),
    /// Ends everything: there is no result.
    pub stopped: &'a (dyn Fn() -> bool + Sync),
    /// Seconds since the training began, for [`Effort::Seconds`].
    pub clock: &'a (dyn Fn() -> f64 + Sync),
    /// Is told how far it is.
    pub progress: &'a mut dyn FnMut(&Progress),
}

impl std::fmt::Debug for Watch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").field("threads", &self.parallel.threads()).finish_non_exhaustive()
    }
}

/// A model, and how the search for it went.
#[derive(Debug, Clone, PartialEq)]
pub struct Trained {
    /// The model with all that is known of it.
    pub artifact: Artifact,
    /// The algorithms that were tried with their losses on the folds, best first.
    pub tried: Vec<(Learner, f64)>,
    /// What could not be fitted, and why.
    pub failures: Vec<String>,
    /// Whether a clock ended the search before its budget was used.
    pub out_of_time: bool,
    /// The places of the rows that were put aside for the test.
    pub test: Vec<usize>,
}

/// Trains.
///
/// # Errors
///
/// [`LearnError::Few`] and [`LearnError::Mismatch`] if the data do not do, [`LearnError::Ml`] with [`MlError::Stopped`] if the caller
/// ended everything, or ended the search before there was anything.
pub fn train(data: &Data, options: &TrainOptions, watch: &mut Watch<'_>) -> Result<Trained, LearnError> {
    data.check()?;
    if let Some(learner) = &options.learner
        && !learner.algorithm().suits(data.task)
    {
        let (name, task) = (learner.algorithm().name(), task_name(data));
        return Err(LearnError::Mismatch(format!("{name} cannot learn {task}; choose another algorithm")));
    }
    if options.balance && !matches!(data.task, rapport_ml::Task::Binary | rapport_ml::Task::Multiclass { .. }) {
        let what = format!("only answers that are classes can be balanced; this is a question of {}", task_name(data));
        return Err(LearnError::Mismatch(what));
    }
    // Of a quantile the algorithm follows from the question, its settings from nobody's wish.
    let are_given = options.learner.is_some() && options.effort == Effort::Usual;
    let quantiles = data.quantile.map(|level| quantile_learner(options, level)).transpose()?;
    let options = &TrainOptions { learner: quantiles.or_else(|| options.learner.clone()), ..options.clone() };
    let context = Context { parallel: watch.parallel, stopped: watch.stopped };
    let all: Vec<usize> = (0..data.rows()).collect();
    let mut parts = SplitParts::default();
    let split = hold_out(data.rows(), data.split_by(&mut parts, &all), options.test_share, options.seed)?;
    check_split(data, &split)?;
    let leaks = facts::leaks(data, &split.train, options, watch)?;
    let coder = Coder { leave_out: options.leaks.clone(), seed: options.seed, balance: options.balance };
    let (chosen, tried) = choose(data, options, &coder, &split.train, are_given, watch)?;
    let mut progress = |step, share| {
        let best =
            chosen.blend.members.first().map(|(learner, _)| (learner.algorithm().name().to_owned(), chosen.blend.loss));
        (watch.progress)(&Progress { step, share, trials: tried.count, best });
    };
    progress(Step::Testing, 0.0);
    let tested = chosen.fit(data, &coder, &split.train, &context)?;
    progress(Step::Testing, 0.5);
    let effect = facts::leak_effect(data, options, &chosen, &tested, &split, &leaks, &context)?;
    let judgement = facts::judge(data, options, &tested, &split, &leaks, &context)?;
    progress(Step::Fitting, 0.0);
    let model = chosen.fit(data, &coder, &all, &context)?;
    let artifact = facts::artifact(data, options, &chosen, model, judgement, leaks, effect, &split, tried.count)?;
    progress(Step::Fitting, 1.0);
    Ok(Trained {
        artifact,
        tried: tried.trials.iter().map(|trial| (trial.learner.clone(), trial.loss)).collect(),
        failures: tried.failures,
        out_of_time: tried.out_of_time,
        test: split.test,
    })
}

/// The one algorithm that learns quantiles, with the settings that were asked for.
fn quantile_learner(options: &TrainOptions, level: f64) -> Result<Learner, LearnError> {
    let usual = || Algorithm::GradientBoosting.learner(options.seed);
    match options.learner.clone().unwrap_or_else(usual) {
        Learner::GradientBoosting(boosting) => {
            Ok(Learner::GradientBoosting(BoostingOptions { loss: Loss::Quantile { level }, ..boosting }))
        }
        other => {
            let name = other.algorithm().name();
            Err(LearnError::Mismatch(format!("{name} cannot learn quantiles; gradient_boosting can")))
        }
    }
}

fn task_name(data: &Data) -> &'static str {
    match data.task {
        rapport_ml::Task::Binary => "yes or no",
        rapport_ml::Task::Multiclass { .. } => "classes",
        rapport_ml::Task::Regression => "numbers",
        rapport_ml::Task::Ranking => "an order",
    }
}

/// Both sides need every class.
fn check_split(data: &Data, split: &Split) -> Result<(), LearnError> {
    for (side, places) in [("to learn from", &split.train), ("to test on", &split.test)] {
        for (class, name) in data.classes.iter().enumerate() {
            if !places.iter().any(|place| data.target[*place] == class as f64) {
                return Err(LearnError::Few(format!(
                    "no row {side} has the answer \"{name}\": of {} rows {} are {side}; more rows are needed",
                    data.rows(),
                    places.len()
                )));
            }
        }
    }
    Ok(())
}

/// What a search settled on.
#[derive(Debug)]
struct Chosen {
    blend: Blend,
    /// On how many rows its settings were found to be best, in the mean of the folds; none if they were asked for.
    rows: Option<f64>,
    calibrator: Option<Calibrator>,
}

/// Tries what the options say. Settings that `are_given` stay as they are, whatever the rows.
fn choose(
    data: &Data,
    options: &TrainOptions,
    coder: &Coder,
    train: &[usize],
    are_given: bool,
    watch: &mut Watch<'_>,
) -> Result<(Chosen, Tried), LearnError> {
    let folds = folds::folds(data, coder, train)?;
    let mean = || folds.iter().map(|fold| fold.rows() as f64).sum::<f64>() / folds.len() as f64;
    let rows = (!are_given).then(mean);
    let (enough, stopped) = (watch.enough, watch.stopped);
    let either = move || enough() || stopped();
    let tried = Search::new(data, options, folds, &either, watch).run()?;
    Context { parallel: watch.parallel, stopped: watch.stopped }.go_on()?;
    let blend = blend::blend(&tried, data, options.effort)?;
    let calibrator = blend::calibrator(&blend, &tried, data)?;
    Ok((Chosen { blend, rows, calibrator }, tried))
}

impl Chosen {
    /// What is asked together of a fit on so many rows, with their weights.
    fn members(&self, rows: usize) -> impl Iterator<Item = (Learner, f64)> {
        let times = self.rows.map_or(1.0, |own| rows as f64 / own);
        self.blend.members.iter().map(move |(learner, weight)| (candidates::for_rows(learner, times), *weight))
    }

    /// The same model fitted on these rows.
    fn fit(&self, data: &Data, coder: &Coder, places: &[usize], context: &Context<'_>) -> Result<Model, MlError> {
        let mut training = Training::new(data, coder, places.to_vec());
        let (mut pipelines, mut members): (Vec<Pipeline>, _) = (Vec::new(), Vec::new());
        for (learner, weight) in self.members(places.len()) {
            let fitted = training.fit(&learner, context)?;
            let coding = learner.algorithm().coding();
            let known = pipelines.iter().position(|pipeline| pipeline.coding() == coding);
            let pipeline = known.unwrap_or(pipelines.len());
            if known.is_none() {
                pipelines.push(training.coded(coding)?.pipeline.clone());
            }
            members.push(Member { pipeline, weight, fitted });
        }
        Model::new(data.task, pipelines, members, self.calibrator.clone())
    }
}
