//! `rapport demo`: fills the records with a company that does not exist, whose customers are those of a traffic that can be
//! played; and removes it.
//!
//! It works on the records of the data folder, also while the server runs, since nobody can write a past over the network. Its
//! right is the API key in the folder's `credentials.json`.

mod script;

use std::{
    collections::BTreeMap,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rapport_records::{
    Access, Desk, Id, ListQuery, Record,
    demo::{Demo, DemoState, Script},
};

use self::script::{Pipeline, Wanted};
use crate::{
    cli::Failure,
    config::Config,
    credentials::{self, Credentials},
    data, replay,
};

/// What `rapport demo` can be told.
#[derive(Debug, clap::Args)]
pub(crate) struct Company {
    /// An Online Retail file whose customers the company has; without this, those of `rapport replay --synthetic`.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// The seed of the company, and of the synthetic shoppers.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// How many synthetic shoppers the traffic has.
    #[arg(long, value_name = "N", default_value_t = replay::SHOPPERS, conflicts_with = "file")]
    shoppers: u32,
    /// Removes the demo data. What people have changed since stays, with what it names.
    #[arg(long, conflicts_with_all = ["file", "seed", "shoppers"])]
    remove: bool,
}

/// Fills or removes, and says what came of it.
pub(crate) fn run(config: &Config, args: &Company) -> Result<String, Failure> {
    if !config.data.join("state.db").exists() {
        let folder = config.data.display();
        return Err(
            format!("there is no installation in {folder}; `rapport serve` makes one, --data names another").into()
        );
    }
    let desk = data::open_records(config)?;
    let access = desk.access_of_key(&Credentials::read(&config.data)?.api_key)?;
    let access = access.ok_or("the records do not know the API key in credentials.json; start `rapport serve` once")?;
    if args.remove { remove(&desk, &access) } else { fill(&desk, &access, config, args) }
}

fn fill(desk: &Desk, access: &Access, config: &Config, args: &Company) -> Result<String, Failure> {
    if let Some(demo) = desk.demo(access)?.filter(|demo| demo.state != DemoState::Removed) {
        return Ok(format!("There is demo data already ({}). `rapport demo --remove` removes it.", demo.title));
    }
    let (title, customers) = replay::customers(args.file.as_deref(), args.seed, args.shoppers)?;
    // Where the file lies on this machine is nothing for those who read the title.
    let name = args.file.as_deref().and_then(Path::file_name).map(|name| format!("those of {}", name.display()));
    let script = script::write(&Wanted {
        seed: args.seed,
        end: rapport_server::system_time(),
        traffic: &name.unwrap_or(title),
        customers: &customers,
        known: &desk.customers_with_contacts(access)?,
        pipeline: pipeline(desk, access)?,
    });
    let bar = bar("Filling in the company", script.tales.len() as u64);
    desk.fill_demo(access, &script, &|made| bar.set_position(made))?;
    bar.finish_and_clear();
    let play = match &args.file {
        Some(file) => file.display().to_string(),
        None => format!("--synthetic --seed {} --shoppers {}", args.seed, args.shoppers),
    };
    Ok(format!(
        "{}\n{}\nIts people cannot sign in. Its customers act when their traffic is played:\n  rapport replay {play} --url {} \
         --data {}\n`rapport demo --remove`, or the button on every page, removes it.",
        script.title,
        counts(&script),
        credentials::address(config),
        config.data.display()
    ))
}

/// How many records of each object.
fn counts(script: &Script) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for tale in &script.tales {
        *counts.entry(&tale.object).or_default() += 1;
    }
    let told: Vec<String> = counts.iter().map(|(object, count)| format!("{object} {count}")).collect();
    told.join(", ")
}

fn remove(desk: &Desk, access: &Access) -> Result<String, Failure> {
    let demo = desk.begin_removing_demo(access)?;
    let bar = bar("Removing the demo data", demo.records);
    let watch = |demo: &Demo| {
        bar.set_position(demo.removed);
        ControlFlow::Continue(())
    };
    // None where the server, asked by its button, has just ended it.
    let done = desk.go_on_removing_demo(&watch)?.or(desk.demo(access)?).unwrap_or(demo);
    bar.finish_and_clear();
    Ok(format!(
        "{} records were removed. {} stay: people have changed them, or they name them.",
        done.removed, done.kept
    ))
}

/// The first pipeline of the installation, if deals can go through it.
fn pipeline(desk: &Desk, access: &Access) -> Result<Option<Pipeline>, Failure> {
    let by_position = |filter: Option<String>| ListQuery {
        filter,
        sort: Some("position".to_owned()),
        limit: 100,
        ..ListQuery::default()
    };
    let Some(first) = desk.list(access, "pipeline", &by_position(None))?.records.into_iter().next() else {
        return Ok(None);
    };
    let stages = desk.list(access, "stage", &by_position(Some(format!("pipeline == \"{}\"", first.id))))?.records;
    let of = |outcome: &str| stages.iter().filter(|stage| stage.fields["outcome"] == outcome).collect::<Vec<&Record>>();
    let open: Vec<(Id, f64)> = of("open")
        .into_iter()
        .map(|stage| (stage.id, stage.fields.get("probability").and_then(serde_json::Value::as_f64).unwrap_or(50.0)))
        .collect();
    Ok(match (open.len(), of("won").first(), of("lost").first()) {
        (2.., Some(won), Some(lost)) => Some(Pipeline { id: first.id, open, won: won.id, lost: lost.id }),
        _ => None,
    })
}

/// Shows nothing where standard error is not a terminal.
fn bar(title: &str, total: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(10));
    let style = ProgressStyle::with_template("{prefix} {bar:40} {human_pos}/{human_len}  {elapsed}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_prefix(title.to_owned());
    bar
}
