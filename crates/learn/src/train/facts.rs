//! What there is to tell of a model: figures beside what simple means reach, leaks, what it depends on, how its inputs were.

use std::{collections::BTreeMap, ops::ControlFlow};

use rapport_ml::drift::Reference;
use rapport_ml::frame::{Cell, Column, Frame};
use rapport_ml::leak::{LeakReport, find_leaks};
use rapport_ml::metrics::{BinaryEvaluation, Interval, quantile};
use rapport_ml::permutation::{
    DependenceOptions, PermutationOptions, grid, partial_dependence, permutation_importance,
};
use rapport_ml::split::Split;
use rapport_ml::{
    Algorithm, Artifact, BaselineFact, Card, Context, InputFact, Kind, LeakEffect, LearnerFact, Matrix, MlError, Model,
    References, Scorer, Task,
};

use super::folds::{Coder, Training};
use super::measure::{Known, main_metric};
use super::{Chosen, Progress, Step, TrainOptions, Watch};
use crate::report::{
    Baseline, BaselineKind, Dependence, DependenceAt, FeatureImportance, LeakReason, LeakWarning, ModelCard,
    ReportData, SplitKind,
};
use crate::{Data, LearnError};

/// Rows that importance and dependence are measured on.
const ASKED_ROWS: usize = 2_000;
/// Inputs whose dependence is drawn.
const DRAWN: usize = 6;
const GRID: usize = 20;
/// Rows that leaks are looked for in, and references of drift are made of.
const LOOKED_AT: usize = 50_000;
const DRIFT_BINS: usize = 10;

/// How a model did on rows that were put aside.
#[derive(Debug)]
pub(super) struct Judgement {
    metrics: BTreeMap<String, f64>,
    intervals: BTreeMap<String, Interval>,
    binary: Option<BinaryEvaluation>,
    baselines: Vec<BaselineFact>,
    importance: Vec<(String, f64, f64)>,
    dependence: Vec<Dependence>,
    /// How the answers to rows that were not learnt from are distributed, for yes or no and for numbers.
    score: Option<Reference>,
}

