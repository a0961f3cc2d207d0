//! How the models of a score do on the newest history: whether inputs and answers are distributed as they were, week by week
//! what was said and what came, and whether the challenger is better than the champion.
//!
//! The history is replayed for it, so the figures are those of the log, whoever was answered what. Moments whose outcome is
//! not known yet count for no figure, though drift could do without outcomes: it lags by a score's span. Weeks that a model
//! was trained on are not told apart from later ones. A model that learns in service is measured as it had learnt by each
//! moment; what it did on each outcome that was told, the engine counts, and that is told beside it as of now.

use std::ops::ControlFlow;

use rapport_decide::Lessons;
use rapport_learn::{LearnError, Task, TrainingSet, training_set};
use rapport_ml::{
    Artifact, MlError,
    metrics::{Answers, Sweep, log_loss},
};
use rapport_profile::FeatureSet;
use rapport_server::{
    api::{Better, Comparison, InputDrift, Learning, Monitoring, Watched, Week},
    ports::Refusal,
};
use rapport_types::{DAY_MS, Timestamp};

use super::{Trainer, answers::answers, compare};
use crate::{cli::Failure, serve::access::internal};

/// Drift is that of so much of the newest history.
const RECENT_DAYS: i64 = 28;
/// With fewer moments an index means nothing.
const RECENT_LEAST: usize = 100;
/// So many weeks are told.
const WEEKS: usize = 26;
const WEEK_MS: i64 = 7 * DAY_MS;
/// The first Monday of 1970.
const MONDAY_MS: i64 = 4 * DAY_MS;
/// Fewer moments decide nothing.
const COMPARED_LEAST: usize = 30;

impl Trainer {
    pub(super) fn watched(&self, score: &str) -> Result<Monitoring, Refusal> {
        self.must_be_declared(score)?;
        let definitions = self.reader.definitions().map_or(0, |(version, _)| version);
        let challenger = self.reader.challenger(score).map(|(version, ..)| version);
        let of = (definitions, self.reader.champion(score), challenger);
        let mut found = self
            .measurements
            .fresh(score, of, self.clock, || self.measure(score).map_err(|error| internal(&*error)))?;
        for watched in [&mut found.champion, &mut found.challenger].into_iter().flatten() {
            watched.learning = self.reader.lessons(score, watched.version).as_ref().map(told);
        }
        Ok(found)
    }

    fn measure(&self, name: &str) -> Result<Monitoring, Failure> {
        let definitions = self.definitions().map_err(|refusal| refusal.to_string())?;
        let score = definitions.scores.iter().find(|score| *score.name == *name).ok_or("the score is gone")?;
        let features = FeatureSet::compile(&definitions.features)
            .map_err(|mistakes| mistakes.first().map(ToString::to_string).unwrap_or_default())?;
        let set = training_set(&*self.log, &features, &Task::new(score, None)?, &|_| ControlFlow::Continue(()))?;
        let model = |version: u32| -> Result<Artifact, Failure> {
            let bytes = self.store.artifact(name, version)?.ok_or("a model is not in the registry")?;
            Ok(Artifact::from_bytes(&bytes)?)
        };
        let look =
            |version: u32| -> Result<(Watched, Vec<f64>), Failure> { Ok(watch(version, &model(version)?, &set)?) };
        let champion = self.reader.champion(name).map(look).transpose()?;
        let trial = self.reader.challenger(name);
        let challenger = trial.as_ref().map(|(version, ..)| look(*version)).transpose()?;
        let comparison = match (&champion, &challenger, &trial) {
            (Some((_, old)), Some((_, new)), Some((.., since))) => compared(&set, old, new, *since)?,
            _ => None,
        };
        Ok(Monitoring {
            score: name.to_owned(),
            until: set.at.last().copied(),
            champion: champion.map(|(watched, _)| watched),
            challenger: challenger.map(|(watched, _)| watched),
            comparison,
        })
    }
}

