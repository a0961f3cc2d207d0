//! `rapport train`, `evaluate`, `predict`, `explain` and `models`: models on tables in files, and what a model file tells.

mod apply;
mod facts;
mod train;

use std::{fs::File, io::IsTerminal, ops::ControlFlow, path::Path, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};
use rapport_learn::file::{FileOptions, FileTable, read_file};
use rapport_ml::Artifact;

use crate::cli::Failure;

pub(crate) use apply::{EvaluateArgs, ExplainArgs, PredictArgs, evaluate, explain, predict};
pub(crate) use facts::{ModelsArgs, models};
pub(crate) use train::{TrainArgs, train};

/// The file that is written and read where no other is named.
const MODEL: &str = "model.rapport";

/// A line on the terminal that says how far something is; nothing where standard error is no terminal.
fn bar(message: &'static str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {msg:<24} {bar:40} {percent:>3} %  {prefix}");
    let bar = ProgressBar::new(1000).with_message(message);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Reads a table, whatever it is written in. An error names the file.
fn table(path: &Path) -> Result<FileTable, Failure> {
    let named = |error: &dyn std::fmt::Display| Failure::from(format!("{}: {error}", path.display()));
    let file = File::open(path).map_err(|error| named(&error))?;
    let meta = file.metadata().map_err(|error| named(&error))?;
    if meta.is_dir() {
        return Err(named(&"this is a folder; name a file in it"));
    }
    let bar = bar("reading");
    let size = meta.len().max(1);
    let read = read_file(file, &FileOptions::default(), &mut |progress| {
        bar.set_position(progress.bytes * 1000 / size);
        bar.set_prefix(format!("{} rows", progress.rows));
        ControlFlow::Continue(())
    });
    bar.finish_and_clear();
    read.map_err(|error| named(&error))
}

/// Reads a model. An error names the file.
fn model(path: &Path) -> Result<Artifact, Failure> {
    let named = |error: &dyn std::fmt::Display| Failure::from(format!("{}: {error}", path.display()));
    let bytes = std::fs::read(path).map_err(|error| named(&error))?;
    Artifact::from_bytes(&bytes).map_err(|error| named(&error))
}

/// Whoever waits for long should not learn at the end that the place for what was made was not there.
fn can_be_written(path: &Path) -> Result<(), Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(format!("{}: there is no folder {}", path.display(), folder.display()).into());
    }
    if path.is_dir() {
        return Err(format!("{}: this is a folder; name a file in it", path.display()).into());
    }
    Ok(())
}

/// Writes a file. An error names it.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    std::fs::write(path, bytes).map_err(|error| format!("{}: {error}", path.display()).into())
}
