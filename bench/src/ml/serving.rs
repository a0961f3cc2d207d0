//! One row in this process, from numbers and from raw values, and rows a second in a batch. One thread on both sides.

use std::collections::BTreeMap;

use rapport_ml::{
    Matrix, MlError, Predict, Task,
    frame::{Cell, InferOptions, Texts, infer},
    pipeline::{Coding, Pipeline, PipelineOptions, Scratch},
};
use serde_json::{Value, json};

use super::{
    clock::{ROUND, cpu_seconds, median, round},
    models::Model,
    peers::Peers,
    synthetic::{self, CATEGORIES, NUMBERS},
    table::{Line, PeerFigure, Table},
    training::Sets,
};
use crate::{
    error::BenchError,
    report::{Better, say},
};

/// Rows that a peer answers one by one.
const SINGLE: usize = 2_000;
/// So many rounds of a thousand rows, of which the median counts.
const ROUNDS: usize = 101;
/// Seconds for a batch.
const ENOUGH: f64 = 1.0;
const PART: &str = "serving";

/// A model, the rows that it learns from, the rows of a batch, and the microseconds for one row that are to be reached.
const JOBS: [(Model, &str, usize, usize, Option<f64>); 10] = [
    (Model::Logistic, "logistic regression", ALL, ALL, Some(0.05)),
    (Model::Boosting, "boosting 200 x depth 6", ALL, ALL, Some(2.0)),
    (Model::Forest, "random forest of 100 trees", ALL, ALL, Some(10.0)),
    (Model::Tree, "decision tree of depth 8", ALL, ALL, None),
    (Model::LinearSvm, "linear SVM; probabilities, the peer margins", ALL, ALL, None),
    (Model::KernelSvm, "RBF SVM learnt from 5,000 rows; probabilities, the peer margins", 5_000, 2_000, None),
    (Model::LeastSquares, "linear regression", ALL, ALL, None),
    (Model::Bayes, "naive Bayes", ALL, ALL, None),
    (Model::Neighbours, "25 nearest neighbours of 5,000 rows", 5_000, 2_000, None),
    (Model::KMeans, "k-means, 8 clusters", ALL, ALL, None),
];
const ALL: usize = usize::MAX;

/// Adds the lines; of all models, or only of those whose names begin as one of `only`.
pub(crate) fn measure(sets: &Sets, peers: &Peers, only: &[String], table: &mut Table) {
    let (mut single, mut batch) = (Vec::new(), Vec::new());
    let wanted = |model: Model| only.is_empty() || only.iter().any(|name| model.name().starts_with(&**name));
    for (model, what, rows, rows_of_batch, one) in JOBS.into_iter().filter(|job| wanted(job.0)) {
        say(&format!("serving: {what}"));
        let job = Job { sets, peers, model, what, rows, rows_of_batch };
        match job.compare(one) {
            Ok((one_line, batch_line)) => {
                single.extend(one_line);
                batch.push(batch_line);
            }
            Err(error) => table.failed.push(format!("{what}: {error}")),
        }
    }
    if only.is_empty() {
        say("serving: from raw values");
        match raw(sets.quick) {
            Ok(lines) => single.extend(lines),
            Err(error) => table.failed.push(format!("from raw values: {error}")),
        }
    }
    table.lines.append(&mut single);
    table.lines.append(&mut batch);
}

struct Job<'a> {
    sets: &'a Sets,
    peers: &'a Peers,
    model: Model,
    what: &'a str,
    rows: usize,
    rows_of_batch: usize,
}

impl Job<'_> {
    fn compare(&self, one: Option<f64>) -> Result<(Option<Line>, Line), BenchError> {
        let set = &self.sets.dense;
        let (rows, batch) = (self.rows.min(set.train.1.len()), self.rows_of_batch.min(set.test.1.len()));
        let asked = json!([{
            "id": 0, "folder": self.sets.folder("dense"), "model": self.model.name(), "rows": rows, "batch": batch,
            "single": if one.is_some() { SINGLE } else { 0 }, "enough": ENOUGH,
        }]);
        let told = self.peers.run("serving.py", &asked)?;
        let model = self.model.fit(set, rows)?.served()?;
        let tests = set.test.0.select(&(0..batch).collect::<Vec<_>>());
        let single = one.map(|target| {
            let peers = figures(&told, "one_us");
            let measured = one_row(&*model, &tests) / 1e3;
            let what = format!("one row, from numbers: {}", self.what);
            Line::new(PART, what, "us", Better::Less, measured, peers).reach(target, "the issue")
        });
        let peers = figures(&told, "rows_per_second");
        let what = format!("batch: {}", self.what);
        let line = Line::new(PART, what, "rows/s", Better::More, rows_per_second(&*model, &tests), peers);
        let best = line.peers.first().map_or(f64::NAN, |best| best.measured);
        Ok((single, line.reach(best, "the fastest peer")))
    }
}

