//! From trials to one model: which of them are asked together, and how their probabilities are corrected.

use rapport_ml::calibrate::{Calibrator, Isotonic, Platt, Temperature};
use rapport_ml::{Algorithm, Learner, MlError, Task, link, margin_of};

use super::Effort;
use super::measure::Known;
use super::search::{Trial, Tried};
use crate::Data;

/// So many of the best trials may be part of a blend.
const CHOICE: usize = 25;
/// At most so many of them are of one algorithm: others that are a little worse alone help more.
const CHOICE_OF_EACH: usize = 5;
/// So many times the one that helps most is taken, again and again.
const ROUNDS: usize = 30;
/// More members would answer no better and slower.
const MEMBERS_MAX: usize = 5;
/// Rows that a blend is chosen on.
const ROWS_MAX: usize = 20_000;
/// With fewer rows of either answer, isotonic regression learns chance by heart.
const ISOTONIC_LEAST: usize = 500;
/// A second member or a correction must make the loss smaller by this share to be worth a part of the model.
const WORTH: f64 = 0.002;
/// The same for members where a search was asked for. The best of many trials is partly the luckiest, and luck is what a mean over
/// several takes away, which the loss on the rows that chose them shows little of.
const WORTH_OF_SEARCH: f64 = 0.0002;

/// A correction learnt on a history must make the loss smaller by this share. The models of earlier folds knew less than the one
/// that is served, and erred in their own way; what corrects that is wrong for it, unless answers are plainly no probabilities,
/// such as those of naive Bayes.
const WORTH_ON_HISTORY: f64 = 0.1;

/// Learners with their weights, which add up to 1, and their answers together.
#[derive(Debug, Clone)]
pub(super) struct Blend {
    pub(super) members: Vec<(Learner, f64)>,
    pub(super) answers: Vec<f64>,
    pub(super) loss: f64,
}

/// Fits a correction to answers, what came to be, and weights.
type Fit<'a> = &'a dyn Fn(&[f64], &[f64], Option<&[f64]>) -> Result<Calibrator, MlError>;

/// From a sum of margins and how many they are to answers.
fn answers_of(task: Task, sums: &[f64], count: f64) -> Vec<f64> {
    let mut answers: Vec<f64> = sums.iter().map(|sum| sum / count).collect();
    answers.chunks_exact_mut(task.outputs()).for_each(|margins| link(task, margins));
    answers
}

/// The best trial alone.
fn best(trial: &Trial) -> Blend {
    Blend { members: vec![(trial.learner.clone(), 1.0)], answers: trial.answers.clone(), loss: trial.loss }
}

/// Ensemble selection (Caruana, Niculescu-Mizil, Crew, Ksikes, Ensemble selection from libraries of models, 2004): the trial that
/// helps most is added, again and again, with replacement. Trials must be in order, the best first. A ranking takes the
/// best alone, since scores of different rankings have no common scale.
pub(super) fn blend(tried: &Tried, data: &Data, effort: Effort) -> Result<Blend, MlError> {
    let task = data.task;
    let worth = if effort == Effort::Usual { WORTH } else { WORTH_OF_SEARCH };
    let alone = best(&tried.trials[0]);
    let choice: Vec<&Trial> = tried.best_of_each(CHOICE_OF_EACH).take(CHOICE).collect();
    if task == Task::Ranking || choice.len() < 2 {
        return Ok(alone);
    }
    // Every so many-th row, so that all folds have their part.
    let step = tried.known.actual.len().div_ceil(ROWS_MAX).max(1);
    let outputs = task.outputs();
    let rows: Vec<usize> = (0..tried.known.actual.len()).step_by(step).collect();
    let of = |trial: &Trial| -> Vec<f64> {
        rows.iter().flat_map(|row| &trial.answers[row * outputs..][..outputs]).map(|a| margin_of(task, *a)).collect()
    };
    let margins: Vec<Vec<f64>> = choice.iter().map(|trial| of(trial)).collect();
    let part = Known::of(data, &rows.iter().map(|row| tried.places[*row]).collect::<Vec<_>>());
    let mut counts = vec![0_usize; choice.len()];
    let mut sums = vec![0.0; margins[0].len()];
    for round in 1..=ROUNDS {
        let mut best: Option<(f64, usize, Vec<f64>)> = None;
        for (place, own) in margins.iter().enumerate() {
            let is_new = counts[place] == 0;
            if is_new && counts.iter().filter(|count| **count > 0).count() == MEMBERS_MAX {
                continue;
            }
            let with: Vec<f64> = sums.iter().zip(own).map(|(sum, own)| sum + own).collect();
            let loss = part.judged(task, &answers_of(task, &with, round as f64)).loss()?;
            if best.as_ref().is_none_or(|(least, ..)| loss < *least) {
                best = Some((loss, place, with));
            }
        }
        let Some((_, place, with)) = best else { break };
        counts[place] += 1;
        sums = with;
    }
    let total: usize = counts.iter().sum();
    let members: Vec<(&Trial, f64)> = choice
        .into_iter()
        .zip(&counts)
        .filter(|(_, count)| **count > 0)
        .map(|(trial, count)| (trial, *count as f64 / total as f64))
        .collect();
    let mut all = vec![0.0; alone.answers.len()];
    for (trial, weight) in &members {
        all.iter_mut().zip(&trial.answers).for_each(|(sum, answer)| *sum += weight * margin_of(task, *answer));
    }
    let answers = answers_of(task, &all, 1.0);
    let loss = tried.known.judged(data.task, &answers).loss()?;
    if loss > alone.loss * (1.0 - worth) {
        return Ok(alone);
    }
    let members = members.into_iter().map(|(trial, weight)| (trial.learner.clone(), weight)).collect();
    Ok(Blend { members, answers, loss })
}

