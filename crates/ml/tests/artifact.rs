//! Artifacts: written, read, damaged, of the format before, and what a model answers and explains.

#![allow(clippy::unwrap_used, reason = "helpers of tests stop the test as the tests themselves do")]

use rapport_ml::bayes::BayesOptions;
use rapport_ml::calibrate::{Calibrator, Platt};
use rapport_ml::frame::{Cell, Column, Frame};
use rapport_ml::neighbours::NeighboursOptions;
use rapport_ml::pipeline::{Pipeline, PipelineOptions};
use rapport_ml::tree::{BoostingOptions, ForestOptions, Node};
use rapport_ml::{
    Algorithm, Artifact, Card, Context, Examples, Fitted, Learner, Member, MlError, Model, Random, References, Row,
    Scorer, Task, Workspace,
};

/// Rows of three numbers, one of them sometimes missing, and what follows from them with chance.
fn frame(rows: usize) -> (Frame, Vec<f64>) {
    let mut random = Random::new(11, 0);
    let mut columns = [const { Vec::new() }; 3];
    let mut target = Vec::new();
    for _ in 0..rows {
        let values = [random.uniform(), random.uniform() * 20.0, random.uniform() - 0.5];
        let margin = 3.0 * values[0] - 0.2 * values[1] + 4.0 * values[2] * values[0];
        target.push(f64::from(u8::from(random.uniform() < 1.0 / (1.0 + (-margin).exp()))));
        columns.iter_mut().zip(values).for_each(|(column, value)| column.push(value));
        if random.uniform() < 0.1 {
            *columns[2].last_mut().unwrap() = f64::NAN;
        }
    }
    let names = ["first", "second", "third"];
    let columns = names.iter().zip(columns).map(|(name, values)| Column::numbers(name, values)).collect();
    (Frame::new(columns).unwrap(), target)
}

fn member(frame: &Frame, target: &[f64], learner: &Learner) -> (Pipeline, Fitted) {
    let rows: Vec<usize> = (0..frame.rows()).collect();
    let options = PipelineOptions::new(learner.algorithm().coding());
    let pipeline = Pipeline::fit(frame, &rows, Some((target, Task::Binary)), &options).unwrap();
    let matrix = pipeline.apply_training(frame, &rows, target).unwrap();
    let examples = Examples::new(&matrix, pipeline.kinds(), Task::Binary, target);
    let fitted = learner.fit(&examples, None, &Context::serial()).unwrap();
    (pipeline, fitted)
}

fn small(algorithm: Algorithm) -> Learner {
    match algorithm {
        Algorithm::RandomForest => Learner::RandomForest(ForestOptions { trees: 12, ..ForestOptions::default() }),
        Algorithm::GradientBoosting => {
            Learner::GradientBoosting(BoostingOptions { rounds: 15, ..BoostingOptions::default() })
        }
        Algorithm::NearestNeighbours => Learner::NearestNeighbours(NeighboursOptions::default()),
        Algorithm::NaiveBayes => Learner::NaiveBayes(BayesOptions::default()),
        other => other.learner(3),
    }
}

fn model_of(frame: &Frame, target: &[f64], algorithms: &[Algorithm], calibrator: Option<Calibrator>) -> Model {
    let (mut pipelines, mut members) = (Vec::new(), Vec::new());
    for algorithm in algorithms {
        let (pipeline, fitted) = member(frame, target, &small(*algorithm));
        members.push(Member { pipeline: pipelines.len(), weight: 1.0 / algorithms.len() as f64, fitted });
        pipelines.push(pipeline);
    }
    Model::new(Task::Binary, pipelines, members, calibrator).unwrap()
}

fn artifact(model: Model) -> Artifact {
    let card = Card { target: "bought".to_owned(), ..Card::default() };
    Artifact { card, model, references: References::default(), report: Some("{}".to_owned()) }
}

/// All algorithms that learn yes or no.
fn binary() -> impl Iterator<Item = Algorithm> {
    Algorithm::ALL.into_iter().filter(|algorithm| algorithm.suits(Task::Binary))
}

fn log_odds(probability: f64) -> f64 {
    (probability / (1.0 - probability)).ln()
}

