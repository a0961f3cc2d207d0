//! Artifacts of format 1: a logistic regression as a JSON document, every input with its own scale. They become a pipeline and
//! a logistic regression that answer the same.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Member, Model};
use crate::card::InputFact;
use crate::linear::LogisticRegression;
use crate::pipeline::{FirstColumn, Pipeline};
use crate::{Artifact, Card, Fitted, MlError, Task};

const FORMAT: u32 = 1;

#[derive(Deserialize)]
struct Document {
    inputs: Vec<Input>,
    intercept: f64,
    rows: u64,
    #[serde(default)]
    metrics: BTreeMap<String, f64>,
    #[serde(default)]
    training_range: Option<(i64, i64)>,
    #[serde(default)]
    seed: u64,
    #[serde(default)]
    columns: Vec<Column>,
    #[serde(default)]
    target: Option<String>,
}

/// A missing value stood at the mean, and counted by an indicator whose mean was taken off.
#[derive(Deserialize)]
struct Input {
    name: String,
    transform: Transform,
    mean: f64,
    deviation: f64,
    missing_rate: f64,
    weight: f64,
    missing_weight: f64,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Transform {
    Identity,
    Log1p,
}

#[derive(Deserialize)]
struct Column {
    name: String,
    #[serde(flatten)]
    coding: Coding,
}

#[derive(Deserialize)]
#[serde(tag = "coding", rename_all = "snake_case")]
enum Coding {
    Numeric,
    OneHot { categories: Vec<String> },
}

pub(crate) fn read(bytes: &[u8]) -> Result<Artifact, MlError> {
    #[derive(Deserialize)]
    struct Head {
        format: u32,
    }
    let no_model = |_| MlError::Artifact("it was not written by `rapport train`".to_owned());
    let head: Head = serde_json::from_slice(bytes).map_err(no_model)?;
    if head.format != FORMAT {
        return Err(MlError::Format(head.format));
    }
    let document: Document = serde_json::from_slice(bytes).map_err(|error| MlError::Artifact(error.to_string()))?;
    let finite = |input: &Input| {
        [input.mean, input.deviation, input.weight, input.missing_weight, input.missing_rate]
            .iter()
            .all(|number| number.is_finite())
    };
    if !document.intercept.is_finite() || !document.inputs.iter().all(finite) {
        return Err(MlError::Artifact("a weight is not a finite number".to_owned()));
    }
    model_of(document)
}

/// Weights in the order of a pipeline's outputs, collected input by input.
#[derive(Default)]
struct Weights {
    each: Vec<f64>,
    means: Vec<f64>,
    intercept: f64,
}

impl Weights {
    /// A number that the pipeline standardises, and its indicator.
    fn number(&mut self, name: &str, input: &Input) -> FirstColumn {
        self.push(if input.deviation > 0.0 { input.weight } else { 0.0 }, 0.0);
        self.push(input.missing_weight, input.missing_rate);
        self.intercept -= input.missing_weight * input.missing_rate;
        let logarithm = input.transform == Transform::Log1p;
        FirstColumn::Number { name: name.to_owned(), logarithm, mean: input.mean, deviation: input.deviation }
    }

    /// A 0 or 1 that the pipeline leaves as it is.
    fn category(&mut self, input: &Input) {
        let weight = if input.deviation > 0.0 { input.weight / input.deviation } else { 0.0 };
        self.push(weight, input.mean);
        self.intercept -= weight * input.mean;
    }

    fn push(&mut self, weight: f64, mean: f64) {
        self.each.push(weight);
        self.means.push(mean);
    }
}

fn model_of(document: Document) -> Result<Artifact, MlError> {
    let mut weights = Weights { intercept: document.intercept, ..Weights::default() };
    let mut inputs = document.inputs.iter();
    let mut columns = Vec::new();
    if document.columns.is_empty() {
        columns.extend(inputs.map(|input| weights.number(&input.name, input)));
    } else {
        let short = || MlError::Artifact("it has fewer inputs than its columns need".to_owned());
        for column in document.columns {
            match column.coding {
                Coding::Numeric => columns.push(weights.number(&column.name, inputs.next().ok_or_else(short)?)),
                Coding::OneHot { categories } => {
                    // One for each category, and one for all others.
                    for _ in 0..=categories.len() {
                        weights.category(inputs.next().ok_or_else(short)?);
                    }
                    columns.push(FirstColumn::Categories { name: column.name, categories });
                }
            }
        }
    }
    let pipeline = Pipeline::of_first_format(columns);
    let regression = LogisticRegression::of_parts(weights.each, weights.intercept, weights.means);
    let member = Member { pipeline: 0, weight: 1.0, fitted: Fitted::LogisticRegression(regression) };
    let model = Model::new(Task::Binary, vec![pipeline], vec![member], None)?;
    let card = Card {
        program: "Rapport, artifact format 1".to_owned(),
        algorithm: model.algorithm().to_owned(),
        target: document.target.unwrap_or_default(),
        inputs: model.inputs().into_iter().map(InputFact::from).collect(),
        fingerprint: model.fingerprint(),
        rows: document.rows,
        seed: document.seed,
        training_range: document.training_range,
        train_rows: document.metrics.get("train_rows").map_or(0, |rows| *rows as u64),
        test_rows: document.metrics.get("test_rows").map_or(0, |rows| *rows as u64),
        metrics: document.metrics,
        ..Card::default()
    };
    Ok(Artifact { card, model, references: crate::References::default(), report: None })
}
