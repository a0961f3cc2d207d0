//! Learning measured beside scikit-learn, LightGBM, XGBoost and CatBoost, both sides in the same run on the same rows.
//!
//! Rows and tables are written into a folder that goes away afterwards; the peers are Python scripts (`bench/peers`) that read
//! them. Training and serving are measured on one thread on both sides.

mod clock;
mod models;
mod npy;
mod peers;
mod quality;
mod retail;
mod serving;
mod synthetic;
mod table;
mod tables;
mod training;

use std::{io::Write as _, path::PathBuf};

use clap::ValueEnum;

use self::{peers::Peers, table::Table};
use crate::error::BenchError;

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// CPU seconds of learning.
    Training,
    /// One row, and rows a second.
    Serving,
    /// How well defaults, and tuning for a time, tell what was not seen.
    Quality,
}

/// Learning beside its peers.
#[derive(Debug, clap::Args)]
pub(crate) struct MlArgs {
    /// What to measure; everything if left out.
    #[arg(value_name = "PART")]
    parts: Vec<Part>,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
    /// Fewer rows and shorter times.
    #[arg(long)]
    quick: bool,
    /// How long each side tunes on each table; 0 leaves tuning out.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    budget: u32,
    /// Only the tables whose names begin so; may be given several times.
    #[arg(long, value_name = "NAME")]
    table: Vec<String>,
    /// Of serving only the models whose names begin so, such as `neighbours`; may be given several times.
    #[arg(long, value_name = "NAME")]
    model: Vec<String>,
    /// The program to measure.
    #[arg(long, value_name = "FILE", default_value = "target/release/rapport")]
    bin: PathBuf,
    /// The Python that has the peers.
    #[arg(long, value_name = "FILE", default_value = "python3")]
    python: PathBuf,
    /// The peers' scripts.
    #[arg(long, value_name = "FOLDER", default_value = "bench/peers")]
    peers: PathBuf,
    /// The public tables.
    #[arg(long, value_name = "FOLDER", default_value = "../shared/data")]
    data: PathBuf,
}

/// Measures and prints; whether everything could be measured.
pub(crate) fn measure(args: &MlArgs) -> Result<bool, BenchError> {
    let folder = tempfile::Builder::new().prefix("bench-ml-").tempdir()?;
    let peers = Peers { python: args.python.clone(), scripts: args.peers.clone() };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut table = Table { quick: args.quick, cores, lines: Vec::new(), skipped: Vec::new(), failed: Vec::new() };
    let wanted = |part: Part| args.parts.is_empty() || args.parts.contains(&part);
    if wanted(Part::Training) || wanted(Part::Serving) {
        let sets = training::Sets::make(folder.path(), args.quick)?;
        if wanted(Part::Training) {
            training::measure(&sets, &peers, &mut table);
        }
        if wanted(Part::Serving) {
            serving::measure(&sets, &peers, &args.model, &mut table);
        }
    }
    if wanted(Part::Quality) {
        let plan = quality::Plan {
            program: &args.bin,
            peers: &peers,
            data: &args.data,
            folder: folder.path(),
            budget: args.budget,
            only: &args.table,
        };
        quality::measure(&plan, &mut table);
    }
    let text = if args.json { format!("{}\n", serde_json::to_string_pretty(&table)?) } else { table.to_string() };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(table.failed.is_empty())
}
