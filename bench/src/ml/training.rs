//! CPU seconds of learning on one thread, with the same settings and rows on both sides, and the AUC on rows not seen.

use std::path::{Path, PathBuf};

use rapport_ml::metrics::Order;
use serde_json::{Value, json};

use super::{
    clock::{cpu_seconds, median},
    models::Model,
    peers::{Peers, write_set},
    synthetic::{self, Set},
    table::{Line, PeerFigure, Table},
};
use crate::{
    error::BenchError,
    report::{Better, say},
};

/// A fit is repeated so often, as long as all took less than [`ENOUGH`] seconds.
const RUNS: usize = 5;
const ENOUGH: f64 = 10.0;

/// The made-up rows, here and in files for the peers.
pub(crate) struct Sets {
    /// 100,000 x 20 numbers.
    pub(crate) dense: Set,
    /// 40,000 x 60, mostly 0 and 1.
    one_hot: Set,
    folder: PathBuf,
    /// Whether there are fewer rows.
    pub(crate) quick: bool,
}

impl Sets {
    /// Makes them.
    pub(crate) fn make(folder: &Path, quick: bool) -> Result<Self, BenchError> {
        let of = |rows: usize| if quick { rows / 10 } else { rows };
        let dense = synthetic::dense(of(100_000), of(25_000))?;
        let one_hot = synthetic::one_hot(of(40_000), of(10_000))?;
        let sets = Self { dense, one_hot, folder: folder.to_owned(), quick };
        write_set(&sets.folder("dense"), &sets.dense)?;
        write_set(&sets.folder("one-hot"), &sets.one_hot)?;
        Ok(sets)
    }

    /// Where the peers find a set.
    pub(crate) fn folder(&self, set: &str) -> PathBuf {
        self.folder.join(set)
    }

    fn set(&self, set: &str) -> &Set {
        if set == "dense" { &self.dense } else { &self.one_hot }
    }
}

/// One comparison.
struct Job {
    what: &'static str,
    set: &'static str,
    model: Model,
    rows: usize,
    /// The share of whose seconds is to be reached.
    share: f64,
    of: &'static str,
}

const JOBS: [Job; 9] = [
    job("random forest of 100 trees, 100,000 x 20", "dense", Model::Forest, ALL, 0.1, SKLEARN),
    job("boosting 200 x depth 6, 100,000 x 20", "dense", Model::Boosting, ALL, 1.0, "LightGBM"),
    job("boosting 200 x depth 6, one-hot 40,000 x 60", "one-hot", Model::Boosting, ALL, 1.0, "LightGBM"),
    job("logistic regression, 100,000 x 20", "dense", Model::Logistic, ALL, 1.0, SKLEARN),
    job("logistic regression, one-hot 40,000 x 60", "one-hot", Model::Logistic, ALL, 1.0, SKLEARN),
    job("linear SVM, 100,000 x 20", "dense", Model::LinearSvm, ALL, 1.0, SKLEARN),
    job("linear SVM, one-hot 40,000 x 60", "one-hot", Model::LinearSvm, ALL, 1.0, SKLEARN),
    job("decision tree of depth 8, 100,000 x 20", "dense", Model::Tree, ALL, 1.0, SKLEARN),
    job("RBF SVM, 5,000 x 20", "dense", Model::KernelSvm, 5_000, 1.0, SKLEARN),
];
const SKLEARN: &str = "scikit-learn";
const ALL: usize = usize::MAX;
/// How far the AUC may be below that of the peer whose seconds are to be reached.
const SAME_AUC: f64 = 0.002;

const fn job(what: &'static str, set: &'static str, model: Model, rows: usize, share: f64, of: &'static str) -> Job {
    Job { what, set, model, rows, share, of }
}

/// Adds a line for each comparison.
pub(crate) fn measure(sets: &Sets, peers: &Peers, table: &mut Table) {
    for job in &JOBS {
        say(&format!("training: {}", job.what));
        match compare(job, sets, peers) {
            Ok(line) => table.lines.push(line),
            Err(error) => table.failed.push(format!("{}: {error}", job.what)),
        }
    }
}

fn compare(job: &Job, sets: &Sets, peers: &Peers) -> Result<Line, BenchError> {
    let set = sets.set(job.set);
    let rows = job.rows.min(set.train.1.len());
    let asked = json!([{
        "id": 0, "folder": sets.folder(job.set), "model": job.model.name(), "rows": rows, "runs": RUNS, "enough": ENOUGH,
    }]);
    let told = peers.run("training.py", &asked)?;
    let (mut seconds, mut auc) = (Vec::new(), 0.0);
    while seconds.is_empty() || (seconds.len() < RUNS && seconds.iter().sum::<f64>() < ENOUGH) {
        let begun = cpu_seconds();
        let fitted = job.model.fit(set, rows)?;
        seconds.push(cpu_seconds() - begun);
        if seconds.len() == 1 {
            let mut answers = vec![0.0; set.test.1.len()];
            fitted.served()?.predict_rows(&set.test.0, &mut answers);
            auc = Order::new(&answers).sweep(&set.test.1, None).auc();
        }
    }
    Ok(line(job, median(&seconds), auc, &told))
}

fn line(job: &Job, seconds: f64, auc: f64, told: &[Value]) -> Line {
    let name = |line: &Value| line["peer"].as_str().unwrap_or_default().to_owned();
    let figure = |line: &Value| {
        let all = line["seconds"].as_array().map(Vec::as_slice).unwrap_or_default();
        median(&all.iter().filter_map(Value::as_f64).collect::<Vec<_>>())
    };
    let peers = told.iter().map(|line| PeerFigure { peer: name(line), measured: figure(line) }).collect();
    let aucs = told.iter().map(|line| format!("{} {:.4}", name(line), line["auc"].as_f64().unwrap_or(f64::NAN)));
    let note = format!("AUC: Rapport {auc:.4}; {}", aucs.collect::<Vec<_>>().join("; "));
    // Of scikit-learn's solvers the fastest counts, whichever is its default.
    let of: Vec<&Value> = told.iter().filter(|line| name(line).starts_with(job.of)).collect();
    let target = of.iter().map(|line| figure(line)).fold(f64::INFINITY, f64::min) * job.share;
    let is = if job.share < 1.0 { format!("a tenth of {}", job.of) } else { job.of.to_owned() };
    let mut line = Line::new("training", job.what, "CPU s", Better::Less, seconds, peers).reach(target, &is).note(note);
    if of.iter().any(|peer| auc < peer["auc"].as_f64().unwrap_or(f64::NAN) - SAME_AUC) {
        line.reached = Some(false);
        line.note.push_str(": Rapport's AUC is lower by more than 0.002");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fast_and_wrong_does_not_count() {
        let told = [
            json!({"peer": "LightGBM", "seconds": [2.0, 3.0, 2.5], "auc": 0.95}),
            json!({"peer": "XGBoost", "seconds": [2.0], "auc": 0.99}),
        ];
        let reached = |seconds, auc| line(&JOBS[1], seconds, auc, &told).reached;
        assert_eq!(reached(2.4, 0.9481), Some(true));
        assert_eq!(reached(2.6, 0.9481), Some(false));
        assert_eq!(reached(2.4, 0.9479), Some(false));
    }
}