fn figures(told: &[Value], name: &str) -> Vec<PeerFigure> {
    let of =
        |line: &Value| Some(PeerFigure { peer: line["peer"].as_str()?.to_owned(), measured: line[name].as_f64()? });
    told.iter().filter_map(of).collect()
}

/// Nanoseconds for one row of many different ones: the median of rounds.
fn one_row(model: &dyn Predict, rows: &Matrix) -> f64 {
    let (mut out, mut first) = (vec![0.0; model.outputs()], 0);
    let rounds = (0..ROUNDS).map(|_| {
        first += ROUND;
        round(|number| {
            model.predict(rows.row((first + number) % rows.rows()), &mut out);
            out[0]
        })
    });
    median(&rounds.collect::<Vec<_>>())
}

/// Rows a CPU second, the best of the passes that fit into the time, as for the peers.
fn rows_per_second(model: &dyn Predict, rows: &Matrix) -> f64 {
    let mut out = vec![0.0; rows.rows() * model.outputs()];
    let (begun, mut best) = (cpu_seconds(), 0.0_f64);
    while best == 0.0 || cpu_seconds() - begun < ENOUGH {
        let pass = cpu_seconds();
        model.predict_rows(rows, &mut out);
        std::hint::black_box(&out);
        best = best.max(rows.rows() as f64 / (cpu_seconds() - pass));
    }
    best
}

/// What preprocessing adds to one row of 6 numbers and 8 categories, beside what the peers' row would still lack.
fn raw(quick: bool) -> Result<Vec<Line>, MlError> {
    let mixed = synthetic::mixed(if quick { 4_000 } else { 40_000 });
    let mut columns: BTreeMap<String, Texts> = BTreeMap::new();
    for (numbers, categories) in mixed.numbers.iter().zip(&mixed.categories) {
        for (name, number) in NUMBERS.iter().zip(numbers) {
            columns.entry((*name).to_owned()).or_default().push(&number.to_string())?;
        }
        for (which, category) in categories.iter().enumerate().take(CATEGORIES.len()) {
            columns.entry(format!("choice {which}")).or_default().push(&format!("value {category}"))?;
        }
    }
    let (frame, _) = infer(columns.into_iter().collect(), &InferOptions::default())?;
    let rows: Vec<usize> = (0..frame.rows()).collect();
    let mut lines = Vec::new();
    let models = [
        (Model::Logistic, "logistic regression", Coding::Linear),
        (Model::Boosting, "boosting 200 x depth 6", Coding::Tree),
        (Model::Forest, "random forest of 100 trees", Coding::Tree),
    ];
    for (model, what, coding) in models {
        let given = Some((&*mixed.target, Task::Binary));
        let pipeline = Pipeline::fit(&frame, &rows, given, &PipelineOptions::new(coding))?;
        let coded = pipeline.apply_training(&frame, &rows, &mixed.target)?;
        let served = model.fit_to(&coded, pipeline.kinds(), &mixed.target)?.served()?;
        let column = |name: &str| frame.columns().iter().find(|column| column.name == name);
        let sources: Vec<_> = pipeline.sources().iter().filter_map(|source| column(&source.name)).collect();
        let of = |row: usize| -> Vec<Cell<'_>> { sources.iter().map(|column| column.cells.get(row)).collect() };
        let raw_rows: Vec<_> = (0..ROUND).map(of).collect();
        let (mut scratch, mut numbers, mut out) = (Scratch::default(), vec![0.0; pipeline.width()], [0.0]);
        let coded = coded.select(&(0..raw_rows.len()).collect::<Vec<_>>());
        let (mut wholes, mut alones) = (Vec::new(), Vec::new());
        // By turns, so that both sides see the same machine.
        for _ in 0..ROUNDS {
            wholes.push(round(|number| {
                pipeline.row(&raw_rows[number], &mut scratch, &mut numbers);
                served.predict(&numbers, &mut out);
                out[0]
            }));
            alones.push(round(|number| {
                served.predict(coded.row(number), &mut out);
                out[0]
            }));
        }
        let (whole, alone) = (median(&wholes), median(&alones));
        let (what, width) = (format!("one row, what raw values add: {what}"), pipeline.width());
        let note =
            format!("6 numbers and 8 categories become {width} inputs; {whole:.0} ns in all, {alone:.0} ns without");
        let added = (whole - alone) / 1e3;
        lines.push(Line::new(PART, what, "us", Better::Less, added, Vec::new()).reach(1.0, "the issue").note(note));
    }
    Ok(lines)
}
