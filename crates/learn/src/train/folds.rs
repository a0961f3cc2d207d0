//! Rows coded for the two kinds of algorithms, fold by fold, once for all trials.
//!
//! Everything that preprocessing learns comes from the training rows of its fold. Of a boosting one thing is told by the rows
//! that it is tested on: one number of rounds for all folds, where the mean of their losses is least. A part of the
//! training rows would tell it worse, and its trees would miss these rows; the figures that people are shown come from rows
//! that no fold has.

use rapport_ml::pipeline::{Coding, Pipeline, PipelineOptions};
use rapport_ml::split::{Split, cross_validation, hold_out};
use rapport_ml::tree::Boosting;
use rapport_ml::{
    Context, Examples, Fitted, Learner, Matrix, MlError, Predict, Serial, Task, balanced_weights, pieces,
};

use super::measure::Known;
use crate::data::SplitParts;
use crate::{Data, LearnError};

/// Of so many rows one hold-out is as telling as all folds.
const ROWS_FOR_ONE_FOLD: usize = 40_000;
const FOLDS: usize = 5;
const HELD_OUT: f64 = 0.2;

/// What preprocessing is told for all folds alike.
#[derive(Debug, Clone, Default)]
pub(super) struct Coder {
    pub(super) leave_out: Vec<String>,
    pub(super) seed: u64,
    /// Whether classes count alike, whatever their rows.
    pub(super) balance: bool,
}

impl Coder {
    fn options(&self, coding: Coding) -> PipelineOptions {
        PipelineOptions { leave_out: self.leave_out.clone(), seed: self.seed, ..PipelineOptions::new(coding) }
    }

    /// How much the rows at `places`, which have these answers, count.
    fn weights(&self, data: &Data, places: &[usize], target: &[f64]) -> Option<Vec<f64>> {
        let own = data.weights.as_ref().map(|weights| places.iter().map(|place| weights[*place]).collect::<Vec<f64>>());
        if !self.balance {
            return own;
        }
        let balanced = balanced_weights(target);
        Some(match own {
            None => balanced,
            Some(own) => own.iter().zip(balanced).map(|(own, balanced)| own * balanced).collect(),
        })
    }
}

/// Coded training rows with what was learnt on the way.
#[derive(Debug)]
pub(super) struct Coded {
    pub(super) pipeline: Pipeline,
    pub(super) rows: Matrix,
}

/// Rows to learn from, coded when an algorithm first asks for it.
#[derive(Debug)]
pub(super) struct Training<'a> {
    data: &'a Data,
    coder: &'a Coder,
    /// Places in the data.
    pub(super) places: Vec<usize>,
    pub(super) target: Vec<f64>,
    weights: Option<Vec<f64>>,
    groups: Option<Vec<u32>>,
    coded: [Option<Coded>; 2],
}

fn slot(coding: Coding) -> usize {
    match coding {
        Coding::Linear => 0,
        Coding::Tree => 1,
    }
}

impl<'a> Training<'a> {
    /// The rows at these places, not coded yet.
    pub(super) fn new(data: &'a Data, coder: &'a Coder, places: Vec<usize>) -> Self {
        let target: Vec<f64> = places.iter().map(|place| data.target[*place]).collect();
        let weights = coder.weights(data, &places, &target);
        let groups = data.groups.as_ref().map(|groups| places.iter().map(|place| groups[*place]).collect());
        Self { data, coder, target, weights, groups, coded: [None, None], places }
    }

    /// The rows in the form of a coding.
    pub(super) fn coded(&mut self, coding: Coding) -> Result<&Coded, MlError> {
        if self.coded[slot(coding)].is_none() {
            let target = Some((&*self.target, self.data.task));
            let pipeline = Pipeline::fit(&self.data.frame, &self.places, target, &self.coder.options(coding))?;
            let rows = pipeline.apply_training(&self.data.frame, &self.places, &self.target)?;
            self.coded[slot(coding)] = Some(Coded { pipeline, rows });
        }
        self.known(coding)
    }

    /// Fits on all rows.
    pub(super) fn fit(&mut self, learner: &Learner, context: &Context<'_>) -> Result<Fitted, MlError> {
        let coding = learner.algorithm().coding();
        self.coded(coding)?;
        learner.fit(&self.examples(self.known(coding)?), None, context)
    }

    /// The rows in the form of a coding that was asked for before.
    fn known(&self, coding: Coding) -> Result<&Coded, MlError> {
        self.coded[slot(coding)].as_ref().ok_or_else(|| MlError::Shape("rows were not coded".to_owned()))
    }

