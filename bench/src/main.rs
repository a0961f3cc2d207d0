//! Measures Rapport in one run beside the limits of the machine: the disk's sync, a bare server that parses the same
//! bodies, a raw append. It drives the real program over HTTP; it is no test, and nothing fails by being slow. `ml` measures
//! learning beside its peers instead, `records` lists and changes beside the same in plain SQL.
//!
//! Client and server share the machine, so the client is kept cheap: bodies are built before, answers are hardly looked at.

mod bare;
mod bodies;
mod definitions;
mod error;
mod limits;
mod load;
mod ml;
mod process;
mod records;
mod report;
mod rows;
mod stream;
mod wire;

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::{Parser, Subcommand};

use crate::{
    error::BenchError,
    limits::at,
    load::{Load, Until},
    process::Bare,
    report::{Machine, Report, Row, say},
    rows::Bench,
};

/// What the program has, since parts of it are measured inside this one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// All measurements, in the order of the table.
const NAMES: [&str; 10] =
    ["batches", "singles", "path", "latency", "latency-sent", "decide", "rebuild", "idle", "profile", "start"];

#[derive(Debug, Parser)]
#[command(name = "rapport-bench", about = "Measures Rapport beside the limits of the machine.")]
#[command(args_conflicts_with_subcommands = true)]
struct Args {
    #[command(subcommand)]
    instead: Option<Instead>,
    /// The program to measure.
    #[arg(long, value_name = "FILE", default_value = "target/release/rapport")]
    bin: PathBuf,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
    /// Measures this only; may be given several times.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Shorter times and smaller loads.
    #[arg(long)]
    quick: bool,
    /// Where the data is kept meanwhile; it must be on the disk that is to be measured.
    #[arg(long, value_name = "FOLDER", default_value = "target")]
    folder: PathBuf,
    /// The real traffic, for the memory of its profiles.
    #[arg(long, value_name = "FILE", default_value = "../shared/data/online_retail/online_retail.csv.gz")]
    retail: PathBuf,
    /// The algorithm of the model on the whole path. It is said, so that runs can be compared whatever the history of the load
    /// makes the best.
    #[arg(long, value_name = "NAME", default_value = "logistic_regression")]
    algorithm: String,
    /// Is the bare server.
    #[arg(long, hide = true)]
    bare: bool,
}

#[derive(Debug, Subcommand)]
enum Instead {
    /// Measures learning beside scikit-learn, LightGBM, XGBoost and CatBoost.
    Ml(ml::MlArgs),
    /// Measures records: lists, boards, searches and changes beside the same in plain SQL.
    Records(records::RecordsArgs),
}

fn main() -> ExitCode {
    let args = Args::parse();
    let done = match &args.instead {
        Some(Instead::Ml(args)) => ml::measure(args),
        Some(Instead::Records(args)) => records::measure(args),
        None if args.bare => bare::serve().map(|()| true),
        None => measure(&args),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Where standard error is closed there is nobody to tell.
            let _told = writeln!(std::io::stderr(), "error: {error}").is_ok();
            ExitCode::FAILURE
        }
    }
}

/// Measures and prints; whether everything could be measured.
fn measure(args: &Args) -> Result<bool, BenchError> {
    if let Some(name) = args.only.iter().find(|name| !NAMES.contains(&name.as_str())) {
        return Err(BenchError::Unknown { name: name.clone(), known: NAMES.join(", ") });
    }
    if !args.bin.is_file() {
        return Err(BenchError::NoProgram(args.bin.clone()));
    }
    // The build may be elsewhere, and then the folder is not there yet.
    std::fs::create_dir_all(&args.folder)?;
    let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(&args.folder)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(all(args, folder.path()))?;
    let text = if args.json { format!("{}\n", serde_json::to_string_pretty(&report)?) } else { report.to_string() };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(report.failed.is_empty())
}

async fn all(args: &Args, folder: &Path) -> Result<Report, BenchError> {
    let wanted = |name: &str| args.only.is_empty() || args.only.iter().any(|only| only == name);
    let any = |names: &[&str]| names.iter().any(|name| wanted(name));
    say("the machine's limits");
    let machine = machine(folder, args.quick).await?;
    let retail = args.retail.is_file().then(|| args.retail.clone());
    let bench = Bench {
        program: args.bin.clone(),
        folder: folder.to_owned(),
        quick: args.quick,
        algorithm: args.algorithm.clone(),
        retail,
        machine,
    };
    let (mut rows, mut failed) = (Vec::new(), Vec::new());
    let mut take = |what: &str, measured: Result<Vec<Row>, BenchError>| match measured {
        Ok(measured) => rows.extend(measured),
        Err(error) => failed.push(format!("{what}: {error}")),
    };
    if any(&["batches", "singles", "rebuild"]) {
        take("accepting durably", bench.durable(&wanted).await);
    }
    if any(&["path", "latency", "latency-sent", "decide"]) {
        take("the whole path", bench.whole(&wanted).await);
    }
    if any(&["idle", "profile"]) {
        take("memory", bench.memory(&wanted).await);
    }
    if wanted("start") {
        take("starting", bench.start().await);
    }
    rows.sort_by_key(|row| NAMES.iter().position(|name| *name == row.name));
    Ok(Report { quick: args.quick, machine: bench.machine, rows, failed })
}

async fn machine(folder: &Path, quick: bool) -> Result<Machine, BenchError> {
    let (rounds, time) = if quick { (200, Duration::from_secs(1)) } else { (1_000, Duration::from_secs(3)) };
    let sync = limits::sync(folder, rounds)?;
    let append_per_second = limits::append(folder, 1_000, 400, time)?;
    let bare = Bare::start()?;
    let load = Load { peer: bare.peer.clone(), connections: 64, batch: 0, customers: 1_000 };
    let flood = load::flood(&load, 0, Until::Time(time), None).await?;
    let event = bodies::Body::single(0).bytes;
    let request = bare.peer.request("POST", "/v1/track", &event);
    let one = load::one_by_one(&bare.peer, &request, rounds * 10).await?;
    let ms = |quantile: f64| one.value_at_quantile(quantile) as f64 / 1e6;
    Ok(Machine {
        cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        sync_p50_ms: at(&sync, 0.5),
        sync_p99_ms: at(&sync, 0.99),
        append_per_second,
        bare_64_per_second: flood.rate(),
        bare_p50_ms: ms(0.5),
        bare_p99_ms: ms(0.99),
    })
}