/// A model's figures, and its probabilities for all moments.
fn watch(version: u32, artifact: &Artifact, set: &TrainingSet) -> Result<(Watched, Vec<f64>), LearnError> {
    let all: Vec<usize> = (0..set.at.len()).collect();
    let answers = answers(artifact, set, &all, |row| set.served[row].has(version))?;
    let newest = set.at.last().map_or(0, |at| at.0);
    let first = set
        .at
        .partition_point(|at| at.0 <= newest - RECENT_DAYS * DAY_MS)
        .min(answers.len().saturating_sub(RECENT_LEAST));
    // Before the first outcome is known there is nothing that could have drifted.
    let references = (first < answers.len()).then_some(&artifact.references);
    let mut inputs = Vec::new();
    for (name, reference) in references.iter().flat_map(|references| &references.inputs) {
        let Some(place) = set.names.iter().position(|known| known == name) else { continue };
        let now: Vec<f64> = set.rows.column(place).skip(first).collect();
        let drift = reference.compare(&now)?;
        let missing = now.iter().filter(|value| value.is_nan()).count() as f64 / now.len().max(1) as f64;
        inputs.push(InputDrift {
            feature: name.clone(),
            psi: beyond_chance(&drift),
            missing_then: reference.missing_share(),
            missing_now: missing,
        });
    }
    inputs.sort_by(|a, b| b.psi.total_cmp(&a.psi).then_with(|| a.feature.cmp(&b.feature)));
    let of_score = |reference: &rapport_ml::drift::Reference| reference.compare(&answers[first..]);
    let score_psi = references
        .and_then(|references| references.score.as_ref())
        .map(of_score)
        .transpose()?
        .map(|drift| beyond_chance(&drift));
    let drift = inputs.iter().map(|input| input.psi).chain(score_psi).reduce(f64::max);
    Ok((Watched { version, drift, score_psi, learning: None, inputs, weeks: weeks(set, &answers) }, answers))
}

/// What a model has learnt in service.
fn told(lessons: &Lessons) -> Learning {
    Learning {
        outcomes: lessons.learnt,
        positives: lessons.positives,
        // Partitions are looked at one after the other, and a customer may have moved meanwhile.
        waiting: lessons.waiting.max(0).unsigned_abs(),
        unanswered: lessons.unanswered,
        passed_over: lessons.passed_over,
        auc: lessons.said.auc(),
        log_loss: lessons.said.log_loss(),
        auc_as_registered: lessons.as_registered.auc(),
        log_loss_as_registered: lessons.as_registered.log_loss(),
        base_log_loss: lessons.base_log_loss(),
    }
}

/// What is left of an index when what so few moments bring by chance is taken off.
fn beyond_chance(drift: &rapport_ml::drift::Drift) -> f64 {
    (drift.psi - drift.psi_by_chance).max(0.0)
}

/// Week by week, the oldest first; the newest so many.
fn weeks(set: &TrainingSet, answers: &[f64]) -> Vec<Week> {
    let week_of = |at: &Timestamp| (at.0 - MONDAY_MS).div_euclid(WEEK_MS);
    let mut weeks = Vec::new();
    let mut begin = 0;
    for moments in set.at.chunk_by(|a, b| week_of(a) == week_of(b)) {
        let span = begin..begin + moments.len();
        begin = span.end;
        let actual: Vec<f64> = set.labels[span.clone()].iter().map(|label| f64::from(u8::from(*label))).collect();
        let predicted = &answers[span];
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let auc = Sweep::of(predicted, &actual).auc();
        weeks.push(Week {
            from: Timestamp(week_of(&moments[0]) * WEEK_MS + MONDAY_MS),
            rows: moments.len() as u64,
            predicted: mean(predicted),
            observed: mean(&actual),
            auc: auc.is_finite().then_some(auc),
            log_loss: log_loss(&Answers::new(predicted, &actual)),
        });
    }
    weeks.split_off(weeks.len().saturating_sub(WEEKS))
}

/// Champion and challenger on the moments since the trial began; none as long as they are few.
fn compared(
    set: &TrainingSet,
    champion: &[f64],
    challenger: &[f64],
    since: Timestamp,
) -> Result<Option<Comparison>, MlError> {
    let first = set.at.partition_point(|at| *at < since);
    let places: Vec<usize> = (first..set.at.len()).collect();
    if places.len() < COMPARED_LEAST {
        return Ok(None);
    }
    let (old, new) = (&champion[first..], &challenger[first..]);
    let gain = compare::gain(set, &places, old, new)?;
    let actual: Vec<f64> = places.iter().map(|place| f64::from(u8::from(set.labels[*place]))).collect();
    let area = |answers: &[f64]| Some(Sweep::of(answers, &actual).auc()).filter(|auc| auc.is_finite());
    let better = match (gain.low > 0.0, gain.high < 0.0) {
        (true, _) => Better::Challenger,
        (_, true) => Better::Champion,
        (false, false) => Better::Open,
    };
    Ok(Some(Comparison {
        rows: places.len() as u64,
        gain: gain.estimate,
        gain_low: gain.low,
        gain_high: gain.high,
        champion_auc: area(old),
        challenger_auc: area(new),
        better,
    }))
}
