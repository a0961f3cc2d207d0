//! `rapport train`.

use std::{
    fmt::Write as _,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
    time::Instant,
};

use clap::{Args, ValueEnum};
use rapport_learn::{
    Data, Effort, Progress, Step, Threads, TrainOptions, Trained, Watch,
    report::{self, ReportData},
    table::{TableOptions, TableReport, TaskChoice, data_of},
};
use rapport_ml::{Algorithm, Task, frame::Meaning, metrics::Costs};
use serde::Serialize;

use super::{bar, can_be_written, facts, table, write};
use crate::cli::{Failure, print};

/// Where the search for settings ends if nothing is said.
const BUDGET_SECONDS: f64 = 60.0;

/// Trains a model on a table.
#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    /// The table: CSV and its relatives, JSON or JSON lines, also packed, or Parquet; told by its content.
    #[arg(long, value_name = "FILE")]
    table: PathBuf,
    /// The column to predict.
    #[arg(long, value_name = "COLUMN")]
    target: String,
    /// The algorithm; without it the best of a weighted sum and boosted trees of two kinds, or these together.
    #[arg(long, value_name = "NAME", value_parser = algorithm)]
    algorithm: Option<Algorithm>,
    /// Looks for the best settings, of all algorithms unless one is named, and asks the best together.
    #[arg(long)]
    auto: bool,
    /// For how long to look, such as 5m; a minute if nothing is said.
    #[arg(long, value_name = "TIME", value_parser = seconds, requires = "auto", conflicts_with = "trials")]
    budget: Option<f64>,
    /// How many settings to try, instead of a time: the same result on every machine.
    #[arg(long, value_name = "N", requires = "auto")]
    trials: Option<u64>,
    /// Columns that are not known yet when a prediction is wanted; the model goes without them.
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    leaks: Vec<String>,
    /// The column that tells whose row it is: one customer's rows are never on both sides of a split.
    #[arg(long, value_name = "COLUMN")]
    group: Option<String>,
    /// The column that tells when it was, as dates, or as seconds or milliseconds since 1970: the test is then what came last.
    /// With its type stated as number it only puts the rows into an order.
    #[arg(long, value_name = "COLUMN")]
    time: Option<String>,
    /// How long after its time the answer of a row is known, such as 30d: nothing learns from answers that came later than what
    /// it is tested on.
    #[arg(long, value_name = "TIME", value_parser = seconds, requires = "time")]
    gap: Option<f64>,
    /// The column that tells how much a row counts.
    #[arg(long, value_name = "COLUMN")]
    weight: Option<String>,
    /// What a column holds, whatever it looks like: number, boolean, time, category, text or identifier.
    #[arg(long = "type", value_name = "COLUMN=TYPE", value_parser = meaning)]
    types: Vec<(String, Meaning)>,
    /// What kind of answer is wanted, where the column alone does not tell.
    #[arg(long, value_enum)]
    task: Option<TaskArg>,
    /// Of numbers predicts not the mean, but what so large a share does not exceed, such as 0.9.
    #[arg(long, value_name = "LEVEL", value_parser = level)]
    quantile: Option<f64>,
    /// Of two answers the one whose probability is told.
    #[arg(long, value_name = "ANSWER")]
    positive: Option<String>,
    /// Lets rare answers count as much as frequent ones.
    #[arg(long)]
    balance: bool,
    /// What acting in vain costs, and what missing costs: for the threshold of the decision.
    #[arg(long, value_name = "VAIN:MISSED", default_value = "1:1", value_parser = costs)]
    costs: Costs,
    /// The share of rows that the model is tested on.
    #[arg(long, default_value_t = 0.2, value_parser = share)]
    test_share: f64,
    /// What all draws follow from: the same seed gives the same model.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many threads work; all cores if nothing is said.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Where the model is written.
    #[arg(long, value_name = "FILE", default_value = super::MODEL)]
    out: PathBuf,
    /// Where a report with plots is written, as HTML.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// The language of the report.
    #[arg(long, value_enum, default_value_t = LanguageArg::En)]
    language: LanguageArg,
    /// Prints what came of it as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum TaskArg {
    /// One of the values of the column.
    Classes,
    /// A number.
    Number,
    /// An order within groups; needs --group.
    Ranking,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum LanguageArg {
    /// English.
    En,
    /// Chinese.
    Zh,
}

impl From<LanguageArg> for report::Language {
    fn from(language: LanguageArg) -> Self {
        match language {
            LanguageArg::En => Self::English,
            LanguageArg::Zh => Self::Chinese,
        }
    }
}