#[test]
fn what_was_written_answers_as_before() {
    let (frame, target) = frame(300);
    let rows: Vec<usize> = (0..frame.rows()).collect();
    for algorithm in binary() {
        let written = artifact(model_of(&frame, &target, &[algorithm], None));
        let bytes = written.to_bytes().unwrap();
        let read = Artifact::from_bytes(&bytes).unwrap();
        assert!(read == written, "{algorithm:?} came back another");
        assert_eq!(read.to_bytes().unwrap(), bytes);
        let answers = |artifact: &Artifact| Scorer::new(&artifact.model).unwrap().predict_frame(&frame, &rows).unwrap();
        assert_eq!(answers(&read), answers(&written), "{algorithm:?}");
    }
}

#[test]
fn every_damage_is_seen() {
    let (frame, target) = frame(200);
    let bytes = artifact(model_of(&frame, &target, &[Algorithm::LogisticRegression], None)).to_bytes().unwrap();
    for place in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[place] ^= 0x10;
        assert!(Artifact::from_bytes(&damaged).is_err(), "a flipped bit in byte {place} was not seen");
        assert!(Artifact::from_bytes(&bytes[..place]).is_err(), "an end after {place} bytes was not seen");
    }
}

#[test]
fn a_newer_format_is_told() {
    let (frame, target) = frame(200);
    let mut bytes = artifact(model_of(&frame, &target, &[Algorithm::NaiveBayes], None)).to_bytes().unwrap();
    bytes[8] = 9;
    assert_eq!(Artifact::from_bytes(&bytes), Err(MlError::Format(9)));
    assert_eq!(Artifact::from_bytes(br#"{"format": 7}"#), Err(MlError::Format(7)));
    assert!(matches!(Artifact::from_bytes(b"id,name\n1,a\n"), Err(MlError::Artifact(_))));
}

#[test]
fn artifacts_of_format_1_answer_as_they_did() {
    let artifact = Artifact::from_bytes(include_bytes!("fixtures/artifact/format-1.json")).unwrap();
    assert_eq!((&*artifact.card.algorithm, &*artifact.card.target), ("logistic_regression", "bought"));
    let scorer = Scorer::new(&artifact.model).unwrap();
    let names: Vec<&str> = scorer.inputs().iter().map(|input| input.name.as_str()).collect();
    assert_eq!(names, ["visits", "plan", "age"]);
    let mut rows = 0;
    for line in include_str!("fixtures/artifact/format-1.expected.csv").lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let number = |text: &str| text.parse().map_or(Cell::Missing, Cell::Number);
        let row = [number(cells[0]), Cell::Text(cells[1]), number(cells[2])];
        let mut out = [0.0];
        scorer.predict(Row::Cells(&row), &mut Workspace::default(), &mut out);
        assert_eq!(format!("{:.6}", out[0]), cells[4], "{line}");
        rows += 1;
    }
    assert_eq!(rows, 39);
}

/// What inputs bring adds up to the log-odds of the answer, for every algorithm, blended and calibrated.
#[test]
fn contributions_add_up_to_the_answer() {
    let (frame, target) = frame(300);
    let answers: Vec<f64> = target.iter().map(|target| 0.3 + 0.4 * target).collect();
    let platt = || Some(Calibrator::Platt(Platt::fit(&answers, &target, None).unwrap()));
    let mut models: Vec<Model> = binary().map(|algorithm| model_of(&frame, &target, &[algorithm], None)).collect();
    models.push(model_of(&frame, &target, &[Algorithm::GradientBoosting, Algorithm::LogisticRegression], None));
    models.push(model_of(&frame, &target, &[Algorithm::RandomForest, Algorithm::NaiveBayes], platt()));
    for model in models {
        let scorer = Scorer::new(&model).unwrap();
        let mut work = Workspace::default();
        for row in 0..40 {
            let values = frame.columns().iter().map(|column| match column.cells.get(row) {
                Cell::Number(value) => value,
                _ => f64::NAN,
            });
            let values: Vec<f64> = values.collect();
            let (mut out, mut parts) = ([0.0], [0.0; 3]);
            scorer.predict(Row::Numbers(&values), &mut work, &mut out);
            let base = scorer.contributions(Row::Numbers(&values), 0, &mut work, &mut parts);
            let sum = base + parts.iter().sum::<f64>();
            let expected = log_odds(out[0].clamp(1e-9, 1.0 - 1e-9));
            assert!((sum - expected).abs() < 1e-6, "{}: {sum} is not {expected}", model.algorithm());
        }
    }
}

/// A row at a time, as numbers or as cells, and a table at once give one answer.
#[test]
fn rows_and_tables_are_answered_alike() {
    let (frame, target) = frame(250);
    let model = model_of(&frame, &target, &[Algorithm::GradientBoosting, Algorithm::LogisticRegression], None);
    let scorer = Scorer::new(&model).unwrap();
    let rows: Vec<usize> = (0..frame.rows()).collect();
    let all = scorer.predict_frame(&frame, &rows).unwrap();
    let mut work = Workspace::default();
    for (row, expected) in rows.iter().zip(all) {
        let cells: Vec<Cell<'_>> = frame.columns().iter().map(|column| column.cells.get(*row)).collect();
        let mut out = [0.0];
        scorer.predict(Row::Cells(&cells), &mut work, &mut out);
        assert!((out[0] - expected).abs() < 1e-12, "row {row}: {} is not {expected}", out[0]);
    }
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    let (frame, target) = frame(200);
    let (pipeline, fitted) = member(&frame, &target, &small(Algorithm::NaiveBayes));
    let member = |pipeline, weight| Member { pipeline, weight, fitted: fitted.clone() };
    let model = |task, members| Model::new(task, vec![pipeline.clone()], members, None);
    assert!(model(Task::Binary, vec![member(0, 1.0)]).is_ok());
    assert!(model(Task::Binary, vec![]).is_err(), "no member");
    assert!(model(Task::Binary, vec![member(1, 1.0)]).is_err(), "no such pipeline");
    assert!(model(Task::Binary, vec![member(0, 0.5)]).is_err(), "half a model");
    assert!(model(Task::Multiclass { classes: 3 }, vec![member(0, 1.0)]).is_err(), "another task");
}

#[test]
fn a_linear_model_for_other_columns_is_refused() {
    let (frame, target) = frame(200);
    let (for_trees, _) = member(&frame, &target, &small(Algorithm::DecisionTree));
    for algorithm in [Algorithm::LogisticRegression, Algorithm::LinearSvm] {
        let (pipeline, fitted) = member(&frame, &target, &small(algorithm));
        assert_ne!(pipeline.width(), for_trees.width());
        let under = |pipeline| {
            let member = Member { pipeline: 0, weight: 1.0, fitted: fitted.clone() };
            Model::new(Task::Binary, vec![pipeline], vec![member], None)
        };
        assert!(under(pipeline).is_ok());
        let refused = under(for_trees.clone()).unwrap_err().to_string();
        assert!(refused.contains("one weight for each column"), "{refused}");
    }
}

#[test]
fn a_tree_that_looks_beyond_its_row_is_refused() {
    let (frame, target) = frame(200);
    for algorithm in [Algorithm::DecisionTree, Algorithm::RandomForest, Algorithm::GradientBoosting] {
        let (pipeline, mut fitted) = member(&frame, &target, &small(algorithm));
        let of = |fitted: &Fitted| {
            let member = Member { pipeline: 0, weight: 1.0, fitted: fitted.clone() };
            Model::new(Task::Binary, vec![pipeline.clone()], vec![member], None)
        };
        assert!(of(&fitted).is_ok());
        let trees = match &mut fitted {
            Fitted::DecisionTree(tree) => std::slice::from_mut(&mut tree.tree),
            Fitted::RandomForest(forest) => &mut forest.trees,
            Fitted::GradientBoosting(boosting) => &mut boosting.trees,
            _ => unreachable!("these are trees"),
        };
        // The last split of all, which few rows reach.
        let columns = trees.iter_mut().flat_map(|tree| &mut tree.nodes).filter_map(|node| match node {
            Node::Split { column, .. } => Some(column),
            Node::Leaf { .. } => None,
        });
        *columns.last().unwrap() = pipeline.width() as u32;
        assert!(of(&fitted).unwrap_err().to_string().contains("column"), "{algorithm:?}");
    }
}