    fn examples<'b>(&'b self, coded: &'b Coded) -> Examples<'b> {
        Examples {
            weights: self.weights.as_deref(),
            groups: self.groups.as_deref().filter(|_| self.data.task == Task::Ranking),
            ..Examples::new(&coded.rows, coded.pipeline.kinds(), self.data.task, &self.target)
        }
    }
}

/// A fold: rows to learn from, rows to test on, both coded when asked for.
#[derive(Debug)]
pub(super) struct Fold<'a> {
    pub(super) training: Training<'a>,
    /// Places in the data.
    pub(super) test: Vec<usize>,
    /// What came to be there, with weights as in training.
    known: Known,
    coded: [Option<Matrix>; 2],
    /// The same fold with few of its training rows.
    few: Option<Box<Self>>,
}

impl<'a> Fold<'a> {
    pub(super) fn new(data: &'a Data, coder: &'a Coder, train: Vec<usize>, test: Vec<usize>) -> Self {
        let mut known = Known::of(data, &test);
        known.weights = coder.weights(data, &test, &known.actual);
        Self { training: Training::new(data, coder, train), test, known, coded: [None, None], few: None }
    }

    /// How many rows it learns from.
    pub(super) fn rows(&self) -> usize {
        self.training.places.len()
    }

    /// The fold with about so many of its training rows, and its test rows. Rows of a group and the order of time stay.
    pub(super) fn few(&mut self, rows: usize, seed: u64) -> (&mut Self, &[usize]) {
        let (data, coder) = (self.training.data, self.training.coder);
        let few = self.few.get_or_insert_with(|| {
            let places = &self.training.places;
            let mut parts = SplitParts::default();
            let share = (rows as f64 / places.len() as f64).clamp(0.05, 0.95);
            // The newest of a history are the most like what comes; elsewhere a drawn part does.
            let own = hold_out(places.len(), data.split_by(&mut parts, places), share, seed);
            let own = own.map_or_else(|_| (0..places.len().min(rows)).collect(), |split| split.test);
            let train = own.into_iter().map(|row| places[row]).collect();
            Box::new(Self::new(data, coder, train, self.test.clone()))
        });
        (few, &self.test)
    }

    /// Codes the rows for an algorithm, if they are not yet.
    fn code(&mut self, coding: Coding) -> Result<(), MlError> {
        if self.coded[slot(coding)].is_none() {
            let frame = &self.training.data.frame;
            self.coded[slot(coding)] = Some(self.training.coded(coding)?.pipeline.apply(frame, &self.test)?);
        }
        Ok(())
    }

    /// What a learner makes of the training rows, to be asked about the test rows. The rows must be coded.
    fn fit(&self, learner: &Learner, context: &Context<'_>) -> Result<Asked<'_>, MlError> {
        let coding = learner.algorithm().coding();
        let coded = self.training.known(coding)?;
        let rows = self.coded[slot(coding)].as_ref();
        let rows = rows.ok_or_else(|| MlError::Shape("rows were not coded".to_owned()))?;
        let (examples, task) = (self.training.examples(coded), self.training.data.task);
        let fitted = match learner {
            Learner::GradientBoosting(options) => {
                let test = Examples {
                    weights: self.known.weights.as_deref(),
                    groups: self.known.groups.as_deref().filter(|_| task == Task::Ranking),
                    ..Examples::new(rows, coded.pipeline.kinds(), task, &self.known.actual)
                };
                Fitted::GradientBoosting(Boosting::fit_all_rounds(&examples, &test, options, context)?)
            }
            other => other.fit(&examples, None, context)?,
        };
        Ok(Asked { fitted, rows })
    }
}

/// What was fitted on a fold, and the test rows.
struct Asked<'a> {
    fitted: Fitted,
    rows: &'a Matrix,
}

impl Asked<'_> {
    /// The loss on the test rows after each round.
    fn losses(&self) -> &[f64] {
        if let Fitted::GradientBoosting(boosting) = &self.fitted { &boosting.validation } else { &[] }
    }

    /// The answers to the test rows, of a boosting those after so many rounds.
    fn answers(&self, rounds: Option<usize>) -> Vec<f64> {
        let mut answers = vec![0.0; self.rows.rows() * self.fitted.outputs()];
        match (&self.fitted, rounds) {
            (Fitted::GradientBoosting(boosting), Some(rounds)) => {
                boosting.predict_rows_after(rounds, self.rows, &mut answers);
            }
            (fitted, _) => fitted.predict_rows(self.rows, &mut answers),
        }
        answers
    }
}

