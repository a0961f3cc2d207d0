//! `rapport export-workspace` and `rapport import-workspace`: everything that people made, as one open file, and back.

use std::{
    borrow::Cow,
    fs::{self, File, OpenOptions},
    io::{BufReader, BufWriter, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rapport_records::{Desk, export::Manifest};

use crate::{
    cli::Failure,
    config::Config,
    data::{self, FILES, RECORDS},
};

/// Writes everything into a file, also while the server runs; what is in it, as text.
pub(crate) fn export(config: &Config, to: &Path) -> Result<String, Failure> {
    if config.records.is_empty() && !config.data.join(RECORDS).exists() {
        return Err(format!("there are no records in {}; --data names the folder", config.data.display()).into());
    }
    if to.exists() {
        return Err(format!("{} is there already; name another", to.display()).into());
    }
    let desk = open(config)?;
    let partial = to.with_added_extension("rapport-partial");
    let written = write(&desk, &partial);
    if written.is_err() {
        // What is not whole is of no use; that it was never made is no error.
        drop(fs::remove_file(&partial));
    }
    let manifest = written?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Without the second step a loss of power could still take the name away.
    let named = fs::rename(&partial, to).and_then(|()| File::open(folder)?.sync_all());
    named.map_err(|error| format!("{}: {error}", to.display()))?;
    Ok(format!("{} holds {}", to.display(), tell(&manifest)))
}

fn write(desk: &Desk, to: &Path) -> Result<Manifest, Failure> {
    let told = |error: std::io::Error| format!("{}: {error}", to.display());
    // For its owner alone, as the data folder is: people and customers are in it.
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(to).map_err(told)?;
    let mut out = BufWriter::new(file);
    let bar = bar();
    let manifest = desk.export_own_workspace(&mut out, &mut |entry, done| show(&bar, entry, done))?;
    bar.finish_and_clear();
    out.flush().map_err(told)?;
    out.get_ref().sync_all().map_err(told)?;
    Ok(manifest)
}

/// Brings such a file into an installation without records whose server is stopped; what was brought, as text.
pub(crate) fn import(config: &Config, from: &Path) -> Result<String, Failure> {
    let file = File::open(from).map_err(|error| format!("{}: {error}", from.display()))?;
    // Holding the log keeps a server from starting meanwhile.
    let _log = data::open_log(config)?;
    let desk = open(config)?;
    let bar = bar();
    let manifest = desk.restore_workspace(BufReader::new(file), &mut |entry, done| show(&bar, entry, done))?;
    bar.finish_and_clear();
    Ok(format!(
        "{} was brought in, counted and found the same. Passwords and keys are not in such a file: start the server, whose \
         first line has a link that signs an administrator in",
        tell(&manifest)
    ))
}

fn open(config: &Config) -> Result<Desk, Failure> {
    let desk = data::open_records(config)?;
    desk.set_files(&config.data.join(FILES))?;
    Ok(desk)
}

/// A line on standard error, if that is a terminal; else nothing is drawn.
fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
    let style = ProgressStyle::with_template("{spinner} {human_pos} lines  {elapsed}  {msg}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
}

fn show(bar: &ProgressBar, entry: &str, done: u64) {
    bar.set_position(done);
    bar.set_message(Cow::from(entry.to_owned()));
}

fn tell(manifest: &Manifest) -> String {
    let count = |name: &str| manifest.counts.get(name).copied().unwrap_or(0);
    let records: u64 = manifest.counts.iter().filter(|(name, _)| name.starts_with("records/")).map(|(_, n)| n).sum();
    let missing = match manifest.missing.len() {
        0 => String::new(),
        lost => format!(" (those of {lost} more were lost before; their hashes stand in `missing` of rapport.json)"),
    };
    format!("{records} records, {} people and the contents of {} files{missing}", count("person.jsonl"), manifest.files)
}
