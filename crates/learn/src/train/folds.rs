//! Rows coded for the two kinds of algorithms, fold by fold, once for all trials.
//!
//! Everything that preprocessing learns comes from the training rows of its fold. A boosting ends early by a part of the
//! training rows, never by the rows that it is tested on.

use rapport_ml::pipeline::{Coding, Pipeline, PipelineOptions};
use rapport_ml::split::{Split, SplitBy, cross_validation, hold_out};
use rapport_ml::{Context, Examples, Fitted, Learner, Matrix, MlError, Predict, balanced_weights};

use crate::data::SplitParts;
use crate::{Data, LearnError};

/// Of so many rows one hold-out is as telling as all folds.
const ROWS_FOR_ONE_FOLD: usize = 40_000;
const FOLDS: usize = 5;
const HELD_OUT: f64 = 0.2;
/// The share of the training rows that tells a boosting when to end.
const STOP_SHARE: f64 = 0.15;

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
    /// Which of `places` a boosting learns from and which tell it when to end.
    early: Option<Split>,
    coded: [Option<Coded>; 2],
}

fn slot(coding: Coding) -> usize {
    match coding {
        Coding::Linear => 0,
        Coding::Tree => 1,
    }
}

impl<'a> Training<'a> {
    /// With `early`, a part is kept to end a boosting by.
    pub(super) fn new(data: &'a Data, coder: &'a Coder, places: Vec<usize>, early: bool) -> Self {
        let target: Vec<f64> = places.iter().map(|place| data.target[*place]).collect();
        let own = data.weights.as_ref().map(|weights| places.iter().map(|place| weights[*place]).collect::<Vec<f64>>());
        let weights = if coder.balance {
            let balanced = balanced_weights(&target);
            Some(match own {
                None => balanced,
                Some(own) => own.iter().zip(balanced).map(|(own, balanced)| own * balanced).collect(),
            })
        } else {
            own
        };
        let groups = data.groups.as_ref().map(|groups| places.iter().map(|place| groups[*place]).collect());
        let early = early.then(|| stop_split(data, coder, &places)).flatten();
        Self { data, coder, target, weights, groups, early, coded: [None, None], places }
    }

    /// The rows in the form of a coding.
    pub(super) fn coded(&mut self, coding: Coding) -> Result<&Coded, MlError> {
        if self.coded[slot(coding)].is_none() {
            let target = Some((&*self.target, self.data.task));
            let pipeline = Pipeline::fit(&self.data.frame, &self.places, target, &self.coder.options(coding))?;
            let rows = pipeline.apply_training(&self.data.frame, &self.places, &self.target)?;
            self.coded[slot(coding)] = Some(Coded { pipeline, rows });
        }
        self.coded[slot(coding)].as_ref().ok_or_else(|| MlError::Shape("rows were not coded".to_owned()))
    }

    /// Whether a boosting ends early.
    fn ends_early(&self, learner: &Learner) -> bool {
        self.early.is_some() && matches!(learner, Learner::GradientBoosting(_))
    }

    /// Fits on all rows, or a boosting that may end early on its part of them.
    pub(super) fn fit(&mut self, learner: &Learner, context: &Context<'_>) -> Result<Fitted, MlError> {
        let coding = learner.algorithm().coding();
        self.coded(coding)?;
        let Some(Coded { pipeline, rows }) = &self.coded[slot(coding)] else {
            return Err(MlError::Shape("rows were not coded".to_owned()));
        };
        let Some(split) = self.early.as_ref().filter(|_| self.ends_early(learner)) else {
            return learner.fit(&self.examples(pipeline, rows), None, context);
        };
        let (fit, stop) = (self.part(rows, &split.train), self.part(rows, &split.test));
        learner.fit(&fit.examples(pipeline, self.data), Some(&stop.examples(pipeline, self.data)), context)
    }

    fn examples<'b>(&'b self, pipeline: &'b Pipeline, rows: &'b Matrix) -> Examples<'b> {
        Examples {
            weights: self.weights.as_deref(),
            groups: self.groups.as_deref().filter(|_| self.data.task == rapport_ml::Task::Ranking),
            ..Examples::new(rows, pipeline.kinds(), self.data.task, &self.target)
        }
    }

    fn part(&self, rows: &Matrix, own: &[usize]) -> Part {
        Part {
            rows: rows.select(own),
            target: own.iter().map(|row| self.target[*row]).collect(),
            weights: self.weights.as_ref().map(|all| own.iter().map(|row| all[*row]).collect()),
            groups: self.groups.as_ref().map(|all| own.iter().map(|row| all[*row]).collect()),
        }
    }
}

/// Which rows tell a boosting when to end; none where there are too few to tell anything. The gap before a test is for what a label
/// knows of later rows, which an end by the wrong row cannot use; where it would leave nothing it is not kept.
fn stop_split(data: &Data, coder: &Coder, places: &[usize]) -> Option<Split> {
    let mut parts = SplitParts::default();
    let usual = hold_out(places.len(), data.split_by(&mut parts, places), STOP_SHARE, coder.seed);
    let close = |_| {
        let at = data.at.as_ref()?;
        let at: Vec<i64> = places.iter().map(|place| at[*place]).collect();
        hold_out(places.len(), SplitBy::Time { at: &at, gap: 0 }, STOP_SHARE, coder.seed).ok()
    };
    usual.map_or_else(close, Some)
}

/// Some of the training rows.
struct Part {
    rows: Matrix,
    target: Vec<f64>,
    weights: Option<Vec<f64>>,
    groups: Option<Vec<u32>>,
}

impl Part {
    fn examples<'b>(&'b self, pipeline: &'b Pipeline, data: &Data) -> Examples<'b> {
        Examples {
            weights: self.weights.as_deref(),
            groups: self.groups.as_deref().filter(|_| data.task == rapport_ml::Task::Ranking),
            ..Examples::new(&self.rows, pipeline.kinds(), data.task, &self.target)
        }
    }
}

/// A fold: rows to learn from, rows to test on, both coded when asked for.
#[derive(Debug)]
pub(super) struct Fold<'a> {
    pub(super) training: Training<'a>,
    /// Places in the data.
    pub(super) test: Vec<usize>,
    coded: [Option<Matrix>; 2],
    /// The same fold with few of its training rows.
    few: Option<Box<Self>>,
}

impl<'a> Fold<'a> {
    pub(super) fn new(data: &'a Data, coder: &'a Coder, train: Vec<usize>, test: Vec<usize>) -> Self {
        Self { training: Training::new(data, coder, train, true), test, coded: [None, None], few: None }
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

    /// The answers to the test rows, and after how many rounds a boosting ended by itself.
    pub(super) fn answers(
        &mut self,
        learner: &Learner,
        context: &Context<'_>,
    ) -> Result<(Vec<f64>, Option<u32>), MlError> {
        let fitted = self.training.fit(learner, context)?;
        let coding = learner.algorithm().coding();
        if self.coded[slot(coding)].is_none() {
            let frame = &self.training.data.frame;
            let matrix = self.training.coded(coding)?.pipeline.apply(frame, &self.test)?;
            self.coded[slot(coding)] = Some(matrix);
        }
        let Some(rows) = &self.coded[slot(coding)] else {
            return Err(MlError::Shape("rows were not coded".to_owned()));
        };
        let mut answers = vec![0.0; rows.rows() * fitted.outputs()];
        fitted.predict_rows(rows, &mut answers);
        let rounds = match &fitted {
            Fitted::GradientBoosting(boosting) if self.training.ends_early(learner) => Some(boosting.rounds() as u32),
            _ => None,
        };
        Ok((answers, rounds))
    }
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