/// The answers of a learner to the test rows of all folds, and of a boosting the number of rounds that serves all of them best.
/// Several folds are fitted at the same time.
pub(super) fn answers(
    folds: &mut [Fold<'_>],
    learner: &Learner,
    context: &Context<'_>,
) -> Result<(Vec<f64>, Option<u32>), MlError> {
    folds.iter_mut().try_for_each(|fold| fold.code(learner.algorithm().coding()))?;
    let asked: Vec<Asked<'_>> = match &*folds {
        [only] => vec![only.fit(learner, context)?],
        folds => {
            let serial = Context { parallel: &Serial, ..*context };
            let fitted = pieces::map(context, folds.len(), |fold| folds[fold].fit(learner, &serial))?;
            fitted.into_iter().collect::<Result<_, _>>()?
        }
    };
    let losses: Vec<(&[f64], usize)> = asked.iter().map(|asked| (asked.losses(), asked.rows.rows())).collect();
    let rounds = best_rounds(&losses);
    let answers = asked.iter().flat_map(|asked| asked.answers(rounds)).collect();
    Ok((answers, rounds.map(|rounds| rounds as u32)))
}

/// After how many rounds the mean loss over the rows of all folds is least; none for what has no rounds. Of each fold the losses
/// after every round, and its rows. A fold that ended before the others says what it said last.
fn best_rounds(folds: &[(&[f64], usize)]) -> Option<usize> {
    let most = folds.iter().map(|(losses, _)| losses.len()).max()?;
    let after = |round: usize| -> f64 {
        let loss = |losses: &[f64]| losses.get(round).or(losses.last()).copied().unwrap_or(0.0);
        folds.iter().map(|(losses, rows)| loss(losses) * *rows as f64).sum()
    };
    (0..most).map(|round| (round + 1, after(round))).min_by(|a, b| a.1.total_cmp(&b.1)).map(|(rounds, _)| rounds)
}

/// The folds of the training rows: five, or one of many rows.
pub(super) fn folds<'a>(data: &'a Data, coder: &'a Coder, places: &[usize]) -> Result<Vec<Fold<'a>>, LearnError> {
    let mut parts = SplitParts::default();
    let by = data.split_by(&mut parts, places);
    let splits = if places.len() >= ROWS_FOR_ONE_FOLD {
        vec![hold_out(places.len(), by, HELD_OUT, coder.seed)?]
    } else {
        // A class too rare for five folds, or too short a time for all of them, may still do for one hold-out.
        match cross_validation(places.len(), by, FOLDS, coder.seed) {
            Ok(splits) => splits,
            Err(_) => vec![hold_out(places.len(), data.split_by(&mut parts, places), HELD_OUT, coder.seed)?],
        }
    };
    let pick = |own: &[usize]| own.iter().map(|row| places[*row]).collect::<Vec<usize>>();
    let fold = |split: Split| Fold::new(data, coder, pick(&split.train), pick(&split.test));
    Ok(splits.into_iter().map(fold).collect())
}

#[cfg(test)]
mod tests {
    use std::{fmt::Write as _, ops::ControlFlow};

    use rapport_types::DAY_MS;

    use super::*;
    use crate::{
        file::{FileOptions, read_table},
        table::{TableOptions, data_of},
    };

    #[test]
    fn of_a_history_every_fold_has_enough_to_learn_from() {
        let mut text = "at,x,y\n".to_owned();
        for day in 0..200_i64 {
            writeln!(text, "{},{},{}", 1_704_067_200 + day * 86_400, day % 7, day % 3 == 0).unwrap();
        }
        let table = read_table(text.as_bytes(), &FileOptions::default(), &mut |_| ControlFlow::Continue(())).unwrap();
        let time = Some("at".to_owned());
        let options = TableOptions { target: "y".to_owned(), time, gap: 40 * DAY_MS, ..TableOptions::default() };
        let (data, _) = data_of(table, &options).unwrap();
        let (coder, places) = (Coder::default(), (0..200).collect::<Vec<_>>());
        let folds = folds(&data, &coder, &places).unwrap();
        let sizes: Vec<(usize, usize)> =
            folds.iter().map(|fold| (fold.training.places.len(), fold.test.len())).collect();
        assert_eq!(
            sizes,
            [(60, 20), (80, 20), (100, 20), (120, 20), (140, 20)],
            "answers of 40 days are not known yet"
        );
    }

    #[test]
    fn one_number_of_rounds_serves_all_folds() {
        let (early, late) = ([0.5, 0.2, 0.4, 0.6], [0.9, 0.8, 0.5, 0.3, 0.4]);
        assert_eq!(
            best_rounds(&[(&early, 10), (&late, 10)]),
            Some(3),
            "where the mean is least, not the mean of the best"
        );
        assert_eq!(best_rounds(&[(&early, 100), (&late, 10)]), Some(2), "by rows");
        assert_eq!(best_rounds(&[(&early[..2], 10), (&late, 10)]), Some(4), "a fold that ended says what it said last");
        assert_eq!(best_rounds(&[(&[], 10), (&[], 10)]), None);
    }
}
