//! `rapport replay`: plays a file of purchases, or synthetic shoppers, through a server's HTTP door, trains a model on the
//! way, and judges what the server pushed.
//!
//! It is a client like any other: it sends to `/v1/batch`, reads `/v1/stream` and calls the operator's API. It knows nothing
//! of the server's inside, so that its report is a witness from without. Without `--url` it starts a server of its own and
//! stops it at the end.
//!
//! Invariants:
//! - A customer's events are sent in their order, each until it is answered; a repetition has the same message id.
//! - A score is judged only by what happened after the event that it was pushed for.
//! - The exit status is 1 if the ledger does not balance or an applied event's effect did not come.

mod api;
mod client;
mod customers;
mod error;
mod judge;
mod lanes;
mod latency;
mod play;
mod progress;
mod report;
mod source;
mod stream;
mod target;
mod track;

use std::{io::Write as _, path::PathBuf, process::ExitCode};

use rapport_types::Timestamp;
use tokio::signal::unix::{SignalKind, signal};

pub(crate) use self::{
    customers::{Customer, customers},
    error::ReplayError,
};
use self::{
    play::{Plan, Player, Speed},
    progress::Progress,
    report::{Report, Traffic},
    source::{Retail, Source, Synthetic, SyntheticPlan},
    target::Target,
};

/// Threads of the player: one may read the file while the others send and listen.
const THREADS: usize = 3;
const SYNTHETIC_DAYS: u32 = 365;
/// How many synthetic shoppers there are unless it is said otherwise.
pub(crate) const SHOPPERS: u32 = 2_000;

/// What `rapport replay` can be told.
#[derive(Debug, clap::Args)]
pub(crate) struct ReplayArgs {
    /// An Online Retail file, .csv or .csv.gz.
    #[arg(value_name = "FILE", required_unless_present = "synthetic", conflicts_with = "synthetic")]
    file: Option<PathBuf>,
    /// Plays a year of synthetic shoppers instead of a file.
    #[arg(long)]
    synthetic: bool,
    /// How many times faster than it happened, or `max`.
    #[arg(long, value_name = "max|N", default_value = "max", value_parser = speed)]
    speed: Speed,
    /// The server to play to; without this, one is started and stopped at the end.
    #[arg(long, value_name = "URL", visible_alias = "server")]
    url: Option<String>,
    /// The data folder of the server, where its keys are; without --url, where the new server keeps its data.
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
    /// Trains on what was before this instant; without this, nine months after the first event.
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse)]
    train_until: Option<Timestamp>,
    /// Ends after so many events.
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// The seed of the synthetic shoppers.
    #[arg(long, value_name = "N", default_value_t = 1, requires = "synthetic")]
    seed: u64,
    /// How many synthetic shoppers.
    #[arg(long, value_name = "N", default_value_t = SHOPPERS, requires = "synthetic")]
    shoppers: u32,
}

fn speed(text: &str) -> Result<Speed, String> {
    if text == "max" {
        return Ok(Speed::Max);
    }
    let times = text.parse().ok().filter(|times: &f64| times.is_finite() && *times > 0.0);
    times.map(Speed::Times).ok_or_else(|| "it must be max or a number above 0".to_owned())
}

/// Plays, and prints the report.
pub(crate) fn run(args: ReplayArgs) -> Result<ExitCode, ReplayError> {
    let as_json = args.json;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build()?;
    let report = runtime.block_on(async {
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        tokio::select! {
            report = replay(args) => report,
            _ = interrupt.recv() => Err(ReplayError::Interrupted),
            _ = terminate.recv() => Err(ReplayError::Interrupted),
        }
    })?;
    let text = if as_json {
        format!("{}\n", serde_json::to_string_pretty(&report).expect("a report of numbers and texts has a JSON form"))
    } else {
        report.to_string()
    };
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        // A reader that went away is no error.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => return Err(error.into()),
        _ => {}
    }
    Ok(if report.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The traffic that was asked for. A file that cannot be read is told before a server is started.
fn open(args: &ReplayArgs) -> Result<Box<dyn Source>, ReplayError> {
    Ok(match &args.file {
        Some(path) => Box::new(Retail::open(path)?),
        None => {
            let plan = SyntheticPlan { seed: args.seed, shoppers: args.shoppers, days: SYNTHETIC_DAYS };
            Box::new(Synthetic::new(plan))
        }
    })
}

async fn replay(args: ReplayArgs) -> Result<Report, ReplayError> {
    let mut source = open(&args)?;
    let mut target = Target::find(args.url.as_deref(), args.data.as_deref()).await?;
    let progress = Progress::new(&source.title());
    let plan = Plan { speed: args.speed, train_until: args.train_until, limit: args.limit };
    let played = async {
        let mut player = Player::open(&target.endpoint, &target.keys, &progress).await?;
        player.play(&mut *source, &plan).await
    };
    let played = played.await;
    progress.finish();
    let played = played.map_err(|error| target.reason(error))?;
    let peak = target.peak_rss_mb();
    target.stop().await?;
    let (title, customers) = (source.title(), source.customers());
    let traffic = Traffic { title, synthetic: args.file.is_none(), customers };
    Ok(Report::new(traffic, args.speed, played, peak))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: ReplayArgs,
    }

    fn parse(line: &str) -> Result<ReplayArgs, String> {
        let words = std::iter::once("replay").chain(line.split_whitespace());
        Line::try_parse_from(words).map(|line| line.args).map_err(|error| error.to_string())
    }

    #[test]
    fn the_command_line_is_read_and_mistakes_are_told() {
        let args = parse("a.csv --speed 1000 --server http://127.0.0.1:1 --train-until 2011-09-01").unwrap();
        assert_eq!((args.speed, args.url.as_deref()), (Speed::Times(1_000.0), Some("http://127.0.0.1:1")));
        assert_eq!(args.train_until, Some(Timestamp(1_314_835_200_000)));
        assert_eq!(parse("--synthetic --seed 3").unwrap().seed, 3);
        for (line, part) in [
            ("", "<FILE>"),
            ("a.csv --synthetic", "cannot be used with"),
            ("a.csv --speed 0", "max or a number above 0"),
            ("a.csv --speed fast", "max or a number above 0"),
            ("a.csv --train-until soon", "soon"),
        ] {
            let error = parse(line).unwrap_err();
            assert!(error.contains(part), "{line}: {error}");
        }
    }

    #[test]
    fn nine_months_are_calendar_months() {
        let first = Timestamp::parse("2010-12-01T08:26:00Z").unwrap();
        assert_eq!(play::nine_months_after(first), Some(Timestamp::parse("2011-09-01T08:26:00Z").unwrap()));
        let first = Timestamp::parse("2024-05-31T00:00:00Z").unwrap();
        assert_eq!(play::nine_months_after(first), Some(Timestamp::parse("2025-02-28T00:00:00Z").unwrap()));
    }
}
