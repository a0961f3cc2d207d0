//! How well what a side makes of a table by its defaults, or by tuning for a time, tells rows that it did not see.
//!
//! Rapport is driven by its command line. Figures are computed here for all, from the probabilities that each wrote for the
//! rows of the test. A difference counts if its interval (95 %, paired bootstrap) leaves out 0.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use rapport_ml::{
    Context,
    metrics::{Answers, BootstrapOptions, Interval, Order, bootstrap_all, log_loss},
};
use serde_json::{Value, json};

use super::{
    peers::Peers,
    table::{Line, PeerFigure, Table},
    tables::{self, SplitTable, TARGET, TimeColumn},
};
use crate::{
    error::BenchError,
    report::{Better, say},
};

/// What is to be measured.
pub(crate) struct Plan<'a> {
    /// `rapport`.
    pub(crate) program: &'a Path,
    /// The peers.
    pub(crate) peers: &'a Peers,
    /// Where public tables are.
    pub(crate) data: &'a Path,
    /// For files.
    pub(crate) folder: &'a Path,
    /// Seconds of tuning; 0 for none.
    pub(crate) budget: u32,
    /// Beginnings of names; empty for all.
    pub(crate) only: &'a [String],
}

/// Probabilities for the rows of the test.
struct Told {
    who: String,
    seconds: f64,
    probabilities: Vec<f64>,
}

/// Adds two lines for each table, and two more for tuning.
pub(crate) fn measure(plan: &Plan<'_>, table: &mut Table) {
    let wanted = |name: &str| plan.only.is_empty() || plan.only.iter().any(|only| name.starts_with(only.as_str()));
    let mut lines = Vec::new();
    for name in tables::names().into_iter().filter(|name| wanted(name)) {
        let (budgets, folder) = ([None, Some(plan.budget)], plan.folder.join(name.replace(' ', "-")));
        let split = match tables::table(name, plan.data) {
            Ok(Some(split)) => split,
            Ok(None) => {
                table.skipped.push(format!("{name}: its file is not in {}", plan.data.display()));
                continue;
            }
            Err(error) => {
                table.failed.push(format!("{name}: {error}"));
                continue;
            }
        };
        for budget in budgets.into_iter().filter(|budget| *budget != Some(0)) {
            match one(plan, &split, &folder, budget) {
                Ok(of_table) => lines.extend(of_table),
                Err(error) => table.failed.push(format!("{name}: {error}")),
            }
        }
    }
    // All defaults, then all tuning; within them the order stays.
    lines.sort_by_key(|line| line.part);
    table.lines.append(&mut lines);
}

/// One table with defaults, or tuned for so many seconds.
fn one(plan: &Plan<'_>, split: &SplitTable, folder: &Path, budget: Option<u32>) -> Result<Vec<Line>, BenchError> {
    split.write(folder)?;
    let (part, script) = match budget {
        None => ("quality of defaults", "quality.py"),
        Some(_) => ("quality of tuning", "tuning.py"),
    };
    say(&format!("{part}: {}", split.name));
    let ours = rapport(plan.program, folder, split.time, budget)?;
    let time = split.time.map(|time| json!({"name": time.name, "days": time.days}));
    let job = json!({"set": split.name, "folder": folder, "budget": budget, "time": time});
    let peers = of_peers(plan, script, &json!([job]))?;
    compare(part, split, &ours, &peers)
}

/// What `rapport train` and `rapport predict` make of the files in a folder.
fn rapport(program: &Path, folder: &Path, time: Option<TimeColumn>, budget: Option<u32>) -> Result<Told, BenchError> {
    let (model, out) = (folder.join("model.json"), folder.join("answers.csv"));
    let mut train = Command::new(program);
    train.arg("train").arg("--table").arg(folder.join("train.csv")).args(["--target", TARGET, "--json"]);
    train.arg("--out").arg(&model);
    if let Some(time) = time {
        train.args(["--time", time.name, "--gap", &format!("{}d", time.days)]);
    }
    if let Some(budget) = budget {
        train.args(["--auto", "--budget", &format!("{budget}s")]);
    }
    let begun = Instant::now();
    succeed(train)?;
    let seconds = begun.elapsed().as_secs_f64();
    let mut predict = Command::new(program);
    predict.arg("predict").arg("--model").arg(&model).arg("--table").arg(folder.join("test.csv"));
    predict.arg("--out").arg(&out);
    succeed(predict)?;
    let mut csv = csv::Reader::from_path(&out)?;
    let place = csv.headers()?.iter().position(|name| name == "probability");
    let unreadable = || BenchError::Table(format!("{} has no probability for each row", out.display()));
    let place = place.ok_or_else(unreadable)?;
    let mut probabilities = Vec::new();
    for record in csv.records() {
        probabilities.push(record?[place].parse().map_err(|_| unreadable())?);
    }
    Ok(Told { who: "Rapport".to_owned(), seconds, probabilities })
}

fn succeed(mut command: Command) -> Result<(), BenchError> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let why = format!("{}\n{}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    Err(BenchError::Process { what: format!("{command:?}"), why })
}

