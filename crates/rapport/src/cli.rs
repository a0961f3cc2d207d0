//! The command line: what can be said, and which room answers.

use std::{error::Error, io::Write as _, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use crate::{
    backup,
    config::{Config, DEFAULTS},
    credentials, demo, learning, moving, repair, replay, serve, state, workspace,
};

/// Any error that a command ends with; its text is for the person at the terminal.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

#[derive(Debug, Parser)]
#[command(
    name = "rapport",
    version,
    about = "A CRM that answers while the customer is still there.",
    max_term_width = 100
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the server: collects events, keeps profiles current, scores them and serves the pages.
    Serve(Settings),
    /// Plays a file of purchases, or synthetic shoppers, through a server's HTTP door and judges what it pushed.
    Replay(replay::ReplayArgs),
    /// Trains a model on a table and writes it with its evaluation.
    Train(learning::TrainArgs),
    /// Judges a model by rows whose answers are known.
    Evaluate(learning::EvaluateArgs),
    /// Applies a model to the rows of a table.
    Predict(learning::PredictArgs),
    /// Says why a row has its answer.
    Explain(learning::ExplainArgs),
    /// Tells of model files, and writes their reports or ONNX.
    Models(learning::ModelsArgs),
    /// Tells the state of a data folder whose server is stopped: profiles, ledger, digest.
    State(StateArgs),
    /// Makes a damaged or missing state.db anew from the log of a stopped server. Keys and models that can still be read are
    /// taken over; the damaged file stays beside the new one.
    Repair(Settings),
    /// Copies everything that an installation holds into a new folder, also while its server runs.
    Backup(BackupArgs),
    /// Makes an installation of a backup, where there is none yet.
    Restore(RestoreArgs),
    /// Puts the records of a stopped server back to what they were before the last upgrade. What is there stays beside it.
    Rollback(Settings),
    /// Copies the records of a stopped server from its data folder into an empty PostgreSQL.
    Migrate(MigrateArgs),
    /// Writes everything that people made into one file that any program reads, also while the server runs: a zip of JSON lines.
    ExportWorkspace(ExportWorkspaceArgs),
    /// Brings such a file into an installation without records, on either database.
    ImportWorkspace(ImportWorkspaceArgs),
    /// Fills the records with a company that does not exist, to look at; or removes it.
    Demo(DemoArgs),
    /// Prints a new one-time link for signing in to the pages.
    Link(Settings),
    /// Prints all settings with their defaults.
    Config,
}

/// Settings on the command line; they win over the environment and the file.
#[derive(Debug, Args, Default)]
pub(crate) struct Settings {
    /// The settings file; without this, `rapport.toml` if it is there.
    #[arg(long, value_name = "FILE", env = "RAPPORT_CONFIG")]
    config: Option<PathBuf>,
    /// Where everything is kept.
    #[arg(long, value_name = "FOLDER")]
    data: Option<String>,
    /// The address and port to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Into how many partitions a new log is split.
    #[arg(long, value_name = "N")]
    partitions: Option<String>,
    /// error, warn, info, debug or trace.
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
    /// json or text.
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
}

impl Settings {
    /// All settings, from every source.
    fn read(self) -> Result<Config, Failure> {
        let named = self.config.is_some();
        let path = self.config.unwrap_or_else(|| PathBuf::from("rapport.toml"));
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !named => None,
            Err(error) => return Err(format!("{}: {error}", path.display()).into()),
        };
        let name = path.display().to_string();
        let file = text.as_deref().map(|text| (&*name, text));
        let flags = [
            ("data", self.data),
            ("listen", self.listen),
            ("partitions", self.partitions),
            ("log_level", self.log_level),
            ("log_format", self.log_format),
        ];
        let flags = flags.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        Ok(Config::read(file, std::env::vars(), flags)?)
    }
}

#[derive(Debug, Args)]
pub(crate) struct StateArgs {
    #[command(flatten)]
    settings: Settings,
    /// Prints one digest of all profiles; equal histories give equal digests.
    #[arg(long)]
    digest: bool,
    /// Makes the state from the log alone instead of from the newest checkpoint; writes nothing.
    #[arg(long)]
    rebuild: bool,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    #[command(flatten)]
    settings: Settings,
    /// The folder to make.
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    #[command(flatten)]
    settings: Settings,
    /// The folder of the backup.
    #[arg(long, value_name = "FOLDER")]
    from: PathBuf,
    /// Looks through the whole backup and restores nothing.
    #[arg(long)]
    verify: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    demo: demo::Company,
}

#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    #[command(flatten)]
    settings: Settings,
    /// The database, such as postgres://user@host/name; it must be empty.
    #[arg(long, value_name = "URL")]
    to: String,
}

#[derive(Debug, Args)]
pub(crate) struct ExportWorkspaceArgs {
    #[command(flatten)]
    settings: Settings,
    /// The file to make.
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct ImportWorkspaceArgs {
    #[command(flatten)]
    settings: Settings,
    /// The file of the workspace.
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
}

impl Cli {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        match self.command {
            Command::Serve(settings) => serve::run(&settings.read()?)?,
            Command::Replay(args) => return Ok(replay::run(args)?),
            Command::Train(args) => learning::train(&args)?,
            Command::Evaluate(args) => learning::evaluate(&args)?,
            Command::Predict(args) => learning::predict(&args)?,
            Command::Explain(args) => learning::explain(&args)?,
            Command::Models(args) => learning::models(&args)?,
            Command::State(args) => {
                let options = state::Options { digest: args.digest, rebuild: args.rebuild, json: args.json };
                print(&state::tell(&args.settings.read()?, options)?)?;
            }
            Command::Repair(settings) => print(&repair::run(&settings.read()?)?)?,
            Command::Backup(args) => print(&backup::back_up(&args.settings.read()?, &args.to)?)?,
            Command::Restore(args) if args.verify => print(&backup::verify(&args.from)?)?,
            Command::Restore(args) => print(&backup::restore(&args.settings.read()?, &args.from)?)?,
            Command::Rollback(settings) => print(&moving::roll_back(&settings.read()?)?)?,
            Command::Migrate(args) => print(&moving::migrate(&args.settings.read()?, &args.to)?)?,
            Command::ExportWorkspace(args) => print(&workspace::export(&args.settings.read()?, &args.to)?)?,
            Command::ImportWorkspace(args) => print(&workspace::import(&args.settings.read()?, &args.from)?)?,
            Command::Demo(args) => print(&demo::run(&args.settings.read()?, &args.demo)?)?,
            Command::Link(settings) => print(&credentials::new_link(&settings.read()?)?)?,
            Command::Config => print(DEFAULTS)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Writes to standard output; a reader that went away is no error.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{}", text.trim_end()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// Writes an error with its causes to standard error.
pub(crate) fn complain(error: &(dyn Error + 'static)) {
    let mut text = format!("error: {error}");
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        // Many errors already quote their cause.
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        cause = inner.source();
    }
    // Where standard error is closed there is nobody to tell.
    let _told = writeln!(std::io::stderr(), "{text}").is_ok();
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn no_command_contradicts_itself() {
        Cli::command().debug_assert();
        let demo = |line: &str| Cli::try_parse_from(line.split(' ')).map(drop).map_err(|error| error.to_string());
        demo("rapport demo --data there shop.csv --seed 3").unwrap();
        demo("rapport demo --remove").unwrap();
        assert!(demo("rapport demo shop.csv --shoppers 5").unwrap_err().contains("cannot be used with"));
        assert!(demo("rapport demo shop.csv --remove").unwrap_err().contains("cannot be used with"));
    }
}
