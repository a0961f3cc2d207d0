//! Trying settings against each other on the folds of the training rows.
//!
//! Successive halving (Jamieson and Talwalkar, 2016) in two steps: a setting is tried on one fold and a part of its rows first, and on
//! all folds only if it did well there; then leaders are changed at random. What a trial costs is told by its size, not by
//! a clock, so the same budget and seed try the same settings on every run; a clock only ends a search that outstays its
//! budget.

use std::collections::BTreeMap;

use rapport_ml::{Algorithm, Context, Learner, MlError, Random};

use super::candidates::{ROUNDS_MAX, portfolio, proposal, usual};
use super::folds::{self, Fold};
use super::measure::Known;
use super::{Effort, Progress, Step, TrainOptions, Watch};
use crate::Data;

/// Rows of the first, short trial.
const SHORT_ROWS: usize = 4_000;
/// With fewer training rows there is no short trial.
const SHORT_FROM: usize = 8_000;
/// So many of the best are changed further.
const LEADERS: usize = 5;
/// So often another change is drawn instead of one that was tried already.
const DRAWS: usize = 20;
/// At most so many of them are of one algorithm. Where one is a little ahead of others its neighbours would soon be all that is
/// changed and blended, all of them alike.
const LEADERS_OF_EACH: usize = 2;
/// How much of the budget trials may take by their size; the rest is for what comes after.
const SHARE_FOR_TRIALS: f64 = 0.7;

/// One setting with how it did on all folds.
#[derive(Debug, Clone)]
pub(super) struct Trial {
    /// With as many rounds, in a boosting, as were best for all folds together.
    pub(super) learner: Learner,
    pub(super) loss: f64,
    /// The answers to the test rows of all folds.
    pub(super) answers: Vec<f64>,
}

/// All trials, and what their answers are compared with.
#[derive(Debug, Default)]
pub(super) struct Tried {
    /// Best first.
    pub(super) trials: Vec<Trial>,
    pub(super) count: u64,
    /// Places in the data, fold by fold.
    pub(super) places: Vec<usize>,
    /// What came to be there.
    pub(super) known: Known,
    /// Whether a clock ended the search before its budget was used: another run may try more.
    pub(super) out_of_time: bool,
    pub(super) failures: Vec<String>,
}

impl Tried {
    /// The trials in their order, of each algorithm only so many; all of them if there is only one.
    pub(super) fn best_of_each(&self, count: usize) -> impl Iterator<Item = &Trial> {
        let name = |trial: &Trial| trial.learner.algorithm().name();
        let is_one = self.trials.windows(2).all(|pair| name(&pair[0]) == name(&pair[1]));
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        self.trials.iter().filter(move |trial| {
            let own = counts.entry(name(trial)).or_default();
            *own += 1;
            is_one || *own <= count
        })
    }
}

/// A search under way.
pub(super) struct Search<'a, 'b> {
    data: &'a Data,
    options: &'a TrainOptions,
    folds: Vec<Fold<'a>>,
    context: Context<'b>,
    /// Whether the search should end with what it has.
    enough: &'b (dyn Fn() -> bool + Sync),
    /// Seconds since the search began.
    clock: &'b (dyn Fn() -> f64 + Sync),
    progress: &'b mut dyn FnMut(&Progress),
    tried: Tried,
    /// The losses of all short trials, in order.
    short: Vec<f64>,
    /// Nanoseconds of one core, by the sizes of the trials.
    work: f64,
}

impl<'a, 'b> Search<'a, 'b> {
    /// `enough` ends the search with what it has, in the middle of a trial too.
    pub(super) fn new(
        data: &'a Data,
        options: &'a TrainOptions,
        folds: Vec<Fold<'a>>,
        enough: &'b (dyn Fn() -> bool + Sync),
        watch: &'b mut Watch<'_>,
    ) -> Self {
        let places: Vec<usize> = folds.iter().flat_map(|fold| fold.test.iter().copied()).collect();
        let tried = Tried { known: Known::of(data, &places), places, ..Tried::default() };
        let context = Context { parallel: watch.parallel, stopped: enough };
        let (clock, progress) = (watch.clock, &mut *watch.progress);
        Self { data, options, folds, context, enough, clock, progress, tried, short: Vec::new(), work: 0.0 }
    }