/// A correction of the probabilities, if one makes them better: each is fitted on one half of the answers and judged on the
/// other, both ways; the best is then fitted on all. A model that goes on learning corrects itself, and what corrected it once
/// would be wrong soon.
pub(super) fn calibrator(blend: &Blend, tried: &Tried, data: &Data) -> Result<Option<Calibrator>, MlError> {
    if blend.members.iter().any(|(learner, _)| learner.algorithm() == Algorithm::OnlineLogistic) {
        return Ok(None);
    }
    let classes = data.task.outputs();
    let platt: Fit<'_> = &|p, y, w| Platt::fit(p, y, w).map(Calibrator::Platt);
    let isotonic: Fit<'_> = &|p, y, w| Isotonic::fit(p, y, w).map(Calibrator::Isotonic);
    let temperature: Fit<'_> = &|p, y, w| Temperature::fit(p, y, classes, w).map(Calibrator::Temperature);
    let yes = tried.known.actual.iter().filter(|actual| **actual == 1.0).count();
    let fits: Vec<Fit<'_>> = match data.task {
        Task::Binary if yes.min(tried.known.actual.len() - yes) >= ISOTONIC_LEAST => vec![platt, isotonic],
        Task::Binary => vec![platt],
        Task::Multiclass { .. } => vec![temperature],
        Task::Regression | Task::Ranking => return Ok(None),
    };
    let mut best: Option<(f64, Fit<'_>)> = None;
    for fit in fits {
        // Where one half lacks an answer there is nothing to correct by.
        let Ok(answers) = crossed(blend, tried, data, fit) else { continue };
        let loss = tried.known.judged(data.task, &answers).loss()?;
        if best.as_ref().is_none_or(|(least, _)| loss < *least) {
            best = Some((loss, fit));
        }
    }
    let worth = if data.at.is_some() { WORTH_ON_HISTORY } else { WORTH };
    match best {
        Some((loss, fit)) if loss < blend.loss * (1.0 - worth) => {
            fit(&blend.answers, &tried.known.actual, tried.known.weights.as_deref()).map(Some)
        }
        _ => Ok(None),
    }
}

/// The answers corrected by what was learnt of the other half.
fn crossed(blend: &Blend, tried: &Tried, data: &Data, fit: Fit<'_>) -> Result<Vec<f64>, MlError> {
    let (mut answers, outputs) = (blend.answers.clone(), data.task.outputs());
    for half in 0..2 {
        // Even places of the data, then odd ones.
        let rows: Vec<usize> = (0..tried.places.len()).filter(|row| tried.places[*row] % 2 != half).collect();
        let predicted: Vec<f64> =
            rows.iter().flat_map(|row| &blend.answers[row * outputs..][..outputs]).copied().collect();
        let known = Known::of(data, &rows.iter().map(|row| tried.places[*row]).collect::<Vec<_>>());
        let calibrator = fit(&predicted, &known.actual, known.weights.as_deref())?;
        for (row, answer) in answers.chunks_exact_mut(outputs).enumerate() {
            if tried.places[row] % 2 == half {
                calibrator.apply_row(answer);
            }
        }
    }
    Ok(answers)
}

#[cfg(test)]
mod tests {
    use std::{fmt::Write as _, ops::ControlFlow};

    use rapport_ml::Random;

    use super::*;
    use crate::{
        file::{FileOptions, read_table},
        table::{TableOptions, data_of},
    };

    /// Whether answers are corrected whose margins are so many times what they should be.
    fn is_corrected(on_history: bool, times: f64) -> bool {
        let sigmoid = |margin: f64| 1.0 / (1.0 + (-margin).exp());
        let (mut random, mut text, mut answers) = (Random::new(3, 0), "at,x,y\n".to_owned(), Vec::new());
        for row in 0..2_000_i64 {
            let margin = (row % 17 - 8) as f64 / 4.0;
            let yes = random.uniform() < sigmoid(margin);
            writeln!(text, "{},{margin},{}", 1_704_067_200 + row * 3_600, if yes { "yes" } else { "no" }).unwrap();
            answers.push(sigmoid(margin * times));
        }
        let table = read_table(text.as_bytes(), &FileOptions::default(), &mut |_| ControlFlow::Continue(())).unwrap();
        let time = on_history.then(|| "at".to_owned());
        let options = TableOptions { target: "y".to_owned(), time, ..TableOptions::default() };
        let (data, _) = data_of(table, &options).unwrap();
        let places: Vec<usize> = (0..data.rows()).collect();
        let tried = Tried { known: Known::of(&data, &places), places, ..Tried::default() };
        let loss = tried.known.judged(data.task, &answers).loss().unwrap();
        let members = vec![(Algorithm::LogisticRegression.learner(1), 1.0)];
        calibrator(&Blend { members, answers, loss }, &tried, &data).unwrap().is_some()
    }

    #[test]
    fn on_a_history_only_what_is_plainly_wrong_is_corrected() {
        assert_eq!([1.0, 1.6, 8.0].map(|times| is_corrected(false, times)), [false, true, true]);
        assert_eq!([1.0, 1.6, 8.0].map(|times| is_corrected(true, times)), [false, false, true]);
    }
}