fn algorithm(name: &str) -> Result<Algorithm, String> {
    Algorithm::of_name(name).ok_or_else(|| {
        let names: Vec<&str> = Algorithm::ALL.iter().map(|algorithm| algorithm.name()).collect();
        format!("there are {}", names.join(", "))
    })
}

fn seconds(text: &str) -> Result<f64, String> {
    let wrong = || "must be a time such as 90s, 5m, 1h or 30d".to_owned();
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let unit = match unit {
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return Err(wrong()),
    };
    if number > 0.0 { Ok(number * unit) } else { Err(wrong()) }
}

fn meaning(text: &str) -> Result<(String, Meaning), String> {
    let (column, meaning) = text.rsplit_once('=').ok_or("must be COLUMN=TYPE")?;
    let meaning = match meaning {
        "number" => Meaning::Number,
        "boolean" => Meaning::Boolean,
        "time" => Meaning::Time,
        "category" => Meaning::Category,
        "text" => Meaning::Text,
        "identifier" => Meaning::Identifier,
        _ => return Err("the type must be number, boolean, time, category, text or identifier".to_owned()),
    };
    Ok((column.to_owned(), meaning))
}

pub(super) fn costs(text: &str) -> Result<Costs, String> {
    let wrong = || "must be two numbers from 0 such as 1:5".to_owned();
    let (vain, missed) = text.split_once(':').ok_or_else(wrong)?;
    let number = |text: &str| text.parse().ok().filter(|cost: &f64| cost.is_finite() && *cost >= 0.0).ok_or_else(wrong);
    let costs = Costs { false_positive: number(vain)?, false_negative: number(missed)? };
    if costs.false_positive + costs.false_negative > 0.0 { Ok(costs) } else { Err(wrong()) }
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "must be a number".to_owned())?;
    if (0.05..=0.5).contains(&share) { Ok(share) } else { Err("must be from 0.05 to 0.5".to_owned()) }
}

fn level(text: &str) -> Result<f64, String> {
    let level: f64 = text.parse().map_err(|_| "must be a number".to_owned())?;
    if level > 0.0 && level < 1.0 { Ok(level) } else { Err("must be above 0 and below 1, such as 0.9".to_owned()) }
}

impl TrainArgs {
    fn table_options(&self) -> TableOptions {
        TableOptions {
            target: self.target.clone(),
            task: self.task.map(|task| match task {
                TaskArg::Classes => TaskChoice::Classes,
                TaskArg::Number => TaskChoice::Number,
                TaskArg::Ranking => TaskChoice::Ranking,
            }),
            quantile: self.quantile,
            positive: self.positive.clone(),
            group: self.group.clone(),
            time: self.time.clone(),
            gap: self.gap.map_or(0, |seconds| (seconds * 1000.0) as i64),
            weight: self.weight.clone(),
            meanings: self.types.iter().cloned().collect(),
        }
    }

    fn train_options(&self) -> TrainOptions {
        let effort = match (self.auto, self.trials) {
            (false, _) => Effort::Usual,
            (true, Some(trials)) => Effort::Trials(trials.max(1)),
            (true, None) => Effort::Seconds(self.budget.unwrap_or(BUDGET_SECONDS)),
        };
        TrainOptions {
            effort,
            learner: self.algorithm.map(|algorithm| algorithm.learner(self.seed)),
            leaks: self.leaks.clone(),
            test_share: self.test_share,
            balance: self.balance,
            costs: self.costs,
            seed: self.seed,
        }
    }
}

/// What a training tells programs.
#[derive(Serialize)]
struct Told<'a> {
    table: &'a TableReport,
    card: &'a rapport_ml::Card,
    tried: Vec<Tried>,
    failures: &'a [String],
    out_of_time: bool,
    seconds: f64,
    /// The places of the rows with an answer that were put aside for the test.
    test_rows: &'a [usize],
}

#[derive(Serialize)]
struct Tried {
    algorithm: &'static str,
    loss: f64,
}

