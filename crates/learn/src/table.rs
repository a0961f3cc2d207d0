//! Models from a table in a file: cleaned, coded, split, evaluated; and applied to new rows.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
};

use rapport_ml::{
    Artifact, Evaluation, FitOptions, Matrix, Predictor, auc_interval, fit,
    table::{Cleaning, Coder, prepare, stratified_split},
};
use serde::Serialize;

use crate::LearnError;

/// How to learn from a table.
#[derive(Debug, Clone, PartialEq)]
pub struct TableOptions {
    /// The column to predict.
    pub target: String,
    /// Columns that are not known yet when a prediction is wanted: the model goes without them, and the report says what
    /// they would have seemed to bring.
    pub leaks: Vec<String>,
    /// The share of rows for the test.
    pub test_share: f64,
    /// Draws the split.
    pub seed: u64,
}

/// What a training on a table has to tell.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TableReport {
    /// What was done to the table.
    pub cleaning: Cleaning,
    /// Inputs after coding.
    pub inputs: usize,
    /// Figures on the test rows.
    pub metrics: BTreeMap<String, f64>,
    /// The area under the curve with the leaking columns, if some were named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auc_with_leaks: Option<f64>,
}

/// A model from a table.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainedTable {
    /// Fitted on all rows; its metrics are those of an equal fit on the training rows.
    pub artifact: Artifact,
    /// What there is to tell.
    pub report: TableReport,
}

/// Learns from CSV with a header.
pub fn train_table(reader: impl Read, options: &TableOptions) -> Result<TrainedTable, LearnError> {
    let (header, cells) = read(reader)?;
    for leak in &options.leaks {
        if !header.contains(leak) {
            return Err(LearnError::Mismatch(format!("there is no column \"{leak}\" to leave out")));
        }
    }
    let (kept_header, kept_cells) = without(&header, &cells, &options.leaks);
    let prepared = prepare(&kept_header, &kept_cells, &options.target)?;
    let names: Vec<&str> = prepared.names.iter().map(String::as_str).collect();
    let mut metrics = evaluate(&names, &prepared.rows, &prepared.labels, options)?;
    metrics.retain(|_, figure| figure.is_finite());
    let auc_with_leaks = if options.leaks.is_empty() {
        None
    } else {
        let all = prepare(&header, &cells, &options.target)?;
        let names: Vec<&str> = all.names.iter().map(String::as_str).collect();
        evaluate(&names, &all.rows, &all.labels, options)?.get("auc").copied()
    };
    let mut artifact = fit(&names, &prepared.rows, &prepared.labels, FitOptions::default())?;
    let inputs = names.len();
    artifact.metrics.clone_from(&metrics);
    artifact.seed = options.seed;
    artifact.target = Some(options.target.clone());
    artifact.columns = prepared.columns;
    let report = TableReport { cleaning: prepared.cleaning, inputs, metrics, auc_with_leaks };
    Ok(TrainedTable { artifact, report })
}

fn evaluate(
    names: &[&str],
    rows: &Matrix,
    labels: &[bool],
    options: &TableOptions,
) -> Result<BTreeMap<String, f64>, LearnError> {
    let (train, test) = stratified_split(labels, options.test_share, options.seed);
    let of = |places: &[usize]| places.iter().map(|place| labels[*place]).collect::<Vec<bool>>();
    let model = fit(names, &rows.select(&train), &of(&train), FitOptions::default())?;
    let predictor = Predictor::new(&model);
    let probabilities: Vec<f64> = test.iter().map(|row| predictor.predict(rows.row(*row))).collect();
    let labels = of(&test);
    let mut metrics = Evaluation::of(&probabilities, &labels).figures();
    let (low, high) = auc_interval(&probabilities, &labels);
    metrics.extend([("auc_low".to_owned(), low), ("auc_high".to_owned(), high)]);
    metrics.insert("train_rows".to_owned(), train.len() as f64);
    Ok(metrics)
}

type Cells = (Vec<String>, Vec<Vec<String>>);

fn read(reader: impl Read) -> Result<Cells, LearnError> {
    let mut csv = csv::Reader::from_reader(reader);
    let header = csv.headers()?.iter().map(|name| name.trim().to_owned()).collect();
    let row = |record: Result<csv::StringRecord, csv::Error>| -> Result<Vec<String>, LearnError> {
        Ok(record?.iter().map(str::to_owned).collect())
    };
    let cells = csv.records().map(row).collect::<Result<_, _>>()?;
    Ok((header, cells))
}

fn without(header: &[String], cells: &[Vec<String>], leaks: &[String]) -> Cells {
    let kept: Vec<usize> = (0..header.len()).filter(|place| !leaks.contains(&header[*place])).collect();
    let pick = |row: &[String]| kept.iter().map(|place| row[*place].clone()).collect::<Vec<_>>();
    (pick(header), cells.iter().map(|row| pick(row)).collect())
}

/// What was predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Predicted {
    /// Rows.
    pub rows: u64,
}

/// Adds a column `probability` to each row of a CSV with a header.
pub fn predict_table(artifact: &Artifact, reader: impl Read, writer: impl Write) -> Result<Predicted, LearnError> {
    if artifact.columns.is_empty() {
        let what = "this artifact was trained on customers' histories; it takes no table, `rapport serve` applies it";
        return Err(LearnError::Mismatch(what.to_owned()));
    }
    let mut csv = csv::Reader::from_reader(reader);
    let header: Vec<String> = csv.headers()?.iter().map(|name| name.trim().to_owned()).collect();
    let coder = Coder::new(&artifact.columns, &header)?;
    let predictor = Predictor::new(artifact);
    let mut out = csv::Writer::from_writer(writer);
    out.write_record(header.iter().map(String::as_str).chain(["probability"]))?;
    let mut rows = 0;
    for record in csv.records() {
        let cells: Vec<String> = record?.iter().map(str::to_owned).collect();
        let probability = format!("{:.6}", predictor.predict(&coder.code(&cells)));
        out.write_record(cells.iter().map(String::as_str).chain([&*probability]))?;
        rows += 1;
    }
    out.flush().map_err(csv::Error::from)?;
    Ok(Predicted { rows })
}