    /// Tries what the effort allows. There is at least one trial, or the error that kept it from ending.
    pub(super) fn run(mut self) -> Result<Tried, MlError> {
        match (self.options.effort, &self.options.learner) {
            (Effort::Usual, Some(learner)) => self.full_or_note(learner)?,
            (Effort::Usual, None) => {
                for learner in usual(self.data.task, self.options.seed) {
                    self.full_or_note(&learner)?;
                }
            }
            (_, only) => self.at_length(only.as_ref())?,
        }
        self.tried.trials.sort_by(|a, b| a.loss.total_cmp(&b.loss));
        if self.tried.trials.is_empty() {
            let why = self.tried.failures.first().cloned();
            return Err(why.map_or(MlError::Stopped, MlError::Options));
        }
        Ok(self.tried)
    }

    fn at_length(&mut self, only: Option<&Learner>) -> Result<(), MlError> {
        // By time the last fold is the largest, and what is chosen is fitted on still more.
        let rows = self.folds.iter().map(|fold| fold.training.places.len()).max().unwrap_or(0);
        let mut first = portfolio(self.data.task, rows, self.options.seed);
        if let Some(only) = only {
            first.retain(|learner| learner.algorithm() == only.algorithm() && learner != only);
            first.iter_mut().for_each(|learner| keep_loss(learner, only));
            // Who asks for an algorithm gets it, however long it takes.
            first.insert(0, only.clone());
        }
        let fresh = only.cloned().unwrap_or_else(|| Algorithm::GradientBoosting.learner(self.options.seed));
        let mut random = Random::new(self.options.seed, 77);
        let mut known = first.clone();
        for learner in first {
            if self.is_over() && !self.tried.trials.is_empty() {
                return Ok(());
            }
            self.tried_or_note(&learner)?;
        }
        while !self.is_over() {
            self.tried.trials.sort_by(|a, b| a.loss.total_cmp(&b.loss));
            let leaders: Vec<&Learner> =
                self.tried.best_of_each(LEADERS_OF_EACH).take(LEADERS).map(|trial| &trial.learner).collect();
            let mut draw = || {
                let mut proposed = proposal(&leaders, &fresh, &mut random);
                if let Learner::GradientBoosting(options) = &mut proposed {
                    // A leader has as many rounds as were best for it; what comes of it may need more.
                    options.rounds = ROUNDS_MAX;
                }
                proposed
            };
            // Some algorithms have few settings: after many draws that were tried before, one is tried again.
            let is_new = |learner: &Learner| !known.contains(learner);
            let learner = std::iter::repeat_with(&mut draw).take(DRAWS).find(is_new).unwrap_or_else(draw);
            self.tried_or_note(&learner)?;
            known.push(learner);
        }
        Ok(())
    }

    fn is_over(&mut self) -> bool {
        if (self.enough)() {
            return true;
        }
        match self.options.effort {
            Effort::Usual => true,
            Effort::Trials(trials) => self.tried.count >= trials,
            Effort::Seconds(seconds) => {
                let late = (self.clock)() > seconds;
                let spent = self.spent(seconds) >= 1.0;
                self.tried.out_of_time |= late && !spent;
                late || spent
            }
        }
    }

    /// The share of the budget that the trials have used by their sizes.
    fn spent(&self, seconds: f64) -> f64 {
        self.work / (seconds * 1e9 * self.context.parallel.threads() as f64 * SHARE_FOR_TRIALS)
    }

    fn tell(&mut self) {
        let best = self.tried.trials.iter().min_by(|a, b| a.loss.total_cmp(&b.loss));
        let share = match self.options.effort {
            Effort::Usual => self.tried.count as f64 / usual(self.data.task, self.options.seed).len() as f64,
            Effort::Trials(trials) => self.tried.count as f64 / trials as f64,
            Effort::Seconds(seconds) => self.spent(seconds).max((self.clock)() / seconds),
        };
        let progress = Progress {
            step: Step::Trying,
            share: share.min(1.0),
            trials: self.tried.count,
            best: best.map(|best| (best.learner.algorithm().name().to_owned(), best.loss)),
        };
        (self.progress)(&progress);
    }