fn of_peers(plan: &Plan<'_>, script: &str, jobs: &Value) -> Result<Vec<Told>, BenchError> {
    let told = |line: &Value| Told {
        who: line["peer"].as_str().unwrap_or_default().to_owned(),
        seconds: line["seconds"].as_f64().unwrap_or(f64::NAN),
        probabilities: line["probabilities"].as_array().map_or_else(Vec::new, |all| {
            all.iter().map(|probability| probability.as_f64().unwrap_or(f64::NAN)).collect()
        }),
    };
    Ok(plan.peers.run(script, jobs)?.iter().map(told).collect())
}

/// A line for the AUC and one for the log-loss.
fn compare(part: &'static str, table: &SplitTable, ours: &Told, peers: &[Told]) -> Result<Vec<Line>, BenchError> {
    let (answers, groups) = (table.test_answers(), table.test_groups());
    if let Some(odd) = peers.iter().chain([ours]).find(|told| told.probabilities.len() != answers.len()) {
        let (told, rows) = (odd.probabilities.len(), answers.len());
        return Err(BenchError::Table(format!("{} answered for {told} rows of {rows}", odd.who)));
    }
    let auc = |told: &Told| Order::new(&told.probabilities).sweep(&answers, None).auc();
    let loss = |told: &Told| log_loss(&Answers::new(&told.probabilities, &answers));
    let figures = |of: &dyn Fn(&Told) -> f64| -> Vec<PeerFigure> {
        peers.iter().map(|told| PeerFigure { peer: told.who.clone(), measured: of(told) }).collect()
    };
    let by_auc = Line::new(part, table.name, "AUC", Better::More, auc(ours), figures(&auc));
    let by_loss = Line::new(part, table.name, "log-loss", Better::Less, loss(ours), figures(&loss));
    let mut lines = Vec::new();
    for (line, which) in [(by_auc, 0), (by_loss, 1)] {
        let best = line.peers.first().and_then(|best| peers.iter().find(|told| told.who == best.peer));
        let best = best.ok_or_else(|| BenchError::Table("no peer answered".to_owned()))?;
        let difference = differences(ours, best, &answers, groups.as_deref())?[which];
        lines.push(judged(line, difference, table, ours, peers));
    }
    Ok(lines)
}

/// Rapport's AUC less the other's, and the same of the log-loss, with their intervals.
fn differences(
    ours: &Told,
    other: &Told,
    answers: &[f64],
    groups: Option<&[u32]>,
) -> Result<Vec<Interval>, BenchError> {
    let orders = [ours, other].map(|told| Order::new(&told.probabilities));
    let metrics = |weights: &[f64]| {
        let auc = |order: &Order| order.sweep(answers, Some(weights)).auc();
        let loss = |told: &Told| log_loss(&Answers::new(&told.probabilities, answers).weighted(weights));
        vec![auc(&orders[0]) - auc(&orders[1]), loss(ours) - loss(other)]
    };
    let (options, context) = (BootstrapOptions::default(), Context::serial());
    Ok(bootstrap_all(answers.len(), None, groups, &options, metrics, &context)?)
}

/// With whether it is worse than the best peer by more than the interval of the difference.
fn judged(line: Line, difference: Interval, table: &SplitTable, ours: &Told, peers: &[Told]) -> Line {
    let Interval { estimate, low, high } = difference;
    let no_worse = if line.better == Better::More { high >= 0.0 } else { low <= 0.0 };
    let best = line.peers.first().map_or(f64::NAN, |best| best.measured);
    let took = |told: &Told| format!("{} {:.1}", told.who, told.seconds);
    let took = peers.iter().chain([ours]).map(took).collect::<Vec<_>>().join(", ");
    let note = if line.unit == "AUC" { format!("; {}; seconds: {took}", table.note) } else { String::new() };
    let note = format!("difference to the best peer {estimate:+.4} ({low:+.4} to {high:+.4}){note}");
    let mut line = line.reach(best, "the best peer, less the interval").note(note);
    line.reached = Some(no_worse);
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use rapport_ml::{Random, split::Split};

    #[test]
    fn only_a_difference_beyond_its_interval_counts() {
        let random = &mut Random::new(1, 0);
        let answers: Vec<f64> = (0..600).map(|_| random.below(2) as f64).collect();
        let mut told = |who: &str, noise: f64| {
            let of = |answer: &f64| (answer + noise * (random.uniform() - 0.5)).clamp(0.0, 1.0) * 0.8 + 0.1;
            Told { who: who.to_owned(), seconds: 1.0, probabilities: answers.iter().map(of).collect() }
        };
        let (good, alike, bad) = (told("good", 2.5), told("alike", 2.5), told("bad", 6.0));
        let split = Split { train: Vec::new(), test: (0..600).collect() };
        let (header, rows, note) = (Vec::new(), Vec::new(), String::new());
        let table =
            SplitTable { name: "t", note, header, rows, answers: answers.clone(), split, groups: None, time: None };
        let reached = |ours: &Told, peer: Told| -> Vec<Option<bool>> {
            compare("p", &table, ours, &[peer]).unwrap().iter().map(|line| line.reached).collect()
        };
        assert_eq!(reached(&good, alike), [Some(true), Some(true)]);
        assert_eq!(reached(&bad, good), [Some(false), Some(false)]);
        let short = Told { who: "short".to_owned(), seconds: 1.0, probabilities: vec![0.5] };
        assert!(compare("p", &table, &bad, &[short]).is_err());
    }
}