/// Columns that look as if they knew the outcome. Those that are left out are not looked at.
///
/// Whoever wants the training to end, with what there is or with nothing, ends it here with nothing: no model was tried yet.
pub(super) fn leaks(
    data: &Data,
    train: &[usize],
    options: &TrainOptions,
    watch: &mut Watch<'_>,
) -> Result<LeakReport, LearnError> {
    for name in &options.leaks {
        if data.frame.find(name).is_none() {
            return Err(LearnError::Mismatch(format!("there is no column \"{name}\" to leave out")));
        }
    }
    let kept = data.frame.columns().iter().filter(|column| !options.leaks.contains(&column.name));
    let frame = Frame::new(kept.cloned().collect())?;
    let some = every(train, LOOKED_AT);
    let target: Vec<f64> = some.iter().map(|place| data.target[*place]).collect();
    let mut look = |share| {
        (watch.progress)(&Progress { step: Step::Leaks, share, trials: 0, best: None });
        if (watch.stopped)() || (watch.enough)() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    Ok(find_leaks(&frame, &some, &target, data.task, &data.target_name, options.seed, &mut look)?)
}

/// At most so many of `places`, evenly.
fn every(places: &[usize], most: usize) -> Vec<usize> {
    places.iter().step_by(places.len().div_ceil(most).max(1)).copied().collect()
}

fn main_figure(data: &Data, model: &Model, test: &[usize], options: &TrainOptions) -> Result<f64, MlError> {
    let answers = Scorer::new(model)?.predict_frame(&data.frame, test)?;
    let aside = Known::of(data, test);
    let figures = aside.judged(data.task, &answers).figures(options.costs)?;
    Ok(figures.get(main_metric(data.task, data.quantile).0).copied().unwrap_or(0.0))
}

/// What columns that were left out would have seemed to bring, or what those that are suspected do.
pub(super) fn leak_effect(
    data: &Data,
    options: &TrainOptions,
    chosen: &Chosen,
    tested: &Model,
    split: &Split,
    leaks: &LeakReport,
    context: &Context<'_>,
) -> Result<Option<LeakEffect>, MlError> {
    let left_out = !options.leaks.is_empty();
    let suspected = || leaks.warnings.iter().map(|warning| warning.column.clone()).collect::<Vec<_>>();
    let columns = if left_out { options.leaks.clone() } else { suspected() };
    if columns.is_empty() {
        return Ok(None);
    }
    let leave_out = if left_out { Vec::new() } else { columns.clone() };
    let coder = Coder { leave_out, seed: options.seed, balance: options.balance };
    let other = match chosen.fit(data, &coder, &split.train, context) {
        Ok(other) => other,
        // Without them nothing is left to learn from.
        Err(MlError::Table(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let own = main_figure(data, tested, &split.test, options)?;
    let other = main_figure(data, &other, &split.test, options)?;
    let (with, without) = if left_out { (other, own) } else { (own, other) };
    Ok(Some(LeakEffect { columns, left_out, with, without }))
}

/// How the tested model did.
pub(super) fn judge(
    data: &Data,
    options: &TrainOptions,
    tested: &Model,
    split: &Split,
    leaks: &LeakReport,
    context: &Context<'_>,
) -> Result<Judgement, LearnError> {
    let scorer = Scorer::new(tested)?;
    let answers = scorer.predict_frame(&data.frame, &split.test)?;
    let aside = Known::of(data, &split.test);
    let judged = aside.judged(data.task, &answers);
    let mut metrics = judged.figures(options.costs)?;
    let mut intervals = BTreeMap::new();
    let mut binary = None;
    if data.task == Task::Binary {
        let evaluation = judged.binary(options.costs, options.seed, context)?;
        intervals.clone_from(&evaluation.intervals);
        binary = Some(evaluation);
    }
    intervals.extend(judged.interval(options.seed, context)?);
    for (name, interval) in &intervals {
        metrics.insert(format!("{name}_low"), interval.low);
        metrics.insert(format!("{name}_high"), interval.high);
    }
    metrics.insert("train_rows".to_owned(), split.train.len() as f64);
    metrics.insert("test_rows".to_owned(), split.test.len() as f64);
    let score = (scorer.outputs() == 1).then(|| Reference::of_numbers(&answers, DRIFT_BINS)).transpose()?;
    let baselines = baselines(data, options, split, leaks, &aside, context)?;
    let (importance, dependence) = understand(data, &scorer, split, options, context)?;
    Ok(Judgement { metrics, intervals, binary, baselines, importance, dependence, score })
}

/// The share of positives (or the mean) as the answer to everything, and the best column alone.
fn baselines(
    data: &Data,
    options: &TrainOptions,
    split: &Split,
    leaks: &LeakReport,
    aside: &Known,
    context: &Context<'_>,
) -> Result<Vec<BaselineFact>, LearnError> {
    let mut baselines = Vec::new();
    if data.task != Task::Ranking {
        let constant = constant(data, &split.train);
        let answers = constant.repeat(split.test.len());
        let metrics = aside.judged(data.task, &answers).figures(options.costs)?;
        baselines.push(BaselineFact { name: "base_rate".to_owned(), metrics });
    }
    let best = leaks.columns.iter().max_by(|a, b| a.alone.total_cmp(&b.alone)).filter(|best| best.alone > 0.0);
    let mut columns: Vec<&str> = best.map(|best| best.column.as_str()).into_iter().collect();
    columns.extend(data.baseline.as_deref().filter(|name| Some(*name) != columns.first().copied()));
    for column in columns.into_iter().filter(|name| data.frame.find(name).is_some()) {
        match alone(data, column, options, split, aside, context) {
            Ok(metrics) => baselines.extend(metrics.map(|metrics| BaselineFact { name: column.to_owned(), metrics })),
            // A column that cannot stand alone (an identifier that numbers the rows) is no baseline.
            Err(MlError::Table(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(baselines)
}

/// The figures of one column as a weighted sum; none where there is no such model.
fn alone(
    data: &Data,
    column: &str,
    options: &TrainOptions,
    split: &Split,
    aside: &Known,
    context: &Context<'_>,
) -> Result<Option<BTreeMap<String, f64>>, MlError> {
    let algorithm = match data.task {
        Task::Binary | Task::Multiclass { .. } => Algorithm::LogisticRegression,
        Task::Regression if data.quantile.is_none() => Algorithm::LinearRegression,
        Task::Regression | Task::Ranking => return Ok(None),
    };
    let others = data.frame.columns().iter().map(|column| column.name.clone());
    let leave_out = others.filter(|name| *name != column).collect();
    let coder = Coder { leave_out, seed: options.seed, balance: false };
    let mut training = Training::new(data, &coder, split.train.clone());
    let fitted = training.fit(&algorithm.learner(options.seed), context)?;
    let pipeline = training.coded(algorithm.coding())?.pipeline.clone();
    let member = rapport_ml::Member { pipeline: 0, weight: 1.0, fitted };
    let model = Model::new(data.task, vec![pipeline], vec![member], None)?;
    let answers = Scorer::new(&model)?.predict_frame(&data.frame, &split.test)?;
    aside.judged(data.task, &answers).figures(options.costs).map(Some)
}

/// What is answered who knows nothing: shares of classes, the mean, or the quantile.
fn constant(data: &Data, train: &[usize]) -> Vec<f64> {
    let weight = |place: usize| data.weights.as_ref().map_or(1.0, |all| all[place]);
    let total: f64 = train.iter().map(|place| weight(*place)).sum();
    let mean = |value: &dyn Fn(f64) -> f64| {
        train.iter().map(|place| weight(*place) * value(data.target[*place])).sum::<f64>() / total
    };
    if let Some(level) = data.quantile {
        let values = train.iter().map(|place| (data.target[*place], weight(*place)));
        return vec![quantile(&mut values.collect::<Vec<_>>(), level)];
    }
    match data.task {
        Task::Multiclass { classes } => {
            (0..classes).map(|class| mean(&|target| f64::from(u8::from(target == f64::from(class))))).collect()
        }
        Task::Binary | Task::Regression | Task::Ranking => vec![mean(&|target| target)],
    }
}

type Understood = (Vec<(String, f64, f64)>, Vec<Dependence>);

/// What the model depends on and how, on a part of the test rows.
fn understand(
    data: &Data,
    scorer: &Scorer,
    split: &Split,
    options: &TrainOptions,
    context: &Context<'_>,
) -> Result<Understood, LearnError> {
    let some = every(&split.test, ASKED_ROWS);
    let coded = scorer.on_coded();
    let rows = coded.rows(&data.frame, &some)?;
    let aside = Known::of(data, &some);
    // Without both answers among the rows there is no order to lose.
    let metric = |answers: &[f64]| {
        let figures = aside.judged(data.task, answers).figures(options.costs).unwrap_or_default();
        figures.get(main_metric(data.task, data.quantile).0).copied().unwrap_or(0.0)
    };
    let groups = coded.groups();
    let permutation = PermutationOptions { seed: options.seed, ..PermutationOptions::default() };
    let falls = permutation_importance(&coded, &rows, &groups, &metric, &permutation, context)?;
    let names = scorer.inputs().iter().map(|input| input.name.clone());
    let mut importance: Vec<(String, f64, f64)> =
        names.zip(&falls).map(|(name, fall)| (name, fall.mean, fall.deviation)).collect();
    importance.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let mut dependence = Vec::new();
    for (name, ..) in importance.iter().filter(|(_, mean, _)| *mean > 0.0).take(DRAWN) {
        let input = scorer.inputs().iter().position(|input| input.name == *name);
        let columns = input.map(|input| groups[input].clone()).unwrap_or_default();
        dependence.extend(drawn(name, &columns, &rows, data, scorer, options, context)?);
    }
    Ok((importance, dependence))
}

/// Dependence on one input: of numbers by values of the raw column, of categories by their names. An input that becomes many
/// numbers (text, a date) is not drawn.
fn drawn(
    name: &str,
    columns: &[usize],
    rows: &Matrix,
    data: &Data,
    scorer: &Scorer,
    options: &TrainOptions,
    context: &Context<'_>,
) -> Result<Option<Dependence>, MlError> {
    let coded = scorer.on_coded();
    let raw = data.frame.column(name)?;
    let Some((at, settings)) = settings_of(raw, data.rows()) else { return Ok(None) };
    // The settings are coded as rows of a table whose other columns do not matter.
    let mut table: Vec<Column> = Vec::new();
    for input in scorer.inputs() {
        let source = data.frame.column(&input.name)?;
        let places = vec![0; settings.len()];
        let cells = source.cells.select(if input.name == name { &settings } else { &places });
        table.push(Column { name: source.name.clone(), meaning: source.meaning, reading: source.reading, cells });
    }
    let table = Frame::new(table)?;
    let all: Vec<usize> = (0..settings.len()).collect();
    let coded_settings = coded.rows(&table, &all)?;
    let settings: Vec<Vec<f64>> =
        all.iter().map(|row| columns.iter().map(|column| coded_settings.row(*row)[*column]).collect()).collect();
    let how = DependenceOptions { output: 0, sample: 500, seed: options.seed, individual: false };
    let dependence = partial_dependence(&coded, rows, columns, &settings, &how, context)?;
    Ok(Some(Dependence { name: name.to_owned(), at, mean: dependence.mean }))
}

/// Where an input is set to, and a row that has each value.
fn settings_of(column: &Column, rows: usize) -> Option<(DependenceAt, Vec<usize>)> {
    use rapport_ml::frame::{Cells, Meaning};
    match (&column.cells, column.meaning) {
        (Cells::Number(values), _) => {
            let one = Matrix::from_values(1, values.clone()).ok()?;
            let points = grid(&one, 0, Kind::Number, GRID);
            let first = |point: &f64| values.iter().position(|value| value == point);
            let points: Vec<(f64, usize)> =
                points.iter().filter_map(|point| Some((point[0], first(&point[0])?))).collect();
            let (at, places): (Vec<f64>, Vec<usize>) = points.into_iter().unzip();
            Some((DependenceAt::Numbers(at), places))
        }
        (Cells::Text(_), Meaning::Category | Meaning::Boolean) => {
            let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
            for row in 0..rows {
                if let Cell::Text(text) = column.cells.get(row) {
                    counts.entry(text).or_insert((0, row)).0 += 1;
                }
            }
            let mut most: Vec<(&str, (usize, usize))> = counts.into_iter().collect();
            most.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
            most.truncate(GRID / 2);
            let names = most.iter().map(|(name, _)| (*name).to_owned()).collect();
            Some((DependenceAt::Categories(names), most.iter().map(|(_, (_, row))| *row).collect()))
        }
        _ => None,
    }
}

/// How inputs and answers are distributed, to tell drift by. The answers are those of the tested model to rows that it had not
/// seen: to rows that it has learnt from a forest answers more boldly than it ever will again.
fn references(data: &Data, model: &Model, score: Option<Reference>) -> Result<References, MlError> {
    let some = every(&(0..data.rows()).collect::<Vec<_>>(), LOOKED_AT);
    let mut references = References { score, ..References::default() };
    for input in model.inputs() {
        if let rapport_ml::frame::Cells::Number(values) = &data.frame.column(&input.name)?.cells {
            let values: Vec<f64> = some.iter().map(|place| values[*place]).collect();
            references.inputs.insert(input.name.clone(), Reference::of_numbers(&values, DRIFT_BINS)?);
        }
    }
    Ok(references)
}

/// Everything together.
#[expect(clippy::too_many_arguments, reason = "the parts of one artifact, put together in one place")]
pub(super) fn artifact(
    data: &Data,
    options: &TrainOptions,
    chosen: &Chosen,
    model: Model,
    judgement: Judgement,
    leaks: LeakReport,
    effect: Option<LeakEffect>,
    split: &Split,
    trials: u64,
) -> Result<Artifact, LearnError> {
    let groups = data.groups.as_ref().map(|groups| {
        let different: std::collections::BTreeSet<u32> = groups.iter().copied().collect();
        different.len() as u64
    });
    let range =
        data.at.as_ref().filter(|_| !data.at_is_order).and_then(|at| Some((*at.iter().min()?, *at.iter().max()?)));
    let card = Card {
        program: concat!("Rapport ", env!("CARGO_PKG_VERSION")).to_owned(),
        algorithm: model.algorithm().to_owned(),
        task: data.task,
        quantile: data.quantile,
        target: data.target_name.clone(),
        target_reading: data.target_reading,
        classes: data.classes.clone(),
        inputs: model.inputs().into_iter().map(InputFact::from).collect(),
        fingerprint: model.fingerprint(),
        left_out: model.pipelines().first().map(|pipeline| pipeline.left_out().to_vec()).unwrap_or_default(),
        learners: chosen.members(data.rows()).map(|(learner, weight)| LearnerFact { learner, weight }).collect(),
        calibration: model.calibrator().map(|calibrator| calibrator.name().to_owned()),
        rows: data.rows() as u64,
        train_rows: split.train.len() as u64,
        test_rows: split.test.len() as u64,
        groups,
        split: data.split_name().to_owned(),
        seed: options.seed,
        training_range: range,
        metrics: judgement.metrics.clone(),
        intervals: judgement.intervals.clone(),
        baselines: judgement.baselines.clone(),
        leaks: leaks.warnings,
        leak_effect: effect,
        importance: judgement.importance.iter().map(|(name, mean, _)| (name.clone(), *mean)).collect(),
        trials,
    };
    let references = references(data, &model, judgement.score.clone())?;
    let report = report(&card, data, judgement).map(|report| serde_json::to_string(&report)).transpose();
    let report = report.map_err(|error| MlError::Artifact(error.to_string()))?;
    Ok(Artifact { references, card, model, report })
}

/// The report, for yes or no.
fn report(card: &Card, data: &Data, judgement: Judgement) -> Option<ReportData> {
    let evaluation = judgement.binary?;
    let baseline = |baseline: &BaselineFact| Baseline {
        kind: match &*baseline.name {
            "base_rate" => BaselineKind::BaseRate,
            name => BaselineKind::BestFeature { name: name.to_owned() },
        },
        figures: baseline.metrics.clone(),
    };
    let day = |at: i64| rapport_types::Timestamp(at).to_string();
    let mut warnings: Vec<LeakWarning> = card
        .leaks
        .iter()
        .map(|warning| LeakWarning { column: warning.column.clone(), reason: LeakReason::Found(warning.clone()) })
        .collect();
    if let Some(effect) = &card.leak_effect {
        let reason = if effect.left_out {
            LeakReason::LeftOut { auc_with: effect.with }
        } else {
            LeakReason::Kept { auc_without: effect.without }
        };
        warnings.push(LeakWarning { column: effect.columns.join(", "), reason });
    }
    Some(ReportData {
        title: card.target.clone(),
        card: ModelCard {
            name: card.target.clone(),
            version: String::new(),
            algorithm: card.algorithm.clone(),
            program: card.program.clone(),
            data_from: card.training_range.map(|(from, _)| day(from)),
            data_to: card.training_range.map(|(_, to)| day(to)),
            train_rows: card.train_rows,
            test_rows: card.test_rows,
            customers: card.groups,
            split: match (&data.at, &data.groups) {
                (Some(_), _) => SplitKind::Time,
                (None, Some(_)) => SplitKind::Customers,
                (None, None) => SplitKind::Stratified,
            },
            calibration: card.calibration.clone(),
            seed: card.seed,
            features: card.inputs.iter().map(|input| input.name.clone()).collect(),
        },
        evaluation,
        baselines: card.baselines.iter().map(baseline).collect(),
        leaks: warnings,
        importance: judgement
            .importance
            .iter()
            .map(|(name, mean, deviation)| FeatureImportance { name: name.clone(), mean: *mean, deviation: *deviation })
            .collect(),
        dependence: judgement.dependence,
    })
}
