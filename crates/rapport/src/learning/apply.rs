//! `rapport predict`, `explain` and `evaluate`.

use std::{
    fmt::Write as _,
    fs::File,
    io::{BufWriter, Write as _},
    path::PathBuf,
};

use clap::Args;
use rapport_learn::table::{Applied, Explanation};
use rapport_ml::{Task, metrics::Costs};

use super::{can_be_written, facts, model, table, train::costs};
use crate::cli::{Failure, print};

/// So many reasons are told of a row.
const REASONS: usize = 8;

/// Applies a model to a table.
#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    /// The model that `rapport train` wrote.
    #[arg(long, value_name = "FILE", default_value = super::MODEL)]
    model: PathBuf,
    /// The rows: CSV and its relatives, JSON or JSON lines, also packed, or Parquet; other columns than the model's are kept
    /// as they are.
    #[arg(long, value_name = "FILE")]
    table: PathBuf,
    /// Where the rows with their answers are written, as CSV; standard output if left out.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Says why rows have their answers.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The model that `rapport train` wrote.
    #[arg(long, value_name = "FILE", default_value = super::MODEL)]
    model: PathBuf,
    /// The rows.
    #[arg(long, value_name = "FILE")]
    table: PathBuf,
    /// Which row, from 1.
    #[arg(long, value_name = "N", default_value_t = 1)]
    row: usize,
    /// Prints all rows, each as a line of JSON.
    #[arg(long, conflicts_with = "row")]
    json: bool,
}

/// Judges a model by rows whose answers are known.
#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    /// The model that `rapport train` wrote.
    #[arg(long, value_name = "FILE", default_value = super::MODEL)]
    model: PathBuf,
    /// The rows, with the column that the model predicts.
    #[arg(long, value_name = "FILE")]
    table: PathBuf,
    /// What acting in vain costs, and what missing costs.
    #[arg(long, value_name = "VAIN:MISSED", default_value = "1:1", value_parser = costs)]
    costs: Costs,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn predict(args: &PredictArgs) -> Result<(), Failure> {
    if let Some(path) = &args.out {
        can_be_written(path)?;
    }
    let artifact = model(&args.model)?;
    let rows = table(&args.table)?;
    let applied = Applied::new(&artifact, &rows)?;
    match &args.out {
        None => match applied.write(&rows, std::io::stdout().lock()) {
            // A reader that went away has seen enough.
            Err(rapport_learn::LearnError::Csv(error)) if is_broken_pipe(&error) => {}
            other => {
                other?;
            }
        },
        Some(path) => {
            let mut out = BufWriter::new(File::create(path).map_err(|error| format!("{}: {error}", path.display()))?);
            applied.write(&rows, &mut out)?;
            out.flush()?;
        }
    }
    Ok(())
}

fn is_broken_pipe(error: &csv::Error) -> bool {
    matches!(error.kind(), csv::ErrorKind::Io(error) if error.kind() == std::io::ErrorKind::BrokenPipe)
}

pub(crate) fn explain(args: &ExplainArgs) -> Result<(), Failure> {
    let artifact = model(&args.model)?;
    let rows = table(&args.table)?;
    let applied = Applied::new(&artifact, &rows)?;
    if args.json {
        let mut lines = String::new();
        for row in 0..applied.rows() {
            writeln!(lines, "{}", serde_json::to_string(&applied.explain(row))?)?;
        }
        return print(&lines);
    }
    let Some(row) = args.row.checked_sub(1).filter(|row| *row < applied.rows()) else {
        return Err(format!("there is no row {}; the table has {} rows", args.row, applied.rows()).into());
    };
    let how = if artifact.model.is_explained_exactly() {
        "parts add up exactly"
    } else {
        "parts add up; each is an estimate, because the model is no sum"
    };
    let scale = match artifact.card.task {
        Task::Binary => "log-odds",
        Task::Multiclass { .. } => "log-probability (but for a number that all classes share)",
        Task::Regression | Task::Ranking => "units of the answer",
    };
    print(&in_words(&applied.explain(row), scale, how)?)
}

fn in_words(explanation: &Explanation, scale: &str, how: &str) -> Result<String, Failure> {
    let mut text = String::new();
    match &explanation.class {
        Some(class) => {
            writeln!(text, "row {}: {class} with probability {:.4}", explanation.row + 1, explanation.answer)?;
        }
        None => writeln!(text, "row {}: {}", explanation.row + 1, explanation.answer)?,
    }
    writeln!(text, "{:>10}  of a row of which nothing is known", format!("{:+.4}", explanation.base))?;
    for part in explanation.parts.iter().take(REASONS) {
        let value = if part.value.is_empty() { "(missing)" } else { &part.value };
        writeln!(text, "{:>10}  {} = {value}", format!("{:+.4}", part.contribution), part.input)?;
    }
    let rest: f64 = explanation.parts.iter().skip(REASONS).map(|part| part.contribution).sum();
    if explanation.parts.len() > REASONS {
        let others = explanation.parts.len() - REASONS;
        writeln!(text, "{:>10}  {others} others together", format!("{rest:+.4}"))?;
    }
    writeln!(text, "in {scale}; {how}")?;
    Ok(text)
}

pub(crate) fn evaluate(args: &EvaluateArgs) -> Result<(), Failure> {
    let artifact = model(&args.model)?;
    let rows = table(&args.table)?;
    let figures = Applied::new(&artifact, &rows)?.evaluate(&rows, &artifact, args.costs)?;
    if args.json {
        return print(&serde_json::to_string_pretty(&figures)?);
    }
    print(&facts::figures(&figures)?)
}