    /// One trial, short first where there are rows enough. A setting that cannot be fitted is noted and passed over.
    fn tried_or_note(&mut self, learner: &Learner) -> Result<(), MlError> {
        let rows = self.folds.first().map_or(0, |fold| fold.training.places.len());
        let promising = if rows >= SHORT_FROM { self.is_promising(learner) } else { Ok(true) };
        match promising {
            Ok(true) => return self.full_or_note(learner),
            Err(MlError::Stopped) if (self.enough)() && !self.tried.trials.is_empty() => return Ok(()),
            Err(error) => return Err(error),
            Ok(false) => {}
        }
        self.tried.count += 1;
        self.tell();
        Ok(())
    }

    fn full_or_note(&mut self, learner: &Learner) -> Result<(), MlError> {
        match self.full(learner) {
            Ok(()) => {}
            Err(MlError::Stopped) if (self.enough)() && !self.tried.trials.is_empty() => {}
            Err(MlError::Stopped) => return Err(MlError::Stopped),
            Err(error) => self.tried.failures.push(format!("{}: {error}", learner.algorithm().name())),
        }
        self.tried.count += 1;
        self.tell();
        Ok(())
    }

    /// Whether a setting is among the better third of those tried on few rows so far. Where that cannot be told the full trial
    /// tells, and what is wrong.
    fn is_promising(&mut self, learner: &Learner) -> Result<bool, MlError> {
        let data = self.data;
        let Some(fold) = self.folds.first_mut() else { return Ok(true) };
        let (rows, columns) = (fold.training.places.len(), data.frame.columns().len());
        let (few, test) = fold.few(SHORT_ROWS, self.options.seed);
        self.work += learner.work(few.training.places.len().min(rows), columns, data.task);
        let answers = match folds::answers(std::slice::from_mut(few), learner, &self.context) {
            Ok((answers, _)) => answers,
            Err(MlError::Stopped) => return Err(MlError::Stopped),
            Err(_) => return Ok(true),
        };
        let loss = Known::of(data, test).judged(data.task, &answers).loss();
        let Some(loss) = loss.ok().filter(|loss| loss.is_finite()) else { return Ok(true) };
        let place = self.short.partition_point(|other| *other < loss);
        self.short.insert(place, loss);
        Ok(place <= self.short.len() / 3)
    }

    /// All folds.
    fn full(&mut self, learner: &Learner) -> Result<(), MlError> {
        let columns = self.data.frame.columns().len();
        let work = |fold: &Fold<'_>| learner.work(fold.training.places.len(), columns, self.data.task);
        self.work += self.folds.iter().map(work).sum::<f64>();
        let (answers, rounds) = folds::answers(&mut self.folds, learner, &self.context)?;
        let loss = self.tried.known.judged(self.data.task, &answers).loss()?;
        if !loss.is_finite() {
            return Err(MlError::Options("its answers are not finite".to_owned()));
        }
        let mut learner = learner.clone();
        if let (Learner::GradientBoosting(options), Some(rounds)) = (&mut learner, rounds) {
            options.rounds = rounds;
        }
        self.tried.trials.push(Trial { learner, loss, answers });
        Ok(())
    }
}

/// Lets other settings of a boosting make the same loss small.
fn keep_loss(learner: &mut Learner, as_in: &Learner) {
    if let (Learner::GradientBoosting(own), Learner::GradientBoosting(other)) = (learner, as_in) {
        own.loss = other.loss;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_are_of_several_algorithms() {
        let mut tried = Tried::default();
        let algorithms = [Algorithm::NaiveBayes, Algorithm::NaiveBayes, Algorithm::NaiveBayes, Algorithm::RandomForest];
        for (algorithm, loss) in algorithms.into_iter().zip([0.1, 0.2, 0.3, 0.4]) {
            tried.trials.push(Trial { learner: algorithm.learner(1), loss, answers: Vec::new() });
        }
        let losses = |count| tried.best_of_each(count).map(|trial| trial.loss).collect::<Vec<_>>();
        assert_eq!(losses(2), [0.1, 0.2, 0.4]);
        assert_eq!(losses(3), [0.1, 0.2, 0.3, 0.4]);
        tried.trials.pop();
        assert_eq!(tried.best_of_each(2).count(), 3, "of one algorithm all are");
    }
}