pub(crate) fn train(args: &TrainArgs) -> Result<(), Failure> {
    let begin = Instant::now();
    for path in [Some(&args.out), args.report.as_ref()].into_iter().flatten() {
        can_be_written(path)?;
    }
    let (data, report) = data_of(table(&args.table)?, &args.table_options())?;
    if args.report.is_some() && data.task != Task::Binary {
        return Err("there are reports for yes or no alone; leave --report out, the figures are in the model".into());
    }
    let trained = watched(args, &data)?;
    write(&args.out, &trained.artifact.to_bytes()?)?;
    if let (Some(path), Some(data)) = (&args.report, &trained.artifact.report) {
        let data: ReportData = serde_json::from_str(data)?;
        write(path, report::html(&data, args.language.into()).as_bytes())?;
    }
    if args.json {
        let tried =
            |(learner, loss): &(rapport_ml::Learner, f64)| Tried { algorithm: learner.algorithm().name(), loss: *loss };
        let told = Told {
            table: &report,
            card: &trained.artifact.card,
            tried: trained.tried.iter().map(tried).collect(),
            failures: &trained.failures,
            out_of_time: trained.out_of_time,
            seconds: begin.elapsed().as_secs_f64(),
            test_rows: &trained.test,
        };
        return print(&serde_json::to_string_pretty(&told)?);
    }
    print(&in_words(args, &report, &trained)?)
}

/// Trains with a bar on the terminal. The first interrupt ends the search and keeps the best, the second ends everything.
fn watched(args: &TrainArgs, data: &Data) -> Result<Trained, Failure> {
    let threads = args.threads.map_or_else(Threads::all, |threads| Threads::new(threads.into()));
    let interrupts = std::sync::Arc::new(AtomicU32::new(0));
    let counted = interrupts.clone();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_io().build()?;
    runtime.spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    let begin = Instant::now();
    let bar = bar("looking at the columns");
    let mut watch = Watch {
        parallel: &threads,
        enough: &|| interrupts.load(Ordering::Relaxed) >= 1,
        stopped: &|| interrupts.load(Ordering::Relaxed) >= 2,
        clock: &|| begin.elapsed().as_secs_f64(),
        progress: &mut |progress: &Progress| {
            bar.set_message(match progress.step {
                Step::Leaks => "looking at the columns",
                Step::Trying => "trying settings",
                Step::Testing => "testing",
                Step::Fitting => "fitting on all rows",
            });
            bar.set_position((progress.share * 1000.0) as u64);
            if let Some((name, loss)) = &progress.best {
                bar.set_prefix(format!("{} tried, best {name} ({loss:.4})", progress.trials));
            }
        },
    };
    let trained = rapport_learn::train(data, &args.train_options(), &mut watch);
    bar.finish_and_clear();
    runtime.shutdown_background();
    Ok(trained?)
}

fn in_words(args: &TrainArgs, report: &TableReport, trained: &Trained) -> Result<String, Failure> {
    let mut text = String::new();
    let card = &trained.artifact.card;
    write!(text, "rows        {}", report.rows)?;
    if report.without_target > 0 {
        write!(text, " ({} without an answer left out)", report.without_target)?;
    }
    writeln!(text)?;
    for note in &report.file.notes {
        writeln!(text, "note        {note}")?;
    }
    for note in &report.notes {
        writeln!(text, "note        {note}")?;
    }
    for column in &report.schema.columns {
        for note in &column.notes {
            writeln!(text, "note        {}: {note}", column.name)?;
        }
    }
    text.push_str(&facts::in_words(card)?);
    if trained.out_of_time {
        writeln!(text, "note        the time was up before all settings were tried; another run may try more")?;
    }
    for failure in &trained.failures {
        writeln!(text, "note        not fitted: {failure}")?;
    }
    writeln!(text, "model       {}", args.out.display())?;
    if let Some(path) = &args.report {
        writeln!(text, "report      {}", path.display())?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        assert_eq!(["90s", "5m", "1.5h", "30d"].map(seconds), [90.0, 300.0, 5_400.0, 2_592_000.0].map(Ok));
        assert!(["", "5", "m", "-5m", "0s", "5w"].iter().all(|text| seconds(text).is_err()));
    }

    #[test]
    fn costs_are_read() {
        let read = costs("1:5").unwrap();
        assert_eq!((read.false_positive, read.false_negative), (1.0, 5.0));
        assert!(["", "1", "0:0", "-1:2", "a:b", "inf:1"].iter().all(|text| costs(text).is_err()));
    }

    #[test]
    fn levels_are_read() {
        assert_eq!(level("0.9"), Ok(0.9));
        assert!(["", "0", "1", "-0.1", "NaN", "90%"].iter().all(|text| level(text).is_err()));
    }

    #[test]
    fn types_are_read() {
        assert_eq!(meaning("a=b=category"), Ok(("a=b".to_owned(), Meaning::Category)));
        assert!(meaning("a").is_err() && meaning("a=colour").is_err());
    }
}
