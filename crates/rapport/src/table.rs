//! `rapport train` and `rapport predict`: models on tables in files.

use std::{
    fmt::Write as _,
    fs::File,
    io::{BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use rapport_learn::{TableOptions, predict_table, train_table};
use rapport_ml::Artifact;

use crate::cli::{Failure, print};

/// Trains a model on a table.
#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    /// The table: CSV with a header, also gzipped.
    #[arg(long, value_name = "FILE")]
    table: PathBuf,
    /// The column to predict; it must have two values.
    #[arg(long, value_name = "COLUMN")]
    target: String,
    /// Columns that are not known yet when a prediction is wanted; the model goes without them.
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    leaks: Vec<String>,
    /// The share of rows that the model is tested on.
    #[arg(long, default_value_t = 0.25, value_parser = share)]
    test_share: f64,
    /// Draws the rows for the test.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where the artifact is written.
    #[arg(long, value_name = "FILE", default_value = "model.json")]
    out: PathBuf,
    /// Prints the report as JSON.
    #[arg(long)]
    json: bool,
}

/// Applies an artifact to a table.
#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    /// The artifact that `rapport train` wrote.
    #[arg(long, value_name = "FILE", default_value = "model.json")]
    model: PathBuf,
    /// The rows: CSV with a header, also gzipped; other columns than the model's are kept as they are.
    #[arg(long, value_name = "FILE")]
    table: PathBuf,
    /// Where the rows with their probability are written; standard output if left out.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "must be a number".to_owned())?;
    if (0.05..=0.5).contains(&share) { Ok(share) } else { Err("must be from 0.05 to 0.5".to_owned()) }
}

/// Opens a file; gzip is told by its first bytes, whatever its name.
pub(crate) fn open(path: &Path) -> Result<Box<dyn Read + Send>, Failure> {
    let wrong = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut file = BufReader::new(File::open(path).map_err(wrong)?);
    let begin = std::io::BufRead::fill_buf(&mut file).map_err(wrong)?;
    let zipped = begin.starts_with(&[0x1f, 0x8b]);
    Ok(if zipped { Box::new(flate2::read::MultiGzDecoder::new(file)) } else { Box::new(file) })
}

pub(crate) fn train(args: &TrainArgs) -> Result<(), Failure> {
    let options = TableOptions {
        target: args.target.clone(),
        leaks: args.leaks.clone(),
        test_share: args.test_share,
        seed: args.seed,
    };
    let trained = train_table(open(&args.table)?, &options)?;
    std::fs::write(&args.out, trained.artifact.to_json()).map_err(|e| format!("{}: {e}", args.out.display()))?;
    if args.json {
        return print(&serde_json::to_string_pretty(&trained.report)?);
    }
    let report = &trained.report;
    let figure = |name: &str| report.metrics.get(name).copied().unwrap_or(f64::NAN);
    let mut text = String::new();
    let cleaning = &report.cleaning;
    writeln!(
        text,
        "rows        {} ({} repeated, {} without target)",
        cleaning.rows, cleaning.repeated_rows, cleaning.without_target
    )?;
    for (column, cells) in &cleaning.missing {
        writeln!(text, "missing     {column}: {cells} cells")?;
    }
    for (column, reason) in &cleaning.left_out {
        writeln!(text, "left out    {column}: {reason}")?;
    }
    writeln!(text, "inputs      {}", report.inputs)?;
    writeln!(text, "tested on   {} rows, base rate {:.4}", figure("test_rows"), figure("base_rate"))?;
    writeln!(text, "AUC         {:.4} (95 %: {:.4} to {:.4})", figure("auc"), figure("auc_low"), figure("auc_high"))?;
    if let Some(with_leaks) = report.auc_with_leaks {
        writeln!(text, "            {with_leaks:.4} with {}, which are not known in time", args.leaks.join(", "))?;
    }
    writeln!(text, "log-loss    {:.4} (base rate alone: {:.4})", figure("log_loss"), figure("base_log_loss"))?;
    writeln!(text, "calibration {:.4} expected error, Brier {:.4}", figure("ece"), figure("brier"))?;
    writeln!(text, "artifact    {}", args.out.display())?;
    print(&text)
}

pub(crate) fn predict(args: &PredictArgs) -> Result<(), Failure> {
    let bytes = std::fs::read(&args.model).map_err(|error| format!("{}: {error}", args.model.display()))?;
    let artifact = Artifact::from_json(&bytes)?;
    let rows = open(&args.table)?;
    match &args.out {
        None => predict_table(&artifact, rows, std::io::stdout().lock())?,
        Some(path) => {
            let mut out = BufWriter::new(File::create(path).map_err(|error| format!("{}: {error}", path.display()))?);
            let predicted = predict_table(&artifact, rows, &mut out)?;
            out.flush()?;
            predicted
        }
    };
    Ok(())
}
